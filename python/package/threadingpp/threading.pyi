# SPDX-License-Identifier: MIT
from threading import *
from threading import ExceptHookArgs as ExceptHookArgs
from threading import excepthook as excepthook

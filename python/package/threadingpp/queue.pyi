# SPDX-License-Identifier: MIT
from queue import Empty as Empty
from queue import Full as Full
from queue import LifoQueue as LifoQueue
from queue import PriorityQueue as PriorityQueue
from queue import Queue as Queue
from queue import SimpleQueue as SimpleQueue

def install() -> None: ...
def uninstall() -> None: ...

# SPDX-License-Identifier: MIT
import sys
from queue import Empty as Empty
from queue import Full as Full
from queue import LifoQueue as LifoQueue
from queue import PriorityQueue as PriorityQueue
from queue import Queue as Queue
from queue import SimpleQueue as SimpleQueue

if sys.version_info >= (3, 13):
    from queue import ShutDown as ShutDown
else:
    class ShutDown(Exception): ...

def install() -> None: ...
def uninstall() -> None: ...

# SPDX-License-Identifier: MIT
from typing import Any, Optional, TextIO

from . import queue as queue
from . import threading as threading
from .queue import LifoQueue as LifoQueue
from .queue import PriorityQueue as PriorityQueue
from .queue import Queue as Queue
from .queue import SimpleQueue as SimpleQueue

__version__: str

def install(queue: bool = ...) -> None: ...
def uninstall() -> None: ...
def is_installed() -> bool: ...
def dump(file: Optional[TextIO] = ...) -> None: ...
def shared(name: str, *number: int) -> Any: ...

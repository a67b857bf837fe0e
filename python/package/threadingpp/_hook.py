# SPDX-License-Identifier: MIT
"""Installs threading++ when, and if, the program imports `threading` (and `queue`). For start-up files: imports nothing
itself.
"""

import sys


class _Loader:
    """The stdlib's own loader, and `then()` after it."""

    def __init__(self, loader, then):
        self._loader = loader
        self._then = then

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then()


def _install_threading():
    from threadingpp._install import install

    install()


def _install_queue():
    from threadingpp.queue import install

    install()


_waiting = {}  # name of a module -> what follows its import


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        then = _waiting.pop(name, None)
        if then is None:
            return None
        if not _waiting:
            disarm()
        spec = sys.modules["_frozen_importlib"]._find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader, then)
        return spec


def arm(queue=False):
    """Gets ready. With `queue`, as install(queue=True)."""
    for name, then in (("threading", _install_threading), ("queue", _install_queue))[: 2 if queue else 1]:
        if name in sys.modules:
            then()
        else:
            _waiting[name] = then
    if _waiting and _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


def disarm():
    _waiting.clear()
    if _Finder in sys.meta_path:
        sys.meta_path.remove(_Finder)

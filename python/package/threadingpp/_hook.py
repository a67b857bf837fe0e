# SPDX-License-Identifier: MIT
"""Installs threading++ when, and if, the program imports `threading`. For start-up files: imports nothing itself."""

import sys


class _Loader:
    """The stdlib's own loader, and install() after it."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        from threadingpp._install import install

        install(queue=_queue[0])


_queue = [False]


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "threading":
            return None
        disarm()
        spec = sys.modules["_frozen_importlib"]._find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


def arm(queue=False):
    """Gets ready. With `queue`, as install(queue=True)."""
    _queue[0] = queue
    if "threading" in sys.modules:
        from threadingpp._install import install

        install(queue)
    elif _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


def disarm():
    if _Finder in sys.meta_path:
        sys.meta_path.remove(_Finder)

# SPDX-License-Identifier: MIT
"""The complete `threading` module of the running interpreter, on the core of threading++.

Once threadingpp.install() was called this is the module `threading` itself. Otherwise it is a second face of it: the
same threads, the same registry and hooks, but primitives of threading++. What is not replaced is the stdlib's own, so
that nothing can be missing; what is assigned here (an excepthook, say) is assigned there.
"""

import sys
import threading as _stdlib
import types

from . import _core, _install, _versions


class _View(types.ModuleType):
    def __getattr__(self, name):
        return getattr(_stdlib, name)

    def __setattr__(self, name, value):
        if name not in self.__dict__:
            setattr(_stdlib, name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name):
        if name not in self.__dict__:
            delattr(_stdlib, name)
        else:
            super().__delattr__(name)

    def __dir__(self):
        return dir(_stdlib)


def _make_view():
    view = _View(__name__, __doc__)
    names = view.__dict__
    names.update(__file__=__file__, __package__=__package__, __spec__=__spec__, __loader__=__loader__)
    for name, core in _versions.replaced().items():
        names[name] = getattr(_core, core)
    # The factory is the stdlib's, with its warnings; it makes what it finds in the module around it.
    around = dict(_stdlib.__dict__)
    around["_CRLock"] = names["_CRLock"]
    names["RLock"] = types.FunctionType(_stdlib.RLock.__code__, around, "RLock", _stdlib.RLock.__defaults__)
    names["RLock"].__module__ = "threading"
    names["RLock"].__doc__ = _stdlib.RLock.__doc__
    names.update(_install._functions(_stdlib))
    return view


sys.modules[__name__] = _stdlib if _install.is_installed() else _make_view()

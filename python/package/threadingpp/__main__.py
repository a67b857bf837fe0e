# SPDX-License-Identifier: MIT
"""python -m threadingpp [--queue] [--children] script.py args… | -m module args… | -c code args…

Runs an unmodified program on threading++. --queue replaces the classes of the module `queue` as well. --children sets
THREADINGPP for child processes, which follow it if the package's start-up file is installed (pip installs it).
"""

import os
import sys

USAGE = __doc__.splitlines()[0]


def main(arguments):
    queue = children = False
    while arguments and arguments[0] in ("--queue", "--children"):
        queue |= arguments[0] == "--queue"
        children |= arguments[0] == "--children"
        del arguments[0]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip() if arguments else f"usage: {USAGE}", file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    if arguments[0] in ("-m", "-c") and len(arguments) < 2:
        print(f"threadingpp: {arguments[0]} needs an argument\nusage: {USAGE}", file=sys.stderr)
        return 2

    from threadingpp import install

    install(queue=queue)
    if children:
        os.environ["THREADINGPP"] = "queue" if queue else "1"
    code, names = _load(arguments)
    # The program lives in the real __main__: what it pickles, and threads that outlive this function, find it there.
    space = sys.modules["__main__"].__dict__
    for name in [each for each in space if not each.startswith("__") or each in ("__annotations__",)]:
        del space[name]
    space.update(names)
    exec(code, space)
    return None


def _load(arguments):
    """Returns: (code, names for __main__). Sets sys.argv and sys.path[0] as the interpreter would."""
    kind = arguments[0]
    if kind == "-c":
        sys.argv[:] = ["-c"] + arguments[2:]
        sys.path[0] = ""
        return compile(arguments[1], "<string>", "exec"), _names(None, None)
    if kind == "-m":
        import runpy

        sys.argv[:] = ["-m"] + arguments[2:]
        sys.path[0] = os.getcwd()
        _, spec, code = runpy._get_module_details(arguments[1])
        sys.argv[0] = spec.origin
        names = _names(spec.origin, spec.loader)
        names.update(__spec__=spec, __package__=spec.parent, __cached__=spec.cached)
        return code, names
    path = arguments[0]
    if os.path.isdir(path):
        path = os.path.join(path, "__main__.py")
    sys.argv[:] = arguments
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    # As there: `__file__` survives a change of directory.
    full = os.path.abspath(path) if path == arguments[0] and sys.version_info >= (3, 9) else path
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), full, "exec")
    except OSError as error:
        raise SystemExit(f"threadingpp: cannot read {path}: {error.strerror}")
    return code, _names(full, None)


def _names(path, loader):
    names = {"__name__": "__main__", "__doc__": None, "__package__": None, "__spec__": None, "__loader__": loader}
    names["__builtins__"] = __builtins__
    if path is not None:
        names["__file__"] = path
    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

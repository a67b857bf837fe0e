#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_layers.py: holds the sources to the dependency rules of ARCHITECTURE.md.

Reads #include lines, preprocessor conditions and a few names. The tables below are the rules; what a rule lets pass
stands there with its reason.
"""

import re

import cpp_text

# Which rooms of src/ a room may include besides itself; where a tuple follows, only those headers of it.
ROOMS = {
    "base": {},
    "platform": {"base": None},
    "parking": {"platform": ("parker", "parker_outcome", "clock", "crowd", "fork", "thread_exit"), "base": None},
    "primitives": {"parking": None, "base": None},
    "threads": {
        "primitives": None,
        # inspect only reads: it is how dump() learns who waits. Buckets stay out of reach.
        "parking": ("inspect",),
        "platform": ("os_thread", "fork", "thread_exit", "block"),
        "base": None,
    },
    "timer": {"threads": None, "parking": ("parking_lot",), "platform": ("os_thread", "fork"), "base": None},
    "trace": {"threads": None, "platform": ("fork",), "base": None},
}

# Headers of the system that a room other than platform may include.
SYSTEM_HEADERS = {
    "threads": {"cxxabi.h": "names the type of an uncaught exception, and tells pthread_exit's unwinding from one"},
    "trace": {
        "cxxabi.h": "names of types and functions are read from the C++ ABI",
        "dlfcn.h": "the throw interposition finds the function it stands before",
        "link.h": "addresses are resolved relative to the object they are in",
        "backtrace.h": "lines are resolved by the library inside GCC",
        "execinfo.h": "call sites are read from the stack",
        "unwind.h": "call sites are read from the stack",
        "xray/xray_interface.h": "Clang's instrumentation is switched on through it",
    },
}

PUBLIC_FOREIGN_HEADERS = {
    "include/threading/python.hpp": {"Python.h": "it is for modules of the interpreter, which include it anyway"},
    "include/threading/python_item.hpp": {"Python.h": "as above: its items become Python objects"},
}

# Who is kept out of src/ altogether: they see include/threading only.
OUTSIDERS = ("apps", "examples", "bench", "python", "tests")
# tests/<room>/ may include that room, and the slots of base, through which a room is observed. The lab explores all
# rooms from inside; the leak check looks into the lot, as fuzz does; soak makes system calls fail.
INSIDE_TESTS = {"fuzz", "schedule", "soak", "support"}

STANDARD_HEADERS = set(
    """algorithm any array atomic barrier bit cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
    clocale cmath compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio
    cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream
    functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view
    strstream syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
    valarray variant vector version""".split()
)

SYSTEM_CONDITION = re.compile(
    r"\b(_WIN32|_WIN64|__linux__|__gnu_linux__|__unix__|__APPLE__|__FreeBSD__|__ANDROID__|__GLIBC__|__GNUC__|__clang__"
    r"|_MSC_VER|__x86_64__|__i386__|__aarch64__|__arm__|__riscv|__has_include|__has_feature|__has_builtin)\b"
)
SYSTEM_CONDITION_FILES = {
    "src/trace": "instrumentation is a compiler's own affair",
}

# What only the back end may name.
BACKEND_NAMES = re.compile(
    r"\bstd::(atomic\w*|mutex|timed_mutex|recursive_mutex|shared_mutex|condition_variable\w*|thread|jthread|this_thread"
    r"|counting_semaphore|binary_semaphore|latch|barrier|stop_token|stop_source|stop_callback"
    r"|chrono::(?:steady_clock|system_clock|high_resolution_clock)|call_once|once_flag)\b"
)
BACKEND_FILES = ("include/threading/detail/backend_native.hpp", "src/platform/")
BACKEND_EXCEPTIONS = {
    "include/threading/timeout.hpp": {"chrono::steady_clock": "a time point of it is a Timeout"},
}

INTERPRETER_LOCK = re.compile(r"\b(PyEval_(Save|Restore)Thread|PyGILState_\w+|Py_(BEGIN|END)_ALLOW_THREADS)\b")
INTERPRETER_LOCK_FILE = "gil.cpp"


def check(root):
    for path in cpp_text.sources(root, "include", "src", *OUTSIDERS):
        lines = cpp_text.split((root / path).read_text(encoding="utf-8"))
        for line in lines:
            for problem in problems(root, path, line):
                yield f"{path}:{line.number}: {problem}"


def problems(root, path, line):
    include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line.text) if "#" in line.code else None
    if include:
        own = path.parts[0] == "tests" and (root / "tests" / include[2]).exists()
        problem = None if own else include_problem(path, quoted=include[1] == '"', header=include[2])
        if problem:
            yield problem
    if path.parts[0] in ("src", "include"):
        yield from product_problems(path, line)
    if path.parts[0] == "python" and path.name != INTERPRETER_LOCK_FILE:
        if INTERPRETER_LOCK.search(line.code):
            yield f"only {INTERPRETER_LOCK_FILE} releases and reacquires the interpreter"


def include_problem(path, quoted, header):
    area, room = path.parts[0], path.parts[1]
    target = header.split("/")[0]
    reaches_in = quoted and target in ROOMS and "/" in header
    if area == "include":
        if quoted:
            return f'a public header includes "{header}"; only <threading/...> and the standard library are public'
        return foreign_header_problem(header, PUBLIC_FOREIGN_HEADERS.get(path.as_posix(), {}))
    if area == "src":
        if quoted:
            return room_problem(room, header)
        if header.startswith("threading/") or room == "platform":
            return None
        return foreign_header_problem(header, SYSTEM_HEADERS.get(room, {}))
    if reaches_in and not (area == "tests" and (target in (room, "base") or room in INSIDE_TESTS)):
        return f'"{header}" is private to src/{target}'
    return None


def room_problem(room, header):
    target, _, name = header.partition("/")
    if target not in ROOMS:
        return f'"{header}" names no room; write "room/file.hpp"'
    if target == room:
        return None
    if target not in ROOMS[room]:
        return f"{room} must not include {target}"
    allowed = ROOMS[room][target]
    if allowed is not None and name.removesuffix(".hpp") not in allowed:
        return f"{room} may include of {target} only {', '.join(allowed)}; not {name}"
    return None


def foreign_header_problem(header, allowed):
    if header in STANDARD_HEADERS or header in allowed or header.startswith("threading/"):
        return None
    if header == "schedule/backend.hpp":
        return None  # the lab's back end, chosen by backend.hpp
    return f"<{header}> is no standard header; only platform knows the system"


def product_problems(path, line):
    name = path.as_posix()
    in_detail = name.startswith("include/threading/detail/")
    knows_system = name.startswith("src/platform/") or in_detail or name.startswith(tuple(SYSTEM_CONDITION_FILES))
    if re.match(r"\s*#\s*(if|elif)", line.code) and SYSTEM_CONDITION.search(line.text) and not knows_system:
        yield "a condition on the system or compiler outside platform/ and detail/"
    if name.startswith(BACKEND_FILES):
        return
    for match in BACKEND_NAMES.finditer(line.code):
        if match[1] not in BACKEND_EXCEPTIONS.get(name, {}):
            yield f"std::{match[1]} is named outside the back end; use detail::backend"


if __name__ == "__main__":
    cpp_text.main(check, __doc__)

# SPDX-License-Identifier: MIT
"""What the tests of threadsum share: running it, and trees of files to sum."""

import ctypes
import hashlib
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("THREADSUM", "threadsum")
SANITIZED = bool(os.environ.get("THREADSUM_SANITIZED"))

# How long anything may take before the test says that it hangs.
WATCHDOG = 120

# A sparse file of this size keeps a worker busy for longer than any test needs.
ENDLESS = 1 << 40

_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_PR_CAPBSET_DROP = 24


def drop_root_powers():
    """Before exec: permission bits count for root, too."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl(PR_CAPBSET_DROP)")


def eventually(condition, what):
    """Waits until condition() is true. No test sleeps for a fixed time."""
    end = time.monotonic() + WATCHDOG
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("never came: " + what)
        time.sleep(0.005)


class ThreadsumTest(unittest.TestCase):
    """A test with a directory of its own, which is the current one of the program."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="threadsum_")
        self.addCleanup(holder.cleanup)
        self.dir = pathlib.Path(holder.name)

    def write(self, name, content=b"content\n"):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def write_many(self, count, folder="tree"):
        for i in range(count):
            self.write(f"{folder}/{i:05}", b"%d\n" % i)

    def write_sparse(self, name, size=ENDLESS):
        self.write(name, b"")
        os.truncate(self.dir / name, size)

    def line(self, name):
        """What sha256sum prints for a file whose name has no special characters."""
        digest = hashlib.sha256((self.dir / name).read_bytes()).hexdigest()
        return f"{digest}  {name}\n".encode()

    def run_tool(self, *arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([PROGRAM, *arguments], cwd=self.dir, stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=WATCHDOG, check=False, **options)

    def start_tool(self, *arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen([PROGRAM, *arguments], cwd=self.dir,
                                   stdin=subprocess.DEVNULL, **options)
        self.addCleanup(self.end, process)
        return process

    def start_tool_until_the_pipe_is_full(self, *arguments):
        """Starts it with an output that nobody reads. Returns the process, which cannot go on, and that output."""
        read_end, write_end = os.pipe()
        process = self.start_tool(*arguments, stdout=write_end)
        output = os.fdopen(read_end, "rb")
        self.addCleanup(output.close)
        try:
            eventually(lambda: not select.select([], [write_end], [], 0)[1], "a full pipe")
        finally:
            os.close(write_end)
        return process, output

    @staticmethod
    def finish(process):
        """Like communicate(), which would lose what was read ahead by an earlier read()."""
        output, errors = process.stdout.read(), process.stderr.read()
        process.wait()
        return output, errors

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()

    def assert_complete(self, result, lines):
        """Exit status 0, nothing on standard error, these lines."""
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(result.stdout, b"".join(lines))

    def assert_whole_lines(self, output, expected):
        """`output` is the beginning of `expected` and ends with a whole line."""
        self.assertTrue(expected.startswith(output), "not a beginning of the whole output")
        self.assertIn(output[-1:], (b"", b"\n"))

    def sha256sum_accepts(self, output):
        check = subprocess.run(["sha256sum", "--check", "--quiet", "--strict"], cwd=self.dir,
                               input=output, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               timeout=WATCHDOG, check=False)
        return check.returncode == 0 and check.stdout == b""

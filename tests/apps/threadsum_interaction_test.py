# SPDX-License-Identifier: MIT
"""threadsum and its surroundings: Ctrl-C, terminals, dumps."""

import os
import pty
import re
import select
import signal
import subprocess
import unittest

from threadsum_support import WATCHDOG, ThreadsumTest

INTERRUPTED = b"threadsum: interrupted: the output is incomplete\n"


class Interruption(ThreadsumTest):
    def start_in_the_middle(self, *arguments, **options):
        """Small files are printed, and every worker is busy with one that does not end."""
        self.write_many(3, "tree/a")
        for i in range(4):
            self.write_sparse(f"tree/b{i}")
        self.write_many(3, "tree/c")
        process = self.start_tool("--threads", "4", *arguments, "tree", **options)
        lines = [process.stdout.readline() for _ in range(3)]
        self.assertTrue(self.sha256sum_accepts(b"".join(lines)))
        return process

    def test_ctrl_c_ends_it_soon_with_status_130_and_whole_lines(self):
        process = self.start_in_the_middle()
        process.send_signal(signal.SIGINT)
        output, errors = self.finish(process)
        self.assertEqual((process.returncode, output, errors), (130, b"", INTERRUPTED))

    def test_termination_is_the_same_with_status_143(self):
        process = self.start_in_the_middle()
        process.send_signal(signal.SIGTERM)
        output, errors = self.finish(process)
        self.assertEqual((process.returncode, output, errors), (143, b"", INTERRUPTED))

    def test_at_any_moment_what_is_printed_is_whole_and_right(self):
        self.write_many(3000)
        whole = self.run_tool("tree").stdout
        for wanted in (1, 500, 5_000, 50_000, 150_000):
            with self.subTest(wanted=wanted):
                process = self.start_tool("--threads", "2", "tree")
                head = process.stdout.read(wanted)
                process.send_signal(signal.SIGINT)
                tail, errors = self.finish(process)
                self.assert_whole_lines(head + tail, whole)
                self.assertIn((process.returncode, errors), ((130, INTERRUPTED), (0, b"")))

    def test_a_reader_that_does_not_read_does_not_keep_it_alive(self):
        self.write_many(2000)
        whole = self.run_tool("tree").stdout
        process, pipe = self.start_tool_until_the_pipe_is_full("tree")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), 130)
        self.assert_whole_lines(pipe.read(), whole)
        self.assertTrue(process.stderr.read().startswith(INTERRUPTED))

    def test_an_ignored_signal_stays_ignored(self):
        process = self.start_in_the_middle(
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        self.finish(process)
        self.assertEqual(process.returncode, 143)

    def test_another_use_of_its_wake_up_signal_does_not_disturb_it(self):
        process = self.start_in_the_middle()
        process.send_signal(signal.SIGUSR1)
        process.send_signal(signal.SIGINT)
        self.finish(process)
        self.assertEqual(process.returncode, 130)


class Terminal:
    """The screen side of a pseudo-terminal."""

    def __init__(self, test):
        self._screen, self.line = pty.openpty()
        test.addCleanup(os.close, self._screen)
        self.seen = b""

    def hand_over(self):
        os.close(self.line)

    def read_until(self, pattern):
        while not re.search(pattern, self.seen):
            if not select.select([self._screen], [], [], WATCHDOG)[0]:
                raise AssertionError(f"never came: {pattern}; seen: {self.seen}")
            self.seen += os.read(self._screen, 65536)

    def read_all(self):
        try:
            while True:
                self.seen += os.read(self._screen, 65536)
        except OSError:  # EIO: the other side is closed by everybody
            return self.seen


class Screen(ThreadsumTest):
    def start_on_terminal(self, **streams):
        self.write_many(30, "tree/a")
        self.write_sparse("tree/b")
        terminal = Terminal(self)
        streams = {name: terminal.line if kind == "terminal" else kind
                   for name, kind in streams.items()}
        process = self.start_tool("--threads", "2", "tree", **streams)
        terminal.hand_over()
        return process, terminal

    def test_a_progress_bar_is_drawn_and_taken_away(self):
        process, terminal = self.start_on_terminal(stdout=subprocess.PIPE, stderr="terminal")
        terminal.read_until(rb"\r\[#+-\] 96%  30 of 31 files  \d")
        process.send_signal(signal.SIGINT)
        seen = terminal.read_all()
        self.assertEqual(process.wait(), 130)
        self.assertTrue(seen.endswith(b"\r\x1b[K" + INTERRUPTED.replace(b"\n", b"\r\n")), seen)

    def test_lines_and_bar_share_a_terminal(self):
        process, terminal = self.start_on_terminal(stdout="terminal", stderr="terminal")
        terminal.read_until(rb"\r\[#+-\] 96%  30 of 31 files  \d")
        process.send_signal(signal.SIGINT)
        seen = terminal.read_all()
        process.wait()
        text = re.sub(rb"\r[^\r\n]*\x1b\[K", b"", seen).replace(b"\r\n", b"\n")
        self.assertTrue(text.endswith(INTERRUPTED))
        lines = text[:-len(INTERRUPTED)]
        self.assertEqual(lines.count(b"\n"), 30)
        self.assertTrue(self.sha256sum_accepts(lines))

    def test_no_bar_without_a_terminal(self):
        self.write_many(30)
        self.assertEqual(self.run_tool("tree").stderr, b"")


class Dumps(ThreadsumTest):
    def test_every_thread_is_named_with_what_it_does(self):
        for i in range(3):
            self.write_sparse(f"tree/{i}")
        process = self.start_tool("--threads", "3", "--dump-every", "0.05", "tree")
        # All three workers sum; the printer waits for the first sum, and the main thread for Ctrl-C.
        wanted = {b"MainThread", b"sum-1", b"sum-2", b"sum-3", b"printer", b"signals", b"Condition", b"Event"}
        seen = b""
        while not all(word in seen for word in wanted):  # a dump may come before everybody is in place
            line = process.stderr.readline()
            self.assertNotEqual(line, b"", f"ended early; seen: {seen}")
            seen += line
        process.send_signal(signal.SIGINT)
        self.finish(process)
        self.assertEqual(process.returncode, 130)


if __name__ == "__main__":
    unittest.main()

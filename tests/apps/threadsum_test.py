# SPDX-License-Identifier: MIT
"""threadsum, seen from outside: which files, in which order, in which format, and what happens when one fails."""

import os
import resource
import subprocess
import unittest

from threadsum_support import SANITIZED, ThreadsumTest, drop_root_powers


class Sums(ThreadsumTest):
    def test_sha256sum_accepts_the_sums_of_a_tree(self):
        self.write("tree/empty", b"")
        self.write("tree/one", b"x")
        self.write("tree/deep/er/still/large", os.urandom(3_000_001))
        self.write_many(500, "tree/many")
        result = self.run_tool("tree")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(result.stdout.count(b"\n"), 503)
        self.assertTrue(self.sha256sum_accepts(result.stdout))

    def test_the_order_is_that_of_the_names_for_any_number_of_threads(self):
        self.write("tree/b/2", os.urandom(2_000_000))  # done long after its neighbours
        for name in ("tree/a", "tree/b/1", "tree/b/3", "tree/b.c", "tree/b0", "tree/c"):
            self.write(name)
        in_order = ["a", "b/1", "b/2", "b/3", "b.c", "b0", "c"]
        expected = [f"tree/{name}" for name in in_order]
        for threads in ("1", "2", "8", "64"):
            with self.subTest(threads=threads):
                result = self.run_tool("--threads", threads, "tree")
                names = [line.split("  ", 1)[1] for line in result.stdout.decode().splitlines()]
                self.assertEqual(names, expected)
                self.assertTrue(self.sha256sum_accepts(result.stdout))

    def test_odd_names_are_written_as_sha256sum_writes_them(self):
        odd = [b"new\nline", b"back\\slash", b"return\r", b"both\\\n", b" space ", b"-dash",
               b"\xff\xfe", b"*star", b"'quote\"", b"tab\t", "ünïcode".encode(), b"\\"]
        for name in odd:
            with open(os.path.join(os.fsencode(self.dir), name), "wb") as file:
                file.write(name)
        result = self.run_tool(".")
        theirs = subprocess.run(["sha256sum", "--"] + [b"./" + name for name in sorted(odd)],
                                cwd=self.dir, stdout=subprocess.PIPE, check=True)
        self.assert_complete(result, [theirs.stdout])
        self.assertTrue(self.sha256sum_accepts(result.stdout))

    def test_several_paths_are_summed_in_the_order_given(self):
        self.write("z")
        self.write("a/1", b"1")
        self.write("b/2", b"2")
        result = self.run_tool("z", "b/", "a", "z")
        self.assert_complete(result, [self.line(p) for p in ("z", "b/2", "a/1", "z")])

    def test_without_a_path_it_sums_the_current_directory(self):
        self.write("a")
        self.assert_complete(self.run_tool(), [self.line("./a")])

    def test_an_empty_directory_has_no_sums(self):
        (self.dir / "empty").mkdir()
        self.assert_complete(self.run_tool("empty"), [])

    def test_one_open_file_at_a_time_is_enough(self):
        self.write_many(200)
        result = self.run_tool("--threads", "8", "--open-files", "1", "tree")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(result.stdout.count(b"\n"), 200)

    def test_a_very_deep_tree_is_walked(self):
        path = self.dir
        for _ in range(500):
            path = path / "d"
            path.mkdir()
        (path / "leaf").write_bytes(b"leaf")
        result = self.run_tool("d")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertTrue(self.sha256sum_accepts(result.stdout))


class LinksAndSpecialFiles(ThreadsumTest):
    def setUp(self):
        super().setUp()
        self.write("tree/file")
        self.write("other/inner")
        os.symlink("file", self.dir / "tree/link_to_file")
        os.symlink("../other", self.dir / "tree/link_to_directory")
        os.symlink(".", self.dir / "tree/circle")
        os.symlink("nowhere", self.dir / "tree/dangling")
        os.mkfifo(self.dir / "tree/pipe")

    def test_below_a_directory_they_are_passed_over(self):
        self.assert_complete(self.run_tool("tree"), [self.line("tree/file")])

    def test_a_link_named_on_the_command_line_is_followed(self):
        result = self.run_tool("tree/link_to_file", "tree/link_to_directory")
        self.assert_complete(result, [self.line("tree/link_to_file"),
                                      self.line("tree/link_to_directory/inner")])

    def test_a_pipe_named_on_the_command_line_is_refused(self):
        result = self.run_tool("tree/pipe", "tree/file")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, self.line("tree/file"))
        self.assertEqual(result.stderr, b"threadsum: tree/pipe: Not a regular file or directory\n"
                                        b"threadsum: 1 could not be summed\n")

    def test_a_dangling_link_named_on_the_command_line_is_an_error(self):
        result = self.run_tool("tree/dangling")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, b"threadsum: tree/dangling: No such file or directory\n"
                                        b"threadsum: 1 could not be summed\n")


class Failures(ThreadsumTest):
    def test_a_missing_path_is_reported_and_the_others_are_summed(self):
        self.write("a")
        self.write("b")
        result = self.run_tool("a", "missing\n", "b")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, self.line("a") + self.line("b"))
        self.assertEqual(result.stderr, b"threadsum: missing\\n: No such file or directory\n"
                                        b"threadsum: 1 could not be summed\n")

    def test_a_file_that_fails_while_it_is_read_is_reported(self):
        self.write("a")
        result = self.run_tool("/proc/self/mem", "a")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, self.line("a"))
        self.assertEqual(result.stderr, b"threadsum: /proc/self/mem: Input/output error\n"
                                        b"threadsum: 1 could not be summed\n")

    def test_files_and_directories_without_permission_are_reported_in_order(self):
        for name in ("tree/a", "tree/b_secret", "tree/c/inside", "tree/d"):
            self.write(name)
        os.chmod(self.dir / "tree/b_secret", 0)
        os.chmod(self.dir / "tree/c", 0)
        self.addCleanup(os.chmod, self.dir / "tree/c", 0o700)
        result = self.run_tool("tree", preexec_fn=drop_root_powers)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, self.line("tree/a") + self.line("tree/d"))
        self.assertEqual(result.stderr, b"threadsum: tree/b_secret: Permission denied\n"
                                        b"threadsum: tree/c: Permission denied\n"
                                        b"threadsum: 2 could not be summed\n")

    def test_a_file_that_vanishes_during_the_walk_is_reported(self):
        # Nobody reads the output, so the tool comes to a halt some 300 files
        # after the pipe is full, long before the last one is opened.
        self.write_many(2000)
        process, pipe = self.start_tool_until_the_pipe_is_full("--threads", "1", "tree")
        (self.dir / "tree/01999").unlink()
        output = pipe.read()
        errors = process.stderr.read()
        self.assertEqual(process.wait(), 1)
        self.assertEqual(errors, b"threadsum: tree/01999: No such file or directory\n"
                                 b"threadsum: 1 could not be summed\n")
        self.assertEqual(output.count(b"\n"), 1999)
        self.assertTrue(self.sha256sum_accepts(output))

    def test_a_full_disk_is_reported(self):
        self.write("a")
        with open("/dev/full", "wb") as full:
            result = self.run_tool("a", stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, b"threadsum: standard output: No space left on device\n")

    def test_a_file_that_takes_no_more_ends_with_a_whole_line(self):
        self.write_many(1000)
        whole = self.run_tool("tree").stdout
        for limit in (1, 100, 5_000, 20_001):
            with self.subTest(limit=limit), open(self.dir / "sums", "wb") as sums:
                result = self.run_tool("tree", stdout=sums, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (limit, limit)))
                self.assertEqual(result.returncode, 1)
                self.assertEqual(result.stderr, b"threadsum: standard output: File too large\n")
                written = (self.dir / "sums").read_bytes()
                self.assert_whole_lines(written, whole)
                self.assertGreater(len(written), limit - 100)

    def test_a_reader_that_goes_away_is_reported(self):
        self.write_many(2000)
        process = self.start_tool("tree")
        process.stdout.read(10_000)
        process.stdout.close()
        errors = process.stderr.read()
        self.assertEqual(process.wait(), 1)
        self.assertEqual(errors, b"threadsum: standard output: Broken pipe\n")

    def test_a_closed_standard_output_is_reported(self):
        self.write("a")
        result = self.run_tool("a", preexec_fn=lambda: os.close(1))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, b"threadsum: standard output: Bad file descriptor\n")
        self.assertEqual((self.dir / "a").read_bytes(), b"content\n")

    @unittest.skipIf(SANITIZED, "a sanitizer needs more address space than the limit leaves")
    def test_threads_that_cannot_be_started_are_reported(self):
        self.write("a")
        gibibyte = 1 << 30
        result = self.run_tool("--threads", "1024", "a", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (gibibyte, gibibyte)))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, b"threadsum: can't start new thread\n")
        self.assertEqual(result.stdout, b"")


class CommandLine(ThreadsumTest):
    def test_help_and_version_go_to_standard_output(self):
        result = self.run_tool("--help")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        for option in (b"--threads", b"--open-files", b"--dump-every", b"--version", b"PATH"):
            self.assertIn(option, result.stdout)
        result = self.run_tool("--version")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertRegex(result.stdout, rb"\Athreadsum \d+\.\d+\.\d+\n\Z")

    def test_help_into_a_full_disk_fails(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.run_tool("--help", stdout=full).returncode, 1)

    def test_wrong_usage_has_exit_status_2_and_a_message(self):
        for arguments in (["--threads", "0"], ["--threads", "many"], ["--threads", "-1"],
                          ["--threads", "1025"], ["--threads"], ["--open-files", "0"],
                          ["--dump-every", "0"], ["--dump-every", "-1"],
                          ["--dump-every", "nan"], ["--dump-every", "inf"],
                          ["--dump-every", "1e300"], ["--dump-every", "soon"], ["--no-such"]):
            with self.subTest(arguments=arguments):
                result = self.run_tool(*arguments, ".")
                self.assertEqual((result.returncode, result.stdout), (2, b""))
                self.assertRegex(result.stderr, rb"\Athreadsum: .+\nTry: threadsum --help\n\Z")


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: MIT
"""A small tree of sources in a temporary folder, for a checker to find fault with."""

import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


class CheckerTest(unittest.TestCase):
    """Subclasses name their `tool`; findings() runs it over the files it is given."""

    tool = ""

    def findings(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(textwrap.dedent(text), encoding="utf-8")
            run = subprocess.run(
                [sys.executable, TOOLS / self.tool, "--root", folder], capture_output=True, text=True, check=False
            )
        found = run.stdout.splitlines()
        self.assertEqual(run.returncode, 1 if found else 0, run.stderr)
        return found

    def assert_found(self, files, *patterns):
        found = self.findings(files)
        self.assertEqual(len(found), len(patterns), found)
        for finding, pattern in zip(found, patterns):
            self.assertRegex(finding, pattern)

    def assert_clean(self, files):
        self.assertEqual(self.findings(files), [])

# SPDX-License-Identifier: MIT
"""Each patch of bench/variants still applies to this tree, and what it changes still compiles."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import rows  # noqa: E402
import variants  # noqa: E402

COMPILER = os.environ.get("CXX", "c++")


def users_of(folder, header, kind):
    lines = (f'#include "{header}"', f"#include <{header}>")
    return [path for path in folder.glob(f"src/*/*.{kind}")
            if any(line in path.read_text(encoding="utf-8") for line in lines)]


def units_of(folder, changed):
    """The changed .cpp files, and for each changed header the largest of those that include it, itself or by another header."""
    units = {name for name in changed if name.endswith(".cpp")}
    for header in (name.partition("/")[2] for name in changed if name.endswith(".hpp")):
        users = users_of(folder, header, "cpp")
        for other in users_of(folder, header, "hpp") if not users else []:
            users += users_of(folder, str(other.relative_to(folder / "src")), "cpp")
        if users:
            units.add(str(max(users, key=lambda path: path.stat().st_size).relative_to(folder)))
    return sorted(units)


class VariantsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def patched(self, variant):
        folder = self.path / variant.name
        variants.copy_sources(folder, ("include", "src"))
        return folder, variants.apply(variant.patch, folder)

    def compile(self, folder, units):
        words = [COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Isrc", *units]
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)

    def test_all_apply_and_compile(self):
        found = variants.read_all()
        self.assertGreater(len(found), 0)
        for variant in found:
            with self.subTest(variant.name):
                folder, changed = self.patched(variant)
                units = units_of(folder, changed)
                self.assertNotEqual(units, [])
                run = self.compile(folder, units)
                self.assertEqual(run.returncode, 0, run.stderr)

    def test_the_rows_of_all_are_rows(self):
        targets = {row.name: row.targets for row in rows.ROWS}
        for variant in variants.read_all():
            for row, placement in variant.rows:
                with self.subTest(variant.name, row=row):
                    self.assertIn(placement, {*targets[row], "late"})

    def test_one_that_no_longer_applies_is_found(self):
        patch = self.path / "late.patch"
        patch.write_text("--- a/src/one.cpp\n+++ b/src/one.cpp\n@@ -1,2 +1,2 @@\n int one();\n-int two();\n+int three();\n")
        for text, applies in (("int one();\nint two();\n", True), ("int one();\nint four();\n", False)):
            folder = self.path / str(applies)
            (folder / "src").mkdir(parents=True)
            (folder / "src/one.cpp").write_text(text)
            if applies:
                self.assertEqual(variants.apply(patch, folder), ["src/one.cpp"])
                self.assertIn("three", (folder / "src/one.cpp").read_text())
            else:
                with self.assertRaises(subprocess.CalledProcessError):
                    variants.apply(patch, folder)

    def test_a_variant_does_not_keep_what_another_has_changed(self):
        fresh, folder = self.path / "fresh", self.path / "built"
        for text in ("changed", "as it was"):
            shutil.rmtree(fresh, ignore_errors=True)
            (fresh / "src").mkdir(parents=True)
            (fresh / "src/one.cpp").write_text(text)
            (fresh / "src" / f"{text}.cpp").write_text("")
            variants.make_alike(folder, fresh)
            self.assertEqual((folder / "src/one.cpp").read_text(), text)
        self.assertEqual({path.name for path in (folder / "src").iterdir()}, {"one.cpp", "as it was.cpp"})

    def test_a_process_that_hangs_costs_its_own_row_only(self):
        variant = next(variant for variant in variants.read_all() if len(variant.rows) > 1)
        (hanging, _), *others = variant.rows

        def run(program, row, placement, milliseconds):
            if row == hanging:
                raise subprocess.TimeoutExpired(program, 120)
            return {"ns": 1.0}

        options = types.SimpleNamespace(build=self.path, variants=variant.name, build_only=False, seed=1, runs=1,
                                        milliseconds=1, quick=True, failures=[])
        with unittest.mock.patch.multiple(variants, run=run, build=lambda where, patch=None: where):
            lines = list(variants.measure(options))
        self.assertEqual([line.row for line in lines], [row for row, _ in others if row != hanging])
        self.assertEqual(len(options.failures), len(variant.rows) - len(lines))
        self.assertIn(f"{variant.name} {hanging} ", options.failures[0])


if __name__ == "__main__":
    unittest.main()

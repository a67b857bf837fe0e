# SPDX-License-Identifier: MIT
"""What the documents show is true: excerpts stand in the examples, other code compiles, links lead somewhere."""

import os
import re
import subprocess
import tempfile
import unittest

from documents import ROOT, blocks, documents, links

PRELUDE = """\
#include <threading/threading.hpp>
#include <unistd.h>
#include <chrono>
#include <iostream>
#include <mutex>
using namespace std::chrono_literals;
"""


def dedented(text):
    return [line.strip() for line in text.strip("\n").split("\n")]


def stands_in(excerpt, source):
    """Whether the lines stand in the source in one piece, however far they are indented."""
    wanted, lines = dedented(excerpt), dedented(source)
    return any(lines[i:i + len(wanted)] == wanted for i in range(len(lines)))


class Documents(unittest.TestCase):
    def test_every_excerpt_stands_in_the_file_that_it_names(self):
        for path in documents():
            for block in blocks(path):
                if block.mark and "/" in block.mark:
                    with self.subTest(block.where):
                        source = (ROOT / block.mark).read_text(encoding="utf-8")
                        self.assertTrue(stands_in(block.text, source), f"not in {block.mark}:\n{block.text}")

    def test_every_example_is_shown_or_listed_beside_the_python_originals(self):
        page = (ROOT / "docs/guide/examples.md").read_text(encoding="utf-8")
        for source in sorted(ROOT.glob("examples/[0-9]*.cpp")):
            with self.subTest(source.name):
                self.assertIn(source.stem, page)

    def test_links_lead_to_files_that_exist(self):
        for path in documents():
            for target in links(path):
                with self.subTest(document=path.relative_to(ROOT), link=target):
                    self.assertTrue((path.parent / target).exists())

    def test_every_page_is_listed_in_the_index(self):
        index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
        for folder in ("guide", "reference"):
            for page in sorted((ROOT / "docs" / folder).glob("*.md")):
                with self.subTest(page.relative_to(ROOT)):
                    self.assertIn(f"]({folder}/{page.name})", index)


class Snippets(unittest.TestCase):
    def test_code_that_is_no_excerpt_compiles(self):
        """That of the README and the guide, as one source: statements in a function each, `<!-- file scope -->` at
        namespace scope. Reference pages have synopses, design pages have sketches."""
        parts = [PRELUDE]
        for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/guide/*.md"))]:
            for block in blocks(path):
                if block.language != "cpp" or (block.mark and "/" in block.mark):
                    continue
                place = f'#line 1 "{block.where}"\n'
                parts[0] += "".join(re.findall(r"^#include .*\n", block.text, re.M))
                code = re.sub(r"^#include .*\n", "\n", block.text, flags=re.M)
                body = code if block.mark == "file scope" else f"void snippet() {{\n{place}{code}}}\n"
                parts.append(f"namespace snippet_{len(parts)} {{\n{place}{body}}}\n")
        self.assertGreater(len(parts), 1)
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "snippets.cpp")
            with open(source, "w", encoding="utf-8") as file:
                file.write("".join(parts))
            compiler = subprocess.run(
                [os.environ.get("CXX", "c++"), "-std=c++20", "-fsyntax-only", "-I", ROOT / "include", source],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(compiler.returncode, 0, compiler.stdout)


if __name__ == "__main__":
    unittest.main()

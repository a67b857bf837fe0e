# SPDX-License-Identifier: MIT
"""What is installed for readers leads nowhere but to what is installed."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "docs"))

from documents import links

INSTALLED = pathlib.Path(os.environ["THREADINGPP_DOCUMENTS"])


class InstalledDocuments(unittest.TestCase):
    def test_links_lead_to_files_that_are_installed(self):
        followed = 0
        for path in sorted(INSTALLED.glob("**/*.md")):
            for target in links(path):
                with self.subTest(document=path.relative_to(INSTALLED), link=target):
                    self.assertTrue((path.parent / target).exists())
                followed += 1
        self.assertGreater(followed, 20)


if __name__ == "__main__":
    unittest.main()

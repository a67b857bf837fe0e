# SPDX-License-Identifier: MIT
"""What ./dev installs, in a folder of its own, with a package manager and a build system that only pretend."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

DEV = pathlib.Path(__file__).resolve().parents[2] / "dev"

# Refuses a call that names a package of the file `refused`, as a whole; what it installs it adds to `installed`.
APT_GET = """#!/bin/sh
cd "$PRETENDED"
: >wanted
case " $* " in *" install "*) ;; *) exit 0 ;; esac
for word; do
  case $word in -* | install) continue ;; esac
  if grep -qxF -e "$word" refused; then echo "E: Unable to locate package $word" >&2; exit 100; fi
  echo "$word installed" >>wanted
done
cat wanted >>installed
"""


class DevTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        shutil.copy(DEV, self.path / "dev")
        (self.path / "bin").mkdir()
        self.pretend("apt-get", APT_GET)
        self.pretend("dpkg-query", '#!/bin/sh\ncat "$PRETENDED/installed"\n')
        self.pretend("sudo", '#!/bin/sh\nexec "$@"\n')
        for tool in ("cmake", "python3"):
            self.pretend(tool, "#!/bin/sh\n")

    def pretend(self, name, text):
        (self.path / "bin" / name).write_text(text, encoding="utf-8")
        (self.path / "bin" / name).chmod(0o755)

    def run_dev(self, *words, refused):
        (self.path / "installed").write_text("", encoding="utf-8")
        (self.path / "refused").write_text("".join(package + "\n" for package in refused), encoding="utf-8")
        environment = {**os.environ, "PATH": f"{self.path / 'bin'}:{os.environ['PATH']}", "PRETENDED": str(self.path)}
        run = subprocess.run([self.path / "dev", *words], env=environment, capture_output=True, text=True, check=False)
        return run, (self.path / "installed").read_text(encoding="utf-8").split()

    def test_one_peer_that_cannot_be_had_costs_no_other(self):
        run, installed = self.run_dev("bench", refused=["libnsync-dev"])
        self.assertEqual(run.returncode, 0, run.stderr)
        for package in ("libboost-thread-dev", "libabsl-dev", "libtbb-dev", "qtbase5-dev", "libpoco-dev"):
            self.assertIn(package, installed)
        self.assertIn("could not install libnsync-dev\n", run.stderr)
        self.assertIn("going on without some peers", run.stderr)

    def test_all_that_is_there_is_said_to_be(self):
        run, installed = self.run_dev("bench", refused=[])
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("libnsync-dev", installed)
        self.assertNotIn("could not install", run.stderr)

    def test_what_a_build_needs_stops_it(self):
        run, _ = self.run_dev("build", refused=["libcli11-dev"])
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("could not install libcli11-dev\n", run.stderr)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fuzz.py search PROGRAM CORPUS [--seconds S] [--keep]: lets a libFuzzer program look for inputs that break it.

It starts from the corpus, a text file with a line of hexadecimal digits for each input. Without --seconds it looks for as
long as THREADING_FUZZ_SECONDS says, or 5 seconds. An input that breaks the program is printed as such a line: put it into
the corpus, and every build replays it. With --keep the corpus becomes what reaches all that is known to be reachable, in
as few and as short inputs as the fuzzer can do with. The exit status is 0 if nothing broke.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HEADER = "# Inputs of a fuzz target; written by fuzz.py. See README.md in docs/verification.\n"


def read_corpus(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return [bytes.fromhex(line) for line in lines if line and not line.startswith("#")]


def write_corpus(path, inputs):
    lines = sorted({one.hex() for one in inputs if one}, key=lambda line: (len(line), line))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(line + "\n" for line in lines))


def read_folder(folder):
    return [file.read_bytes() for file in sorted(folder.iterdir())]


def search(program, folder, seconds):
    """Returns: the exit status, and the inputs that broke the program."""
    broken = folder / "broken"
    broken.mkdir()
    done = subprocess.run([program, f"-max_total_time={seconds}", "-timeout=60", "-max_len=256", "-len_control=20",
                           "-print_final_stats=1", f"-artifact_prefix={broken}/", str(folder / "inputs")],
                          stderr=subprocess.PIPE, text=True, errors="replace")
    print(done.stderr if done.returncode else "\n".join(done.stderr.splitlines()[-8:]), file=sys.stderr)
    return done.returncode, read_folder(broken)


def merge(program, folder):
    """Returns: inputs that reach as much as all of those in the folder."""
    least = folder / "least"
    least.mkdir()
    subprocess.run([program, "-set_cover_merge=1", "-use_counters=0", "-timeout=60", str(least), str(folder / "inputs")], check=True,
                   stderr=subprocess.DEVNULL)
    return read_folder(least)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["search"])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("THREADING_FUZZ_SECONDS", "5")))
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "inputs").mkdir()
        for number, one in enumerate(read_corpus(arguments.corpus)):
            (folder / "inputs" / f"kept{number:04}").write_bytes(one)
        status, broken = search(arguments.program.resolve(), folder, arguments.seconds)
        for one in broken:
            print(f"{arguments.program.name} breaks on this input; add it to {arguments.corpus}:\n{one.hex()}")
        if arguments.keep and status == 0:
            write_corpus(arguments.corpus, merge(arguments.program.resolve(), folder))
    return 1 if status or broken else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Switches on one seeded bug after the other and sees whether the lab notices.

    hunt.py TABLE PROGRAM [--only NUMBER]... [--jobs N]

Exits with 1 if one goes unnoticed. An entry says which scenarios are to find it; the first that fails is reported.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib

SECONDS_PER_SCENARIO = 20


def hunt(program, entry):
    command = [program, "--quiet", "--seconds", str(SECONDS_PER_SCENARIO), "--mutant", str(entry["number"])]
    for pattern in entry["scenarios"]:
        command += ["--scenario", pattern]
    begin = time.monotonic()
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        lines = result.stdout.splitlines() or [f"no output, status {result.returncode}"]
        return entry, result.returncode == 0, lines[-1], time.monotonic() - begin
    except subprocess.TimeoutExpired:
        return entry, False, "took too long", time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=pathlib.Path)
    parser.add_argument("program")
    parser.add_argument("--only", type=int, action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    entries = tomllib.loads(arguments.table.read_text())["mutant"]
    entries = list({entry["number"]: entry for entry in entries}.values())
    if arguments.only:
        entries = [entry for entry in entries if entry["number"] in arguments.only]
    alive = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for entry, noticed, words, seconds in pool.map(lambda entry: hunt(arguments.program, entry), entries):
            alive += not noticed
            verdict = "noticed" if noticed else "ALIVE  "
            print(f"{entry['number']:3} {verdict} {seconds:6.2f} s  {entry['name']}: {words}", flush=True)
    print(f"{len(entries) - alive} of {len(entries)} seeded bugs noticed")
    sys.exit(alive != 0)


if __name__ == "__main__":
    main()

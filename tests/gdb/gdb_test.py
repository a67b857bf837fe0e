# SPDX-License-Identifier: MIT
"""What gdb says about the objects of objects.cpp, whose path is in GDB_OBJECTS."""

import os
import pathlib
import re
import subprocess
import unittest

PRINTERS = pathlib.Path(__file__).resolve().parents[2] / "tools/gdb/threadingpp_gdb.py"

EXPECTED = {
    "free_lock": r"Lock\(unlocked\)",
    "held_lock": r'Lock\(held by gdb thread \d+ "holder"\)',
    "free_rlock": r"RLock\(unlocked\)",
    "held_rlock": r'RLock\(held by gdb thread 1 ".*", 2 times\)',
    "own_condition": r"Condition\(nobody waits, over RLock\(unlocked\)\)",
    "quiet_condition": r"Condition\(nobody waits, over Lock\(unlocked\)\)",
    "rlock_condition": r"Condition\(nobody waits, over RLock\(unlocked\)\)",
    "waited_condition": r'Condition\(threads wait, over Lock\(held by gdb thread \d+ "holder"\)\)',
    "waited_own_condition": r"Condition\(threads wait, over RLock\(unlocked\)\)",
    "semaphore": r"Semaphore\(value 2\)",
    "awaited": r"Semaphore\(value 0, threads wait\)",
    "bounded": r"BoundedSemaphore\(value 1, at most 2\)",
    "clear_event": r"Event\(clear\)",
    "set_event": r"Event\(set\)",
    "finish": r"Event\(clear, threads wait\)",
    "filling_barrier": r"Barrier\(filling, 1 of 3 have arrived\)",
    "broken_barrier": r"Barrier\(broken, 0 of 2 have arrived\)",
    "unstarted": r'Thread\("?unstarted"?, not started, daemon\)',
    "waiter": r'Thread\("?waiter"?, alive, ident \d+, native id \d+\)',
    "arriver": r"Thread\(Thread-\d+, alive, ident \d+, native id \d+\)",
    "pending": r"Thread\(Thread-\d+, alive, ident \d+\)",
    "fresh": r'Thread\("?fresh"?, not started\)',
    "ended": r'Thread\("?ended"?, ended, ident \d+.*\)',
}


class Printers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        commands = ["set pagination off", "set debuginfod enabled off", "set confirm off", f"source {PRINTERS}"]
        commands += ["break look", "run", "up"]
        for name in EXPECTED:
            commands += [f"echo \\n=={name}==", f"print {name}"]
        arguments = [part for command in commands for part in ("-ex", command)]
        run = subprocess.run(
            ["gdb", "-nx", "-batch", *arguments, "-ex", "kill", os.environ["GDB_OBJECTS"]],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        cls.output = run.stdout + run.stderr

    def test_each_object_is_told_as_it_is(self):
        for name, pattern in EXPECTED.items():
            with self.subTest(name):
                found = re.search(rf"^=={name}==(?:\$\d+ = )?(.*)$", self.output, re.M)
                self.assertIsNotNone(found, self.output)
                self.assertRegex(found[1], f"^{pattern}$", self.output if not found[1] else "")


if __name__ == "__main__":
    unittest.main()

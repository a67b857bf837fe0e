# SPDX-License-Identifier: MIT
"""When a target of the benchmarks counts as met, as missed, and as decided by chance; and which rows are measured again."""

import contextlib
import io
import pathlib
import random
import sys
import tempfile
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import run  # noqa: E402
import variants  # noqa: E402
from rows import LIMIT, OURS, Bounds, Curve, Row, Target  # noqa: E402
from verdicts import Measured, Verdict, central, summary  # noqa: E402


def steady(ns, **others):
    """Nine processes within 1 % of each other."""
    return measured([ns * (1 + percent / 1000) for percent in range(-4, 5)], **others)


def measured(times, **others):
    result = Measured()
    for ns in times:
        result.add(" ".join([f"ns={ns}", *(f"{key}={value}" for key, value in others.items())]))
    return result


def failed():
    return Measured()  # none of its processes said anything


def verdict(target, said, name="row"):
    return Verdict(Row(name, name, {"free": target}), "free", {(name, "free", rival): m for rival, m in said.items()})


class VerdictTest(unittest.TestCase):
    def expect(self, found, text, is_met, is_close):
        self.assertEqual((str(found), found.is_met, found.is_close), (text, is_met, is_close))
        self.assertTrue(found.is_judged)

    def test_met(self):
        found = verdict(Target(0.95, 1.05), {OURS: steady(80), "std": steady(100), LIMIT: steady(90)})
        self.expect(found, "met", True, False)

    def test_missed(self):
        self.expect(verdict(Target(0.95), {OURS: steady(100), "std": steady(100)}), "MISSES peer ≤ 0.95", False, False)

    def test_close_from_below(self):
        self.expect(verdict(Target(1.0), {OURS: steady(99.9), "std": steady(100)}), "met (within the error)", True, True)

    def test_close_from_above(self):
        found = verdict(Target(1.0), {OURS: steady(100.1), "std": steady(100)})
        self.expect(found, "MISSES peer ≤ 1.0 (within the error)", False, True)

    def test_a_part_that_misses_clearly_decides(self):
        for peer, limit, text in ((100, 90.02, "MISSES peer ≤ 0.5, limit ≤ 1.0 (within the error)"),
                                  (180.02, 60, "MISSES peer ≤ 0.5 (within the error), limit ≤ 1.0")):
            found = verdict(Target(0.5, 1.0), {OURS: steady(90.1), "std": steady(peer), LIMIT: steady(limit)})
            self.expect(found, text, False, False)

    def test_two_parts_that_are_close(self):
        found = verdict(Target(0.5, 1.0), {OURS: steady(90.1), "std": steady(180), LIMIT: steady(90)})
        self.expect(found, "MISSES peer ≤ 0.5 (within the error), limit ≤ 1.0 (within the error)", False, True)

    def test_a_part_that_is_met_closely_does_not_soften_one_that_is_missed(self):
        found = verdict(Target(0.5, 1.0), {OURS: steady(90), "std": steady(100), LIMIT: steady(90.1)})
        self.expect(found, "MISSES peer ≤ 0.5", False, False)

    def test_two_humps_are_not_taken_for_certainty(self):
        # Seven of nine are alike: the middle half says that there is no error at all.
        humps = measured([100] * 5 + [140] * 4)
        self.expect(verdict(Target(1.0), {OURS: humps, "std": steady(120)}), "met (within the error)", True, True)

    def test_the_fairness_filter(self):
        rivals = {OURS: steady(90, fairness=0.8), "greedy": steady(50, fairness=0.3), "std": steady(100, fairness=0.4)}
        found = verdict(Target(1.0, fair=True), rivals)
        self.assertEqual(found.best, "std")
        self.expect(found, "met", True, False)
        self.expect(verdict(Target(1.0), rivals), "MISSES peer ≤ 1.0", False, False)

    def test_a_lock_that_only_spins_is_a_peer_with_competition_only(self):
        rivals = {OURS: steady(90), "tbb-spin": steady(50), "std": steady(100)}
        self.assertEqual(verdict(Target(1.0), rivals).best, "std")
        self.assertEqual(verdict(Target(1.0), rivals, "contended_short_2").best, "tbb-spin")

    def test_designs_are_no_peers(self):
        self.assertEqual(verdict(Target(1.0), {OURS: steady(90), "design:x": steady(5), "std": steady(100)}).best, "std")

    def test_the_longest_wait_is_the_worst_of_all_processes(self):
        ours = steady(90, longest_ms=9)
        self.expect(verdict(Target(longest=10), {OURS: ours}), "met", True, False)
        ours.add("ns=90 longest_ms=10.5")
        self.expect(verdict(Target(longest=10), {OURS: ours}), "MISSES longest ms ≤ 10", False, False)
        found = verdict(Target(1.0, longest=10), {OURS: ours, "std": steady(89.95)})
        self.expect(found, "MISSES peer ≤ 1.0 (within the error), longest ms ≤ 10", False, False)

    def test_a_peer_that_is_named_counts_instead_of_the_best(self):
        rivals = {OURS: steady(15), "poco": steady(20), "asio": steady(100)}
        found = verdict(Target(0.2, against="asio"), rivals)
        self.assertEqual((found.best, found.to_peer), ("poco", 0.75))
        self.expect(found, "met, 0.15 of asio", True, False)
        self.assertTrue(found.may_be_best("asio"))
        rivals[OURS] = steady(30)
        self.expect(verdict(Target(0.2, against="asio"), rivals), "MISSES 0.30 of asio ≤ 0.2", False, False)
        del rivals["asio"]
        self.assertFalse(verdict(Target(0.2, against="asio"), rivals).is_judged)

    def test_ours_failed(self):
        found = verdict(Target(1.0), {OURS: failed(), "std": steady(100)})
        self.expect(found, "FAILED", False, False)

    def test_a_peer_failed(self):
        found = verdict(Target(1.0), {OURS: steady(90), "std": failed()})
        self.assertFalse(found.is_judged)
        self.assertEqual(str(found), "not judged: nothing to compare with")

    def test_what_was_not_measured_and_what_has_no_target(self):
        for found in (verdict(Target(1.0), {}), verdict(Target(), {OURS: steady(1), "std": steady(2)})):
            self.assertEqual((str(found), found.is_judged), ("", False))

    def test_more_processes_are_surer(self):
        few, many = measured([90, 95, 100, 105, 110]), measured([90, 95, 100, 105, 110] * 5)
        self.assertLess(central(few.medians())[0], central(many.medians())[0])
        one = measured([100])
        self.assertEqual(set(one.medians()), {100})
        one.add("ns=200")
        self.assertEqual(set(one.medians()), {100, 150, 200})

    def test_both_sides_are_drawn_independently(self):
        low, high = measured([90, 100, 110]).ratios(measured([90, 100, 110]))
        self.assertLess(low, 0.9)
        self.assertGreater(high, 1.1)

    def test_the_summary(self):
        std = {"std": steady(100)}
        ours = (steady(50), steady(99.9), steady(100.1), steady(200), failed())
        verdicts = [verdict(Target(1.0), {OURS: m, **std}) for m in ours] + [verdict(Target(), {OURS: steady(9)})]
        self.assertEqual(summary(verdicts), "2 of 5 targets met, 1 of them by less than the error of measurement; "
                                            "2 missed, 1 of them by less than the error; 1 FAILED")


class RunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.options = types.SimpleNamespace(
            rows="*", rivals="*", placements="one,free,apart", designs=False, milliseconds=1, runs=2, seed=1, publish=False,
            quick=True, failures=[], program=self.path / "rivals", out=self.path)

    def program(self, text):
        """A program in the place of the one that holds the rivals."""
        self.options.program.write_text(f"#!/bin/sh\n{text}\n")
        self.options.program.chmod(0o755)

    def measure_rows(self):
        text = io.StringIO()
        with mock.patch.object(run, "draw"), contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
            run.measure_rows(self.options)
        return text.getvalue()

    def test_only_rows_that_chance_may_have_decided_are_measured_again(self):
        self.program("for row in lock_pair try_held notify_idle; do\n"
                     f"for rival in {OURS} {LIMIT} std far as_good gone; do echo $row $rival; done; done")
        results = {}
        for row, ours in (("lock_pair", 95.05), ("try_held", 50), ("notify_idle", 200)):
            for rival, m in ((OURS, steady(ours)), (LIMIT, steady(1000)), ("std", steady(100)), ("far", steady(110)),
                             ("as_good", measured([90] + [101] * 8)), ("gone", failed())):
                results[(row, "free", rival)] = m
        again = [key for key, _ in run.close_jobs(self.options, results)]
        self.assertEqual(again, [("lock_pair", "free", OURS), ("lock_pair", "free", LIMIT), ("lock_pair", "free", "std")])
        # The same median with a wide error may be the best as well.
        results[("lock_pair", "free", "far")] = measured([80, 90, 95, 98, 110, 110, 112, 115, 120])
        self.assertIn(("lock_pair", "free", "far"), [key for key, _ in run.close_jobs(self.options, results)])

    def test_a_row_whose_processes_fail_is_shown_and_counted(self):
        self.program(f'case "$*" in --list) echo lock_pair {OURS}; echo lock_pair std; echo try_held {OURS}; echo try_held std ;;\n'
                     f'--sizes) echo Lock {OURS} 4 ;; "lock_pair {OURS} "*) echo oh dear >&2; exit 3 ;;\n'
                     f'*" {OURS} "*) echo ns=1 ;; *) echo ns=2 ;; esac')
        text = self.measure_rows()
        self.assertRegex(text, r"(?m)^lock and unlock +free .*FAILED$")
        self.assertIn("1 of 2 targets met, 0 of them by less than the error of measurement; 0 missed, "
                      "0 of them by less than the error; 1 FAILED", text)
        self.assertEqual(self.options.failures, [f"lock_pair {OURS} free 1: ended with 3: oh dear"] * 2)
        table = (self.path / "rows.csv").read_text(encoding="utf-8")
        self.assertIn("try_held,free,threading++,2,1.000", table)
        self.assertNotIn("lock_pair,free,threading++", table)

    def test_the_adversary_is_judged_in_each_placement(self):
        self.program(f'case "$*" in --list) echo adversary {OURS}; echo adversary std ;;\n'
                     f'"adversary {OURS} one 15000") echo ns=1 fairness=1 longest_ms=12 ;; *" std one "*) exit 1 ;;\n'
                     '*" std free "*) echo ns=1 fairness=0.5 longest_ms=20 ;; *) echo ns=1 fairness=1 longest_ms=9 ;; esac')
        self.options.adversary_milliseconds = 15000
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            run.measure_adversary(self.options)
        lines = (self.path / "adversary.md").read_text(encoding="utf-8").splitlines()[2:]
        self.assertEqual(lines, [f"| {OURS} | free | 1.00 | 1.00 | 9.00 | met |", "| std | free | 1.00 | 0.50 | 20.00 |  |",
                                 f"| {OURS} | one | 1.00 | 1.00 | 12.00 | MISSES longest ms ≤ 10 |", "| std | one | – | – | – | FAILED |"])
        self.assertEqual(len(self.options.failures), 1)

    def test_a_curve_whose_last_point_fails(self):
        curve = Curve("row", "title", (1, 100, 1000), "x", bounds=Bounds(growth=4))
        points = {1: steady(1), 100: steady(10)}
        self.assertEqual(run.curve_verdict(curve, points), "")
        for last, text in ((steady(40), "met"), (steady(41), "MISSES growth ≤ 4"), (failed(), "FAILED")):
            self.assertEqual(run.curve_verdict(curve, {**points, 1000: last}), text)
        self.assertEqual(run.curve_verdict(curve, {100: failed(), 1000: steady(10)}), "MISSES growth ≤ 4")

    def test_any_failure_ends_with_an_error(self):
        with contextlib.redirect_stdout(io.StringIO()), mock.patch.object(run, "arguments", return_value=self.options):
            self.options.variants = self.options.adversary = self.options.scale = self.options.instructions = None
            with mock.patch.object(run, "measure_rows", __name__="measure_rows"):
                run.main()
                self.options.failures.append("lock_pair std free 1: did not end")
                with self.assertRaisesRegex(SystemExit, "1 processes failed:\nlock_pair std free 1: did not end"):
                    run.main()


class VariantTest(unittest.TestCase):
    """Targets that compare the library with a variant of itself."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.options = types.SimpleNamespace(runs=9, milliseconds=1, quick=False)

    def variant(self, judge="Judge: 1.05 contended_*_2 free, lock_pair free\n"):
        path = self.path / "plain.patch"
        path.write_text(f"Rows: lock_pair free, try_held free\n{judge}Idea: one.\nWhy not: two.\n\n--- a/x\n")
        return variants.read(path)

    def compare(self, base, changed, row="lock_pair", judge=None):
        """base, changed: what each process says, in turn and again from the start."""
        said = {"base": 0, "changed": 0}

        def process(program, *_):
            said[program] += 1
            times = base if program == "base" else changed
            return {"ns": times[(said[program] - 1) % len(times)]}

        variant = self.variant() if judge is None else self.variant(judge)
        with mock.patch.object(variants, "run", process):
            line = variants.compare(variant, row, "free", ("base", "changed"), self.options, random.Random(1))
        return line, said["base"]

    def test_the_rows_that_are_judged(self):
        variant = self.variant()
        self.assertEqual(variant.bound, 1.05)
        self.assertEqual(variant.judged, [(f"contended_{shape}_2", "free") for shape in ("empty", "short", "light", "long")]
                         + [("lock_pair", "free")])
        self.assertEqual(variant.rows, [("lock_pair", "free"), ("try_held", "free"), *variant.judged[:-1]])
        self.assertEqual((self.variant("").judged, self.variant("").bound), ([], None))

    def test_the_library_is_judged_not_the_variant(self):
        for base, changed, text in ((80, 100, "met, 0.80 of plain"), (104, 100, "met, 1.04 of plain"),
                                    (106, 100, "MISSES 1.06 of plain ≤ 1.05")):
            line, rounds = self.compare([base], [changed])
            self.assertEqual((str(line.verdict), rounds), (text, 9))
            self.assertAlmostEqual(line.ratio, changed / base)

    def test_what_chance_may_have_decided_is_measured_again(self):
        line, rounds = self.compare([100, 104.9, 110], [100])
        self.assertEqual((str(line.verdict), rounds), ("met, 1.05 of plain (within the error)", 27))
        line, rounds = self.compare([100, 105.1, 110], [100])
        self.assertEqual((str(line.verdict), rounds), ("MISSES 1.05 of plain ≤ 1.05 (within the error)", 27))
        self.options.quick = True
        self.assertEqual(self.compare([100, 104.9, 110], [100])[1], 9)

    def test_a_mood_that_both_share_is_no_error(self):
        line, rounds = self.compare([50, 100, 200], [50, 100, 200])
        self.assertEqual((str(line.verdict), rounds), ("met, 1.00 of plain", 9))

    def test_a_row_without_a_target(self):
        for row, judge in (("try_held", None), ("lock_pair", "")):
            line, _ = self.compare([200], [100], row, judge)
            self.assertEqual((str(line.verdict), line.verdict.is_judged), ("", False))

    def test_lines_from_before_have_no_target(self):
        page = self.path / "page.md"
        page.write_text("| variant | row |\n|---|---|\n| no-spinning | one |\n| gone | one |\n")
        with mock.patch.object(variants, "read_all", return_value=[types.SimpleNamespace(name="no-spinning")]):
            self.assertEqual(variants.with_published(page, [("plain", "two", "met")]),
                             [("no-spinning", "one", ""), ("plain", "two", "met")])


if __name__ == "__main__":
    unittest.main()

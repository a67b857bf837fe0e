# SPDX-License-Identifier: MIT
"""What the processes of a row said: medians, how sure they are, and whether a target is met.

How sure: the processes are drawn again at random from those that ran, each as often as chance has it, and the medians are
taken of these. Nothing is presumed of how times are spread; on this machine many rows have two humps.
"""

import random
import statistics
from collections import defaultdict, namedtuple

from rows import LIMIT, OURS, Target

RESAMPLES = 2000


def central(values):
    """The ends of the middle 95 % of them."""
    values = sorted(values)
    cut = len(values) // 40
    return values[cut], values[-1 - cut]


class Measured:
    """What the processes of one (row, rival, placement) said."""

    def __init__(self):
        self.values = defaultdict(list)
        self.resampled = (0, [])  # of how many processes, and the medians

    def add(self, output):
        for pair in output.split():
            key, _, value = pair.partition("=")
            self.values[key].append(float(value))

    def median(self, key="ns"):
        return statistics.median(self.values[key]) if self.values[key] else None

    def worst(self, key):
        return max(self.values[key]) if self.values[key] else None

    def middle(self, key="ns"):
        values = sorted(self.values[key])
        return values[len(values) // 4], values[len(values) - 1 - len(values) // 4]

    def timed_by(self, key):
        """The same with another of its times in the place of "ns"."""
        other = Measured()
        other.values.update(self.values)
        other.values["ns"] = self.values[key]
        return other

    def spread(self):
        low, high = self.middle()
        return 100 * (high - low) / max(self.median(), 1e-9)

    def medians(self):
        """Of processes that were drawn again, the same ones for the same times."""
        times = self.values["ns"]
        if self.resampled[0] != len(times):
            chance = random.Random(1)
            self.resampled = len(times), [statistics.median(chance.choices(times, k=len(times))) for _ in range(RESAMPLES)]
        return self.resampled[1]

    def ratio(self, other):
        return self.median() / max(other.median(), 1e-3)

    def ratios(self, other):
        """The middle 95 % of the ratios of medians that were drawn again, independently of each other."""
        theirs = list(other.medians())
        random.Random(2).shuffle(theirs)
        return central(mine / max(their, 1e-3) for mine, their in zip(self.medians(), theirs))


def is_peer(rival):
    return rival not in (OURS, LIMIT) and not rival.startswith("design:")


# A part of a target. is_close: chance may have decided whether it is met.
Part = namedtuple("Part", "what bound found is_met is_close")


def part_of_ratios(what, bound, ratios):
    """Of a target for the median of ratios, each of two processes that ran one after the other."""
    found = Measured()
    found.values["ns"] = ratios
    low, high = central(found.medians())
    return Part(what, bound, found.median(), found.median() <= bound, low <= bound <= high)


class Judged:
    """What became of a target. named: of the parts, the one whose ratio is told in any case."""

    def __init__(self, parts, named=None, has_failed=False):
        self.parts = parts
        self.named = named
        self.has_failed = has_failed
        self.missed = [part for part in self.parts if not part.is_met]

    @property
    def is_judged(self):
        return bool(self.parts) or self.has_failed

    @property
    def is_met(self):
        return bool(self.parts) and not self.missed

    @property
    def is_close(self):
        """Whether chance may have decided whether the target is met. A part that is clearly missed decides it."""
        return all(part.is_close for part in self.missed) if self.missed else any(part.is_close for part in self.parts)

    def __str__(self):
        if self.has_failed:
            return "FAILED"
        if not self.parts:
            return ""
        if not self.missed:
            named = "".join(f", {part.found:.2f} of {part.what}" for part in self.parts if part.what == self.named)
            return "met" + named + (" (within the error)" if self.is_close else "")
        return "MISSES " + ", ".join(
            (f"{part.found:.2f} of {part.what}" if part.what == self.named else part.what) + f" ≤ {part.bound}"
            + (" (within the error)" if part.is_close else "") for part in self.missed)


class Verdict(Judged):
    """Our time in one row and placement against the best peer, or the one its target names, and the limit."""

    def __init__(self, row, placement, results):
        mine = {rival: m for (name, where, rival), m in results.items() if (name, where) == (row.name, placement)}
        self.rivals = {rival: m for rival, m in mine.items() if m.values["ns"]}
        self.ours = self.rivals.get(OURS)
        self.limit = self.rivals.get(LIMIT)
        self.target = row.targets.get(placement, Target())
        has_failed = self.ours is None and OURS in mine  # all our processes failed
        peers = {rival: m for rival, m in self.rivals.items() if is_peer(rival)}
        if not row.name.startswith("contended"):
            peers.pop("tbb-spin", None)  # it cannot sleep, so it need not ask whether to wake: no peer without competition
        if self.target.fair and self.ours:
            least = 0.5 * self.ours.median("fairness")
            peers = {rival: m for rival, m in peers.items() if m.median("fairness") >= least}
        self.best = min(peers, key=lambda rival: peers[rival].median()) if peers else None
        self.to_peer = self.ours.ratio(peers[self.best]) if self.ours and peers else None
        self.to_limit = self.ours.ratio(self.limit) if self.ours and self.limit else None
        against = peers.get(self.target.against or self.best)
        super().__init__(list(self.judge(against)) if self.ours else [], self.target.against, has_failed)

    def judge(self, peer):
        """Yields: the parts of the target that can be judged."""
        for what, bound, other in ((self.target.against or "peer", self.target.peer, peer),
                                   ("limit", self.target.limit, self.limit)):
            if bound is not None and other:
                low, high = self.ours.ratios(other)
                ratio = self.ours.ratio(other)
                yield Part(what, bound, ratio, ratio <= bound, low <= bound <= high)
        if self.target.longest:
            longest = self.ours.worst("longest_ms")
            yield Part("longest ms", self.target.longest, longest, longest <= self.target.longest, False)

    def may_be_best(self, rival):
        """Whether the row might be judged otherwise if this rival were measured again."""
        if not is_peer(rival) or self.best is None or rival in (self.best, self.target.against):
            return True
        if rival not in self.rivals:
            return False
        return central(self.rivals[rival].medians())[0] <= central(self.rivals[self.best].medians())[1]

    def __str__(self):
        if self.is_judged or self.ours is None or (self.target.peer, self.target.limit) == (None, None):
            return super().__str__()
        return "not judged: nothing to compare with"


def summary(verdicts):
    """How many targets are met, and how surely."""
    judged = [verdict for verdict in verdicts if verdict.is_judged]
    met = [verdict for verdict in judged if verdict.is_met]
    missed = [verdict for verdict in judged if verdict.missed]
    failed = len(judged) - len(met) - len(missed)
    return (f"{len(met)} of {len(judged)} targets met, {sum(verdict.is_close for verdict in met)} of them by less than the error "
            f"of measurement; {len(missed)} missed, {sum(verdict.is_close for verdict in missed)} of them by less than the error"
            + (f"; {failed} FAILED" if failed else ""))

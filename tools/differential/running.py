"""Runs cases and counts: a block is one datafile and its callers, made from the seed and its number alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing import get_context
from random import Random

from tools.differential import ours
from tools.differential.answers import Answer, Case, differing
from tools.differential.people import person
from tools.differential.reference import Reference
from tools.differential.rulings import Explainer
from tools.differential.writing import write

PEOPLE_OF_A_DATAFILE = 12
BLOCKS_OF_A_CHUNK = 20
UNEXPLAINED_KEPT = 5
"""Differences that are kept whole, to be cut down and printed; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A case in which the two engines do not say the same, and no ruling says why."""

    case: Case
    ours: Answer
    theirs: Answer

    @property
    def fields(self) -> frozenset[str]:
        """What differs."""
        return differing(self.ours, self.theirs)


@dataclass(slots=True)
class Tally:
    """What was run. `rulings` counts cases by the rulings that explain them, `R7+R9` when it takes two."""

    cases: int = 0
    datafiles: int = 0
    differences: int = 0
    unexplained: int = 0
    rulings: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    kept: list[Difference] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        self.cases += other.cases
        self.datafiles += other.datafiles
        self.differences += other.differences
        self.unexplained += other.unexplained
        self.rulings.update(other.rulings)
        self.features.update(other.features)
        self.kept = (self.kept + other.kept)[:UNEXPLAINED_KEPT]


def run(cases: int, seed: int, processes: int = 1, engine: ours.Decide = ours.decide) -> Iterator[Tally]:
    """Run at least so many cases, a chunk at a time; the same ones whatever the number of processes."""
    done = 0
    for tally in _chunks(seed, processes, engine):
        yield tally
        done += tally.cases
        if done >= cases:
            return


def _chunks(seed: int, processes: int, engine: ours.Decide) -> Iterator[Tally]:
    if processes == 1:
        yield from (chunk(seed, number, engine) for number in count())
        return
    with get_context("fork").Pool(processes) as pool:
        numbers = count()
        # Why in batches: imap would take all of the numbers at once.
        while True:
            batch = [(seed, number, engine) for number in islice(numbers, processes * 4)]
            yield from pool.starmap(chunk, batch, chunksize=1)


def chunk(seed: int, number: int, engine: ours.Decide) -> Tally:
    """Twenty datafiles and their callers."""
    tally = Tally()
    for block in range(number * BLOCKS_OF_A_CHUNK, (number + 1) * BLOCKS_OF_A_CHUNK):
        _run_block(Random(f"{seed}/{block}"), tally, engine)
    return tally


def _run_block(choice: Random, tally: Tally, engine: ours.Decide) -> None:
    written = write(choice)
    reference = Reference(written.datafile)
    explainer = Explainer(written.datafile)
    compiled = ours.compiled(written.datafile)
    tally.datafiles += 1
    for _ in range(PEOPLE_OF_A_DATAFILE):
        features = set(written.features)
        somebody = person(choice, written.names, features)
        for flag_key in (*written.names.flag_keys, *(["unknown"] if choice.random() < 0.05 else [])):
            tally.cases += 1
            mine, reason = ours.answer(engine, compiled, somebody, flag_key)
            theirs = reference.answer(somebody, flag_key)
            tally.features.update(features)
            tally.features.update(outcome(mine, reason))
            if mine == theirs:
                continue
            tally.differences += 1
            why = explainer.explain(mine, theirs, somebody, flag_key)
            if why:
                tally.rulings["+".join(why)] += 1
                continue
            tally.unexplained += 1
            if len(tally.kept) < UNEXPLAINED_KEPT:
                case = Case(datafile=written.datafile, person=somebody, flag_key=flag_key)
                tally.kept.append(Difference(case=case, ours=mine, theirs=theirs))


def outcome(answer: Answer, reason: str | None) -> Iterator[str]:
    """What became of a case, as features of it."""
    yield f"reason: {reason or answer.problem}"
    yield f"impressions: {len(answer.impressions)}"
    if answer.saved:
        yield "outcome: saved to the profile"
    if answer.left_out:
        yield "outcome: left out, not enabled"


def compare(case: Case, engine: ours.Decide = ours.decide) -> Difference | None:
    """One case by itself; None when the engines agree or a ruling says why they do not."""
    mine, _ = ours.answer(engine, ours.compiled(case.datafile), case.person, case.flag_key)
    theirs = Reference(case.datafile).answer(case.person, case.flag_key)
    if mine == theirs or Explainer(case.datafile).explain(mine, theirs, case.person, case.flag_key):
        return None
    return Difference(case=case, ours=mine, theirs=theirs)

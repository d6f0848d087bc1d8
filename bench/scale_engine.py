"""Bucketing at scale, and what a decision costs as flags grow: `python -m bench.scale_engine [--ids N] [--linear]`.

Shares of variations and independence of experiments are chi-square statistics against their 99.9 % bound. The hash is
taken from mmh3 as `sidecar.decision.bucketing` takes it, without the calls around it; a sample is checked against that.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import mmh3

from sidecar.decision import CompiledDatafile, User, bucket, load

BUCKETS: Final = 10_000
EXPERIMENTS: Final[dict[str, tuple[int, ...]]] = {
    "exp-1": (5_000, 10_000),
    "exp-2": (2_000, 4_000, 6_000, 8_000, 10_000),
    "exp-3": (100, 1_000, 10_000),
    "20914452332": (3_333, 6_667, 10_000),
}
"""Experiment ids and the ends of their ranges."""
PAIRS: Final = (("exp-1", "exp-2"), ("exp-1", "20914452332"), ("exp-2", "exp-3"))
SHORT_IDS: Final = 200_000
GROWTH_MAX: Final = 1.25
"""How much the time of each flag may grow from the last number of flags but one to the last, twice as many.

Why not from the first: fifty flags fit a core's own cache and thousands do not, which doubles the time of each once.
"""
FLAGS: Final = (50, 500, 2_500, 5_000)
COUNTRIES: Final = ("us", "de", "fr")
_SEED: Final = 1
# The 0.999 quantiles of chi-square for 1 to 12 degrees of freedom. Source: NIST/SEMATECH e-Handbook, 1.3.6.7.4.
_QUANTILES: Final = (10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.125, 27.877, 29.588, 31.264, 32.910)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Counts of a table against what is expected of them."""

    name: str
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    freedom: int

    @property
    def chi_square(self) -> float:
        """The statistic."""
        return sum((seen - wanted) ** 2 / wanted for seen, wanted in zip(self.counts, self.expected, strict=True))

    @property
    def bound(self) -> float:
        """What a fair table exceeds once in a thousand."""
        return _QUANTILES[self.freedom - 1]

    def of(self, counts: Sequence[int]) -> Measure:
        """The same table with other counts."""
        return replace(self, counts=tuple(counts))


def _hashed(experiment_id: str, ids: range) -> Iterator[int]:
    hashed, entity = mmh3.hash, experiment_id
    for number in ids:
        yield hashed(f"user-{number}{entity}", _SEED, False) * BUCKETS >> 32  # noqa: FBT003 - mmh3 takes it by position


def _count_share(experiment_id: str, ids: range) -> list[int]:
    """Ids in each range of one experiment."""
    in_bucket = [0] * BUCKETS
    for place in _hashed(experiment_id, ids):
        in_bucket[place] += 1
    ends = EXPERIMENTS[experiment_id]
    return [sum(in_bucket[start:end]) for start, end in zip((0, *ends), ends, strict=False)]


def _count_pair(pair: tuple[str, str], ids: range) -> list[int]:
    """Ids in each pair of ranges of two experiments."""
    first, second = pair
    ends, others = EXPERIMENTS[first], EXPERIMENTS[second]
    counts = [0] * (len(ends) * len(others))
    for one, other in zip(_hashed(first, ids), _hashed(second, ids), strict=True):
        counts[bisect_right(ends, one) * len(others) + bisect_right(others, other)] += 1
    return counts


def _parts(ids: int, processes: int) -> list[range]:
    size = -(-ids // processes)
    return [range(start, min(ids, start + size)) for start in range(0, ids, size)]


def _check(ids: int) -> None:
    """That the short way to a bucket is the engine's."""
    for experiment_id in EXPERIMENTS:
        some = range(0, ids, max(1, ids // 100))
        for number, place in zip(some, _hashed(experiment_id, some), strict=True):
            assert bucket(f"user-{number}", experiment_id) == place


def _widths(experiment_id: str) -> list[float]:
    ends = EXPERIMENTS[experiment_id]
    return [(end - start) / BUCKETS for start, end in zip((0, *ends), ends, strict=False)]


def _share(experiment_id: str, ids: int, counts: Sequence[int]) -> Measure:
    widths = _widths(experiment_id)
    return Measure(
        name=f"shares of {experiment_id}",
        counts=tuple(counts),
        expected=tuple(width * ids for width in widths),
        freedom=len(widths) - 1,
    )


def _pair(pair: tuple[str, str], ids: int, counts: Sequence[int]) -> Measure:
    ours, theirs = (_widths(one) for one in pair)
    # Rows and columns as counted, so that a share a little off is not held against independence.
    rows = [sum(counts[row * len(theirs) : (row + 1) * len(theirs)]) for row in range(len(ours))]
    columns = [sum(counts[column :: len(theirs)]) for column in range(len(theirs))]
    return Measure(
        name=f"independence of {pair[0]} and {pair[1]}",
        counts=tuple(counts),
        expected=tuple(row * column / ids for row in rows for column in columns),
        freedom=(len(ours) - 1) * (len(theirs) - 1),
    )


def shares(ids: int) -> list[Measure]:
    """Every experiment's shares, in this process."""
    _check(ids)
    return [_share(one, ids, _count_share(one, range(ids))) for one in EXPERIMENTS]


def independence(ids: int, pairs: Sequence[tuple[str, str]] = PAIRS) -> list[Measure]:
    """Pairs of experiments, in this process."""
    return [_pair(one, ids, _count_pair(one, range(ids))) for one in pairs]


def measured(ids: int, processes: int) -> list[Measure]:
    """All of it, over processes."""
    _check(ids)
    parts = _parts(ids, processes)
    with ProcessPoolExecutor(processes) as pool:
        singles = {one: pool.map(partial(_count_share, one), parts) for one in EXPERIMENTS}
        doubles = {pair: pool.map(partial(_count_pair, pair), parts) for pair in PAIRS}
        added = [_share(one, ids, _sum(counts)) for one, counts in singles.items()]
        return added + [_pair(pair, ids, _sum(counts)) for pair, counts in doubles.items()]


def _sum(counts: Iterator[list[int]]) -> list[int]:
    return [sum(column) for column in zip(*counts, strict=True)]


def long_table(ids: int, processes: int) -> list[str]:
    """A row for each measure."""
    rows = measured(ids, processes)
    head = f"{format(ids, ',') + ' ids':40}{'chi-square':>12}{'bound':>9}"
    return [head, *(f"{one.name:40}{one.chi_square:12.2f}{one.bound:9.2f}" for one in rows)]


def flags_datafile(count: int) -> CompiledDatafile:
    """So many flags, each with an experiment behind a typed audience of three leaves, and a delivery."""
    everybody = [{"entityId": "v", "endOfRange": BUCKETS}]
    on = [{"id": "v", "key": "on", "featureEnabled": True, "variables": []}]

    def rule(id_: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        shared = {"layerId": "l", "audienceIds": [], "forcedVariations": {}}
        return {
            "id": id_,
            "key": id_,
            "status": "Running",
            "variations": on,
            "trafficAllocation": everybody,
            **shared,
            **more,
        }

    leaf = {"type": "custom_attribute", "match": "exact", "name": "country", "value": "us"}
    older = {"type": "custom_attribute", "match": "gt", "name": "age", "value": 18}
    paid = {"type": "custom_attribute", "match": "exact", "name": "plan", "value": "pro"}
    document = {
        "version": "4",
        "revision": "1",
        "accountId": "1",
        "projectId": "1",
        "featureFlags": [
            {"id": f"f{n}", "key": f"f{n}", "experimentIds": [f"e{n}"], "rolloutId": f"r{n}", "variables": []}
            for n in range(count)
        ],
        "experiments": [rule(f"e{n}", audienceIds=["a"]) for n in range(count)],
        "rollouts": [{"id": f"r{n}", "experiments": [rule(f"d{n}")]} for n in range(count)],
        "typedAudiences": [{"id": "a", "name": "a", "conditions": ["and", leaf, older, paid]}],
    }
    return load(json.dumps(document).encode())


def time_per_flag_us(sizes: Sequence[int] = FLAGS, rounds: int = 9) -> list[float]:
    """CPU for each flag of `decide_keys` of all flags; the best of rounds taken in turns, one size after the other."""
    datafiles = [flags_datafile(size) for size in sizes]
    users = [User(f"user-{n}", {"country": COUNTRIES[n % 3], "age": 30, "plan": "pro"}) for n in range(6)]
    taken: list[list[float]] = [[] for _ in sizes]
    gc.collect()
    for _ in range(rounds + 1):
        for size, datafile, times in zip(sizes, datafiles, taken, strict=True):
            repeats = max(1, max(sizes) // size // len(users))
            started = time.process_time()
            for _ in range(repeats):
                for user in users:
                    datafile.decide_keys(user)
            times.append((time.process_time() - started) / (repeats * len(users) * size) * 1e6)
    # Why the best: what the rounds differ by is what else the machine did, which evicts the larger datafile's lines.
    return [min(times) for times in taken]


def main() -> None:
    """Print the tables; leave with 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale_engine", description=__doc__)
    parser.add_argument("--ids", type=int, default=SHORT_IDS, help="ids to bucket; 0 leaves this part out")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--linear", action="store_true", help="measure the time of each flag at 50 to 5,000 flags")
    arguments = parser.parse_args()
    missed = False
    if arguments.ids:
        rows = long_table(arguments.ids, arguments.processes)
        print("\n".join(rows))
        missed = any(float(row[40:52]) >= float(row[52:]) for row in rows[1:])
    if arguments.linear:
        times = time_per_flag_us()
        for size, spent in zip(FLAGS, times, strict=True):
            print(f"{f'{size:,} flags, µs each':40}{spent:12.2f}{spent / times[0]:9.2f}")
        missed = missed or times[-1] > GROWTH_MAX * times[-2]
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()

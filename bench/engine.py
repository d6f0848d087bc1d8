"""The price of one decision, against optimizely-sdk in turns in one process, and of a large datafile.

Run as `python -m bench.engine [--short]`; leaves with 1 when a bound is missed. The SDK makes its impression and
hands it to a processor that drops it; ours is in the decision.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

from optimizely import logger, optimizely
from optimizely.event.event_processor import BaseEventProcessor
from optimizely.helpers.sdk_settings import OptimizelySdkSettings

from sidecar.decision import CompiledDatafile, User, load

BOUND: Final = 30
LARGE_BYTES: Final = 10_000_000
COMPILE_S_MAX: Final = 1.5
MEMORY_RATIO_MAX: Final = 6
DATAFILE: Final = Path(__file__).parent.parent / "tests" / "vectors" / "datafile_20_flags.json"
Person: TypeAlias = tuple[str, Any]
"""A user id and attributes; Any, because the SDK types its attributes as a mutable union."""
Json: TypeAlias = Any
"""Any JSON value."""
_COUNTRIES: Final = ("us", "de", "fr")


class _Dropped(BaseEventProcessor):
    """An event processor that drops what it is given."""

    def process(self, user_event: object) -> None:
        """Take the event that the SDK made."""


def people(count: int) -> list[Person]:
    """Users of whom a third fail the audience by country."""
    return [
        (f"user-{index}", {"country": _COUNTRIES[index % 3], "age": 20 + index % 50, "plan": "pro"})
        for index in range(count)
    ]


def _sdk() -> optimizely.Optimizely:
    client = optimizely.Optimizely(
        datafile=DATAFILE.read_text(),
        logger=logger.NoOpLogger(),
        event_processor=_Dropped(),
        settings=OptimizelySdkSettings(odp_disabled=True),
    )
    assert client.config_manager.get_config() is not None
    return client


def _cost_us(decide: Callable[[Any, str], object], users: Sequence[Any], flag_keys: Sequence[str]) -> float:
    """CPU per decision, each user asking for one flag after another."""
    started = time.process_time()
    for index, user in enumerate(users):
        decide(user, flag_keys[index % len(flag_keys)])
    return (time.process_time() - started) / len(users) * 1e6


def compare(compiled: CompiledDatafile, *, rounds: int, ours_n: int, theirs_n: int) -> list[tuple[str, float, float]]:
    """Medians of alternating rounds as (what, ours µs, theirs µs).

    Once with users made ahead, once with users made in the call.
    """
    client = _sdk()
    keys = list(compiled.flags)
    ours_people, their_people = people(ours_n), people(theirs_n)
    our_users = [User(user_id, attributes) for user_id, attributes in ours_people]
    their_users = [client.create_user_context(user_id, attributes) for user_id, attributes in their_people]

    def made_here(person: Person, key: str) -> object:
        return compiled.decide(User(person[0], person[1]), key)

    def made_there(person: Person, key: str) -> object:
        user: Any = client.create_user_context(person[0], person[1])
        return user.decide(key)

    pairs = (
        ("user at hand", compiled.decide, our_users, lambda user, key: user.decide(key), their_users),
        ("user made in the call", made_here, ours_people, made_there, their_people),
    )
    rows = []
    for name, ours, our_side, theirs, their_side in pairs:
        mine, yours = [], []
        for _ in range(rounds):
            mine.append(_cost_us(ours, our_side, keys))
            yours.append(_cost_us(theirs, their_side, keys))
        rows.append((name, median(mine), median(yours)))
    return rows


def large_datafile(size_bytes: int) -> bytes:
    """A synthetic datafile of about this size.

    The benchmark's flags again and again under other keys and ids.
    """
    small = json.loads(DATAFILE.read_text())
    sections = ("featureFlags", "experiments", "rollouts", "typedAudiences", "audiences")
    text = {section: json.dumps(small[section]) for section in sections}
    copies = size_bytes // sum(len(part) for part in text.values())
    large: dict[str, Any] = {**small, **{section: [] for section in sections}}
    renamed = (
        "id",
        "key",
        "entityId",
        "layerId",
        "rolloutId",
        "experimentIds",
        "audienceIds",
        "audienceConditions",
    )
    for copy in range(copies):
        for section in sections:
            large[section].extend(_renamed(json.loads(text[section]), f"c{copy}", renamed))
    return json.dumps(large).encode()


def _renamed(node: Json, prefix: str, names: Sequence[str], *, here: bool = False) -> Json:
    if isinstance(node, dict):
        kept = "match" in node
        return {
            key: value if kept else _renamed(value, prefix, names, here=key in names) for key, value in node.items()
        }
    if isinstance(node, list):
        return [_renamed(child, prefix, names, here=here) for child in node]
    return f"{prefix}{node}" if here and isinstance(node, str) and node not in ("or", "and", "not") else node


def load_cost(body: bytes, *, rounds: int) -> tuple[float, float, float]:
    """Seconds to parse and compile, and bytes kept and at the peak, per byte of datafile, body included."""
    seconds = []
    for _ in range(rounds):
        gc.collect()
        started = time.process_time()
        compiled = load(body)
        seconds.append(time.process_time() - started)
        del compiled
    gc.collect()
    tracemalloc.start()
    kept = load(body)
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept.flags) > 1_000
    assert not kept.warnings
    return min(seconds), 1 + now / len(body), 1 + peak / len(body)


def main() -> None:
    """Print the table; leave with 1 when a bound is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the work, for a quick look")
    short = parser.parse_args().short
    compiled = load(DATAFILE.read_bytes())
    rows = compare(compiled, rounds=5 if short else 21, ours_n=20_000, theirs_n=300 if short else 1_000)
    print(f"{'one flag, CPU per decision':32}{'ours µs':>10}{'SDK µs':>10}{'ratio':>8}{'bound':>7}")
    for name, ours, theirs in rows:
        print(f"{name:32}{ours:10.2f}{theirs:10.1f}{theirs / ours:8.1f}{BOUND:7}")
    body = large_datafile(LARGE_BYTES)
    seconds, kept, peak = load_cost(body, rounds=1 if short else 5)
    print(f"\n{'datafile of ' + format(len(body) / 1e6, '.1f') + ' MB':32}{'measured':>10}{'bound':>10}")
    print(f"{'parse and compile, s':32}{seconds:10.2f}{COMPILE_S_MAX:10.1f}")
    print(f"{'kept, times its size':32}{kept:10.2f}{MEMORY_RATIO_MAX:10}")
    print(f"{'at the peak, times its size':32}{peak:10.2f}{'':>10}")
    missed = rows[0][2] / rows[0][1] < BOUND or seconds > COMPILE_S_MAX or kept > MEMORY_RATIO_MAX
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()

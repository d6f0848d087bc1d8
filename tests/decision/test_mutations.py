"""Damaged datafiles: rejected in one way only, and whatever compiles decides without raising, for anybody."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.engine import large_datafile
from sidecar.decision import Trace, User, load
from sidecar.errors import DatafileRejected
from tests.decision.building import document, everyone_else, exact, flag, holdout, rule, variation

SAMPLE = Path(__file__).parent.parent / "vectors" / "datafile_20_flags.json"


def rich() -> dict[str, Any]:
    """A datafile with something of everything."""
    variables = [
        {"id": f"k{kind}", "key": kind, "type": kind, "defaultValue": "1"} for kind in ("integer", "json", "double")
    ]
    on = variation("701", "on", variables=[{"id": "kjson", "value": '{"a": [1]}'}])
    audience = {"id": "1", "name": "a", "conditions": ["or", exact("x", "s"), ["not", exact("y", 5)]]}
    group = {
        "id": "g",
        "policy": "random",
        "trafficAllocation": [{"entityId": "720", "endOfRange": 5_000}],
        "experiments": [rule("720", "grouped")],
    }
    return document(
        featureFlags=[flag(variables=variables, experimentIds=["700", "720", "730"]), flag("g")],
        experiments=[
            rule(variations=[on], audienceIds=["1"]),
            rule("730", "fr", type="fr", trafficAllocation=[]),
        ],
        groups=[group],
        holdouts=[holdout(excludeTargetedDeliveries=True, trafficAllocation=[])],
        localHoldouts=[holdout("600", "local", includedRules=["700"], audienceConditions=["or", "1"])],
        rollouts=[{"id": "ro", "experiments": [rule("800", "tr", audienceIds=["1"]), everyone_else()]}],
        typedAudiences=[audience],
        audiences=[{"id": "2", "name": "b", "conditions": '["or", {"name": "x"}]'}],
    )


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


PLACES = list(places(rich()))
ABSENT = "absent"
damage: st.SearchStrategy[Any] = st.sampled_from(
    [
        ABSENT,
        None,
        True,
        0,
        -1,
        2.5,
        2**70,
        "",
        "700",
        "text",
        [],
        {},
        [[]],
        ["or", ["and"]],
        {"id": "700"},
        [None],
        ["xor", 5],
    ]
)


def damaged(changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    body = copy.deepcopy(rich())
    for path, value in changes:
        node: Any = body
        try:
            for key in path[:-1]:
                node = node[key]
            if value == ABSENT:
                del node[path[-1]]
            else:
                node[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    return body


PEOPLE = [
    User("u"),
    User("", {"x": "s", "y": float("nan"), "$opt_bucketing_id": "b"}, frozenset({"s"})),
    User("u", {"x": [1], "y": {}}, None, {("f", ""): "on", ("f", "exp"): "on"}, {"700": "701"}, {"700": "701"}),
    User("u2", {}, None, {("f", "tr"): "off", ("g", "ee"): "rest"}),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), damage), min_size=1, max_size=4))
def test_a_damaged_datafile_is_rejected_or_decides_everything(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    try:
        datafile = load(json.dumps(damaged(changes)).encode())
    except DatafileRejected:
        return
    for user in PEOPLE:
        for decision in datafile.decide_keys(user):
            assert datafile.decide(user, decision.flag_key, Trace()) is decision
    datafile.describe()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3_000), st.binary(max_size=3))
def test_damaged_bytes_are_rejected_or_decide_everything(place: int, noise: bytes) -> None:
    body = json.dumps(rich()).encode()
    try:
        datafile = load(body[:place] + noise + body[place + len(noise) :])
    except DatafileRejected:
        return
    for user in PEOPLE:
        datafile.decide_keys(user)


def test_deciding_leaves_the_datafile_as_it_was() -> None:
    datafile = load(json.dumps(rich()).encode())
    first = {user.user_id: datafile.decide_keys(user) for user in PEOPLE}
    before = json.dumps([dict(decision.variables) for one in first.values() for decision in one])
    for index in range(300):
        datafile.decide_keys(User(f"u{index}", {"x": "s"}, None, {("f", "exp"): "off"}))
    assert {user.user_id: datafile.decide_keys(user) for user in PEOPLE} == first
    assert json.dumps([dict(decision.variables) for one in first.values() for decision in one]) == before


KEPT = """
import gc, sys, tracemalloc
from sidecar.decision import load
body = sys.stdin.buffer.read()
tracemalloc.start()
datafile = load(body)
gc.collect()
print(tracemalloc.get_traced_memory()[0])
"""


def test_a_datafile_keeps_less_than_six_times_its_size() -> None:
    body = large_datafile(1_000_000)
    # Why a process of its own: tracing counts every allocation of the process, other tests' leftovers and threads too.
    kept = int(subprocess.run([sys.executable, "-c", KEPT], input=body, capture_output=True, check=True).stdout)
    datafile = load(body)
    assert len(datafile.flags) > 400
    assert len(body) + kept < 6 * len(body)


def test_ten_thousand_decisions_keep_nothing() -> None:
    datafile = load(SAMPLE.read_bytes())
    people = [User(f"u{index}", {"country": "us", "age": index % 90}) for index in range(500)]
    for user in people:
        datafile.decide_keys(user)
    tracemalloc.start()
    for user in people:
        datafile.decide_keys(user)
        datafile.decide(user, f"unknown {user.user_id}")
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 10_000

"""The decider over a fake outbox: what it offers, counts and remembers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sidecar.datafiles import Snapshot
from sidecar.datafiles.build import Compiler
from sidecar.decider import Decider, RecentIds
from sidecar.decision import User, load
from sidecar.forced import ForcedVariations
from sidecar.notifications import Notifications
from sidecar.ports import Record
from sidecar.rpc.answers import AnswerCodec
from sidecar.rpc.records import StoredRecordCodec
from sidecar.telemetry import Telemetry
from tests.decision.building import document, flag


class OfferedOutbox:
    """Keeps what it is offered, or refuses it; nothing else of an outbox is there to be called."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.offered: list[Record] = []

    def offer(self, record: Record) -> bool:
        self.offered.append(record)
        return self.takes


class CountedIds:
    def __init__(self) -> None:
        self.made = 0

    def new(self) -> str:
        self.made += 1
        return f"made-{self.made}"


class StoppedClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    compiler = Compiler(load=load, codec=AnswerCodec(), encode_facts=StoredRecordCodec().encode_facts)
    return compiler.snapshot("one", json.dumps(document(featureFlags=[flag("a"), flag("b")])).encode(), 0)


def a_decider(outbox: Any, telemetry: Telemetry, to: Mapping[str, Sequence[str]] | None = None) -> Decider:
    return Decider(
        outbox=outbox,
        codec=AnswerCodec(),
        clock=StoppedClock(),
        ids=CountedIds(),
        impression_destinations={"one": ["x", "y"]} if to is None else to,
        telemetry=telemetry,
        forced=ForcedVariations(),
        notifications=Notifications(StoppedClock()),
    )


def record(decider: Decider, snapshot: Snapshot, decision_id: str = "", user_id: str = "u") -> str:
    user = User(user_id, {})
    decisions = decider.decide(snapshot, user, ())
    return decider.record(snapshot, user, decisions, b"", decision_id)


def test_impressions_of_one_call_are_one_record_for_every_destination_that_takes_them(snapshot: Snapshot) -> None:
    outbox, telemetry = OfferedOutbox(), Telemetry()
    assert record(a_decider(outbox, telemetry), snapshot) == "made-1"
    (offered,) = outbox.offered
    assert (offered.event_count, offered.routes) == (2, (("x", 0b11), ("y", 0b11)))
    assert (offered.facts, offered.received_ms) == (snapshot.facts, 1_700_000_000_000)
    assert (offered.event_ids, offered.outcomes) == ((), ())
    assert (telemetry.decisions, telemetry.impressions_offered) == (2, 2)


def test_refused_impressions_are_counted_and_nothing_else(snapshot: Snapshot) -> None:
    telemetry = Telemetry()
    assert record(a_decider(OfferedOutbox(takes=False), telemetry), snapshot, "d") == "d"
    assert (telemetry.impressions_offered, telemetry.impressions_refused) == (0, 2)


def test_nothing_is_offered_that_nobody_takes(snapshot: Snapshot) -> None:
    nobody: list[dict[str, list[str]]] = [{}, {"one": []}, {"other": ["x"]}]
    for to in nobody:
        outbox = OfferedOutbox()
        record(a_decider(outbox, Telemetry(), to), snapshot)
        assert outbox.offered == []


def test_repeated_decision_id_is_offered_once(snapshot: Snapshot) -> None:
    outbox, telemetry = OfferedOutbox(), Telemetry()
    decider = a_decider(outbox, telemetry)
    for _ in range(3):
        assert record(decider, snapshot, "d") == "d"
    assert len(outbox.offered) == 1
    assert telemetry.impressions_repeated == 2


def test_ids_are_remembered_for_a_generation_at_least_and_two_at_most() -> None:
    recent = RecentIds(10)
    ids = [f"i{number}" for number in range(100)]
    for at, id_ in enumerate(ids):
        assert not recent.seen(id_)
        assert all(recent.seen(earlier) for earlier in ids[max(0, at - 9) : at + 1])
    forgotten = RecentIds(10)
    assert not forgotten.seen("first")
    for id_ in ids[:20]:
        forgotten.seen(id_)
    assert not forgotten.seen("first")

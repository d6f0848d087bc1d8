"""Impressions that not every destination takes: chosen one by one, and a view sent once in a window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sidecar.config import Secret
from sidecar.datafiles import Snapshot
from sidecar.datafiles.build import Compiler
from sidecar.decider import Decider
from sidecar.decision import User, load
from sidecar.destinations.http import HttpClient
from sidecar.destinations.optimizely import OptimizelyConfig, OptimizelyDestination
from sidecar.destinations.ruled import RuledDestination
from sidecar.destinations.rules import RulesSection
from sidecar.destinations.segment import SegmentConfig, SegmentDestination
from sidecar.events.model import EventKind, Impression
from sidecar.exposures import Exposures, ExposuresSection
from sidecar.forced import ForcedVariations
from sidecar.impressions import ChosenImpressions, judged, view_of
from sidecar.notifications import Notifications
from sidecar.ports import Destination, Record, StoredRecord
from sidecar.rpc.answers import AnswerCodec
from sidecar.rpc.records import StoredRecordCodec
from sidecar.telemetry import Telemetry
from tests.decision.building import document, flag, rule
from tests.events.samples import an_impression

WINDOW_S = 3600.0


class TurnedClock:
    def __init__(self) -> None:
        self.passed_s = 0.0

    def now_ms(self) -> int:
        return 1_700_000_000_000 + int(self.passed_s * 1_000)

    def monotonic_s(self) -> float:
        return self.passed_s


class OfferedOutbox:
    """Keeps what it is offered, or refuses it."""

    def __init__(self) -> None:
        self.takes = True
        self.offered: list[Record] = []

    def offer(self, record: Record) -> bool:
        if self.takes:
            self.offered.append(record)
        return self.takes


class CountedIds:
    def __init__(self) -> None:
        self.made = 0

    def new(self) -> str:
        self.made += 1
        return f"made-{self.made}"


class Stand:
    """A decider before these destinations, of one datafile."""

    def __init__(self, directory: Path, *destinations: Destination, window_for: Sequence[str] = ("segment",)) -> None:
        self.clock, self.outbox, self.telemetry = TurnedClock(), OfferedOutbox(), Telemetry()
        self.directory = directory
        self.windows = {name: self.window() for name in window_for}
        stand_in: Any = self.outbox
        self.decider = Decider(
            outbox=stand_in,
            codec=AnswerCodec(),
            clock=self.clock,
            ids=CountedIds(),
            impression_destinations={"one": [one.name for one in destinations]},
            telemetry=self.telemetry,
            forced=ForcedVariations(),
            notifications=Notifications(self.clock),
            chosen=ChosenImpressions({"one": destinations}, self.windows, self.telemetry),
        )

    def window(self) -> Exposures:
        section = ExposuresSection(remember=True, window_s=WINDOW_S)
        return Exposures(section, directory=self.directory, clock=self.clock, file_name="viewed-segment.sketch")

    def decide(self, snapshot: Snapshot, user_id: str = "u", *flag_keys: str) -> list[tuple[str, int]]:
        """Decide and record; the routes of what was offered for it."""
        user = User(user_id, {})
        before = len(self.outbox.offered)
        decisions = self.decider.decide(snapshot, user, flag_keys)
        self.decider.record(snapshot, user, decisions, b"\n" + bytes([len(user_id)]) + user_id.encode(), "")
        return [route for record in self.outbox.offered[before:] for route in record.routes]


def shop(*flag_keys: str, revision: str = "7") -> Snapshot:
    """Flags that each show everybody a variation of an experiment of its own."""
    experiments = [rule(f"70{at}00", f"exp_{key}") for at, key in enumerate(flag_keys)]
    flags = [flag(key, experimentIds=[made["id"]]) for key, made in zip(flag_keys, experiments, strict=True)]
    compiler = Compiler(load=load, codec=AnswerCodec(), encode_facts=StoredRecordCodec().encode_facts)
    body = document(featureFlags=flags, experiments=experiments, revision=revision)
    return compiler.snapshot("one", json.dumps(body).encode(), 0)


def segment(name: str = "segment") -> Destination:
    return SegmentDestination(name, SegmentConfig(write_key=Secret("k"), impressions=True), HttpClient())


def optimizely() -> Destination:
    return OptimizelyDestination("optimizely", OptimizelyConfig(), HttpClient())


def ruled(inner: Destination, **section: Any) -> Destination:
    return RuledDestination(inner, RulesSection(**section).compiled())


def skipped(stand: Stand) -> dict[tuple[str, str], int]:
    return {(name, reason): count for (name, _state, reason), count in stand.telemetry.events.items()}


async def test_view_goes_once_in_its_window_and_optimizely_gets_every_impression(tmp_path: Path) -> None:
    stand, snapshot = Stand(tmp_path, optimizely(), segment()), shop("a")
    assert stand.decide(snapshot) == [("optimizely", 1), ("segment", 1)]
    assert stand.decide(snapshot) == [("optimizely", 1)]
    assert stand.decide(snapshot, "another") == [("optimizely", 1), ("segment", 1)]
    stand.clock.passed_s = WINDOW_S * 1.02
    assert stand.decide(snapshot) == [("optimizely", 1), ("segment", 1)]
    assert skipped(stand) == {("segment", "SEEN"): 1}


async def test_each_impression_of_a_call_is_chosen_by_itself(tmp_path: Path) -> None:
    stand, snapshot = Stand(tmp_path, segment(), optimizely()), shop("a", "b", "c")
    assert stand.decide(snapshot, "u", "b") == [("segment", 1), ("optimizely", 1)]
    assert stand.decide(snapshot, "u") == [("segment", 0b101), ("optimizely", 0b111)]
    assert stand.decide(snapshot, "u") == [("optimizely", 0b111)]


async def test_flags_that_share_an_experiment_are_one_view_in_one_call(tmp_path: Path) -> None:
    compiler = Compiler(load=load, codec=AnswerCodec(), encode_facts=StoredRecordCodec().encode_facts)
    body = json.dumps(document(featureFlags=[flag("a"), flag("b")])).encode()
    stand = Stand(tmp_path, segment(), optimizely())
    assert stand.decide(compiler.snapshot("one", body, 0)) == [("segment", 0b01), ("optimizely", 0b11)]
    assert skipped(stand) == {("segment", "SEEN"): 1}


async def test_another_revision_with_the_same_variation_is_the_same_view(tmp_path: Path) -> None:
    stand = Stand(tmp_path, segment())
    assert stand.decide(shop("a")) == [("segment", 1)]
    assert stand.decide(shop("a", revision="8")) == []


async def test_view_that_the_outbox_refused_is_offered_again(tmp_path: Path) -> None:
    stand, snapshot = Stand(tmp_path, segment()), shop("a")
    stand.outbox.takes = False
    stand.decide(snapshot)
    assert stand.telemetry.impressions_refused == 1
    stand.outbox.takes = True
    assert stand.decide(snapshot) == [("segment", 1)]


async def test_destinations_have_windows_of_their_own_or_none(tmp_path: Path) -> None:
    stand = Stand(tmp_path, segment(), segment("all"))
    snapshot = shop("a")
    stand.decide(snapshot)
    assert stand.decide(snapshot) == [("all", 1)]


async def test_views_are_remembered_over_a_restart(tmp_path: Path) -> None:
    stand, snapshot = Stand(tmp_path, segment()), shop("a")
    stand.decide(snapshot)
    await stand.windows["segment"].close()
    assert (tmp_path / "viewed-segment.sketch").exists()

    again = Stand(tmp_path, segment())
    await again.windows["segment"].open()
    assert again.decide(snapshot) == []
    assert again.decide(snapshot, "another") == [("segment", 1)]


async def test_impression_that_showed_nothing_is_no_view(tmp_path: Path) -> None:
    compiler = Compiler(load=load, codec=AnswerCodec(), encode_facts=StoredRecordCodec().encode_facts)
    body = json.dumps(document(featureFlags=[flag("a", experimentIds=[], rolloutId="")])).encode()
    stand = Stand(tmp_path, optimizely(), ruled(segment(), deny_events=("x",)))
    assert stand.decide(compiler.snapshot("one", body, 0)) == [("optimizely", 1)]
    assert skipped(stand) == {("segment", "NO_VARIATION"): 1}


async def test_sample_keeps_and_leaves_out_a_users_impressions_for_good(tmp_path: Path) -> None:
    stand = Stand(tmp_path, ruled(optimizely(), sample_percent=50), window_for=())
    snapshot = shop("a", "b")
    for user in (f"user-{number}" for number in range(100)):
        routes = stand.decide(snapshot, user)
        assert routes == stand.decide(snapshot, user)
        assert routes in ([], [("optimizely", 0b11)])
    (out,) = skipped(stand).values()
    assert 120 < out < 280
    assert set(skipped(stand)) == {("optimizely", "SAMPLED_OUT")}


async def test_denied_kind_and_filters_of_event_keys_need_no_choice(tmp_path: Path) -> None:
    telemetry = Telemetry()
    for one in (
        optimizely(),
        ruled(optimizely(), deny_events=("x",)),
        ruled(segment(), allow_events=("x",), deny_kinds=(EventKind.IMPRESSION,)),
    ):
        assert "one" not in ChosenImpressions({"one": [one]}, {}, telemetry)
    for one in (segment(), ruled(optimizely(), sample_percent=1), ruled(optimizely(), drop=("user_id",))):
        assert "one" in ChosenImpressions({"one": [optimizely(), one]}, {}, telemetry)


async def test_impression_is_judged_as_it_will_be_read_from_the_outbox(tmp_path: Path) -> None:
    stand, snapshot = Stand(tmp_path, segment()), shop("a")
    stand.decide(snapshot)
    (record,) = stand.outbox.offered
    (read,) = StoredRecordCodec().events(StoredRecord(1, record.body, None, (0,), record.received_ms))
    user = User("u", {})
    (decision,) = stand.decider.decide(snapshot, user, ())
    (shown,) = judged("one", user, "made-1", decision.impressions, stand.clock.now_ms())
    assert len(shown.origin.event_id) == len(read.origin.event_id)
    assert replace(shown, origin=replace(shown.origin, event_id=read.origin.event_id)) == read


@pytest.mark.parametrize(
    ("ids", "view"),
    [
        ({"experiment_id": "700", "variation_id": "701"}, "700/701"),
        ({"experiment_id": "", "variation_id": ""}, "checkout/on"),
        ({"experiment_id": "", "variation_id": "701"}, "checkout/701"),
    ],
)
def test_view_is_of_experiment_and_variation_else_of_their_keys(ids: dict[str, str], view: str) -> None:
    shown: Impression = an_impression(**ids)
    assert view_of(shown) == view

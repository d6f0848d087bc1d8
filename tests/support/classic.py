"""`Classic` as the daemon has it, but for its edges: what it offers, tells and saves is kept to be looked at."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from sidecar.classic import Asker, Classic, Recorded
from sidecar.datafiles import Snapshot
from sidecar.datafiles.build import Compiler
from sidecar.decider import Decider
from sidecar.decision import User, load
from sidecar.events.model import Impression
from sidecar.forced import ForcedVariations
from sidecar.notifications import DecisionMade
from sidecar.pb import classic_pb2
from sidecar.ports import Record, StoredRecord
from sidecar.rpc.answers import AnswerCodec
from sidecar.rpc.records import StoredRecordCodec
from sidecar.sticky import Sticky
from sidecar.telemetry import Telemetry
from sidecar.values import Value
from tests.decision.building import document, exact
from tests.support.served import values


class Kept:
    """Stands in for the outbox, for whoever listens, for what is exposed, and for the profiles."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.told: list[DecisionMade] = []
        self.profile: dict[str, str] = {}
        self.exposed: list[tuple[str, str]] = []
        self.full = False

    def offer(self, record: Record) -> bool:
        if not self.full:
            self.records.append(record)
        return not self.full

    def wants(self, kind: object, datafile: str) -> bool:
        return True

    def publish(self, notification: DecisionMade) -> None:
        self.told.append(notification)

    def record(self, user_id: str, experiment_id: str) -> None:
        self.exposed.append((user_id, experiment_id))

    def save_later(self, project_id: str, user_id: str, changed: Mapping[str, str]) -> None:
        self.profile.update(changed)


class FixedClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000

    def monotonic_s(self) -> float:
        return 0.0


class CountedIds:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self) -> str:
        return f"id-{next(self._numbers)}"


class Stand:
    """One datafile served to the older calls."""

    def __init__(self, body: bytes, *, sticky: bool = True) -> None:
        self.kept = Kept()
        self.forced = ForcedVariations()
        self.telemetry = Telemetry()
        self._records = StoredRecordCodec()
        compiler = Compiler(load=load, codec=AnswerCodec(), encode_facts=self._records.encode_facts)
        self.snapshot: Snapshot = compiler.snapshot("default", body, 0)
        stand_in: Any = self.kept
        self.decider = Decider(
            outbox=stand_in,
            codec=AnswerCodec(),
            clock=FixedClock(),
            ids=CountedIds(),
            impression_destinations={"default": ["anywhere"]},
            telemetry=self.telemetry,
            forced=self.forced,
            notifications=stand_in,
            sticky=stand_in if sticky else None,
            exposures=stand_in,
        )
        self.classic = Classic(decider=self.decider, forced=self.forced, telemetry=self.telemetry)

    def asker(self, user_id: str = "u", attributes: Mapping[str, Value] | None = None) -> Asker:
        """A user as the face brings them, their profile as it is now."""
        profile = Sticky(dict(self.kept.profile))
        user = self.decider.known(self.snapshot, User(user_id, attributes or {}), profile)
        return Asker(self.snapshot, user, profile)

    def impressions(self) -> list[Impression]:
        """Those offered since the last look, as their delivery would read them."""
        found: list[Impression] = []
        for number, record in enumerate(self.kept.records):
            indexes = tuple(range(record.event_count))
            stored = StoredRecord(number, record.body, record.facts, indexes, record.received_ms)
            events = self._records.events(stored)
            found += [event for event in events if isinstance(event, Impression)]
            assert len(events) == record.event_count
        self.kept.records.clear()
        return found

    def told(self) -> list[DecisionMade]:
        """What listeners were told since the last look."""
        told = self.kept.told[:]
        self.kept.told.clear()
        return told


def activate_call(asker: Asker) -> bytes:
    """The request that such a user sends, as bytes."""
    user = asker.user
    return classic_pb2.ActivateRequest(user_id=user.user_id, attributes=values(user.attributes)).SerializeToString()


def stand(*, sticky: bool = True, **changes: Any) -> Stand:
    """A stand of the small datafile, changed, in which audience `1` wants `x` to be `s`."""
    audience = {"id": "1", "name": "a", "conditions": exact("x", "s")}
    return Stand(json.dumps(document(typedAudiences=[audience], **changes)).encode(), sticky=sticky)


def activate(on: Stand, key: str = "exp", asker: Asker | None = None, decision_id: str = "") -> Recorded:
    """`activate`, by the user `u` unless told otherwise."""
    asker = asker or on.asker()
    return on.classic.activate(asker, key, activate_call(asker), decision_id)


def feature(on: Stand, key: str = "f") -> Recorded:
    """`is_feature_enabled` by the user `u`."""
    asker = on.asker()
    return on.classic.feature(asker, key, activate_call(asker), "")

"""The tracker over a fake outbox: what it logs, counts and refuses without asking the disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from sidecar.app.system import SystemClock
from sidecar.errors import EventKeyNotFound, NoDatafile, RequestInvalid, Violation
from sidecar.events.model import Event, EventKind, Identify, Origin, ProjectFacts, Track
from sidecar.notifications import Notifications
from sidecar.ports import Record, Written
from sidecar.telemetry import Telemetry
from sidecar.tracker import Accepted, Project, Tracker
from sidecar.values import Outcome, OutcomeState

FACTS = ProjectFacts(account_id="1", project_id="2", revision="7", event_ids={"known": "e1"})
LOADED = Project(name="one", facts=FACTS, encoded=None)
MISSING = Project(name="one", facts=None, encoded=None)


class AppendedOutbox:
    """Keeps what is appended; `earlier` is what a repeat is answered."""

    def __init__(self) -> None:
        self.appended: list[Record] = []
        self.earlier: tuple[Outcome, ...] | None = None

    def append(self, record: Record) -> Written:
        self.appended.append(record)
        written = Written()
        written.settle([self.earlier])
        return written


class Judging:
    """A destination that answers as a test says; Tracks need a known key when it is `strict`."""

    def __init__(self, name: str, *, strict: bool = False, complains: Sequence[Violation] = ()) -> None:
        self.name, self._strict, self._complains = name, strict, complains

    def takes(self, kind: EventKind) -> bool:
        return True

    def check(self, event: Event, facts: ProjectFacts | None) -> Sequence[Violation]:
        return self._complains

    def route(self, event: Event, facts: ProjectFacts | None) -> Outcome:
        if self._strict and facts is None:
            return Outcome(self.name, OutcomeState.SKIPPED, "NO_DATAFILE")
        if self._strict and not (facts and isinstance(event, Track) and event.event_key in facts.event_ids):
            return Outcome(self.name, OutcomeState.SKIPPED, "EVENT_KEY_NOT_FOUND")
        return Outcome(self.name, OutcomeState.QUEUED, "TAGS_NOT_SENT: a" if self._strict else "")


def track(event_key: str = "known") -> Track:
    origin = Origin(event_id="e", time_ms=1, received_ms=1, user_id="u", datafile="one")
    return Track(origin=origin, event_key=event_key)


async def accept(tracker: Tracker, event: Event, project: Project, *, id_chosen: bool = False) -> Accepted:
    accepting = tracker.accept(event, b"", project, id_chosen=id_chosen)
    return accepting if isinstance(accepting, Accepted) else tracker.accepted(accepting, await accepting.written)


def a_tracker(outbox: AppendedOutbox, telemetry: Telemetry, *destinations: Any) -> Tracker:
    nothing: Any = None
    some: Any = outbox
    return Tracker(
        datafiles=nothing,
        outbox=some,
        destinations={"one": destinations},
        telemetry=telemetry,
        notifications=Notifications(SystemClock()),
    )


async def test_unknown_event_key_is_logged_once_for_each_revision() -> None:
    newer = Project(name="one", facts=ProjectFacts(account_id="1", project_id="2", revision="8"), encoded=None)
    with capture_logs() as logs:
        tracker = a_tracker(AppendedOutbox(), Telemetry(), Judging("o", strict=True), Judging("hook"))
        for project in (LOADED, LOADED, newer, newer):
            for key in ("typo", "other"):
                await accept(tracker, track(key), project)
    said = [(one["event_key"], one["revision"]) for one in logs if one["event"] == "event_key_unknown"]
    assert said == [("typo", "7"), ("other", "7"), ("typo", "8"), ("other", "8")]


async def test_identity_is_remembered_only_when_the_caller_chose_it() -> None:
    outbox = AppendedOutbox()
    tracker = a_tracker(outbox, Telemetry(), Judging("hook"))
    await accept(tracker, track(), LOADED, id_chosen=True)
    await accept(tracker, track(), LOADED)
    chosen, made = outbox.appended
    assert (chosen.event_ids, chosen.outcomes) == (("e",), ((Outcome("hook", OutcomeState.QUEUED),),))
    assert (made.event_ids, made.outcomes) == ((), ())


async def test_repeat_is_answered_as_the_first_and_counted_apart() -> None:
    outbox, telemetry = AppendedOutbox(), Telemetry()
    outbox.earlier = (Outcome("gone", OutcomeState.QUEUED),)
    accepted = await accept(a_tracker(outbox, telemetry, Judging("hook")), track(), LOADED, id_chosen=True)
    assert (accepted.outcomes, accepted.repeated) == (outbox.earlier, True)
    assert telemetry.events_repeated == 1
    assert not telemetry.events


async def test_outcomes_are_counted_by_their_word() -> None:
    telemetry = Telemetry()
    tracker = a_tracker(AppendedOutbox(), telemetry, Judging("o", strict=True), Judging("hook"))
    await accept(tracker, track(), LOADED)
    await accept(tracker, track("typo"), LOADED)
    assert dict(telemetry.events) == {
        ("o", "QUEUED", "TAGS_NOT_SENT"): 1,
        ("o", "SKIPPED", "EVENT_KEY_NOT_FOUND"): 1,
        ("hook", "QUEUED", ""): 2,
    }


async def test_track_that_nobody_takes_is_refused_and_stored_nowhere() -> None:
    outbox = AppendedOutbox()
    tracker = a_tracker(outbox, Telemetry(), Judging("o", strict=True))
    with pytest.raises(EventKeyNotFound):
        await accept(tracker, track("typo"), LOADED)
    with pytest.raises(NoDatafile):
        await accept(tracker, track(), MISSING)
    assert outbox.appended == []


async def test_other_calls_that_nobody_takes_are_accepted() -> None:
    origin = track().origin
    tracker = a_tracker(AppendedOutbox(), Telemetry(), Judging("o", strict=True))
    accepted = await accept(tracker, Identify(origin=origin), LOADED)
    assert [outcome.state for outcome in accepted.outcomes] == [OutcomeState.SKIPPED]


async def test_what_several_destinations_complain_of_is_said_once_and_nothing_is_stored() -> None:
    wrong, worse = Violation("event_tags.revenue", "is wrong"), Violation("event_tags.value", "is worse")
    outbox = AppendedOutbox()
    tracker = a_tracker(outbox, Telemetry(), Judging("a", complains=[wrong]), Judging("b", complains=[wrong, worse]))
    with pytest.raises(RequestInvalid) as refused:
        await accept(tracker, track(), LOADED)
    assert refused.value.violations == (wrong, worse)
    assert outbox.appended == []


async def test_complaints_of_a_destination_that_skips_the_event_do_not_count() -> None:
    strict = Judging("o", strict=True, complains=[Violation("event_tags.value", "is wrong")])
    tracker = a_tracker(AppendedOutbox(), Telemetry(), strict, Judging("hook"))
    accepted = await accept(tracker, track("typo"), LOADED)
    assert [outcome.state for outcome in accepted.outcomes] == [OutcomeState.SKIPPED, OutcomeState.QUEUED]

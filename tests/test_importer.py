"""The importer over a fake outbox: what is judged once, what is counted, and that history is not told."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.app.system import SystemClock
from sidecar.errors import OutboxUnwritable
from sidecar.events.model import EventKind
from sidecar.importer import Importer, Message, tally
from sidecar.notifications import Notifications
from sidecar.outbox import DestinationBounds
from sidecar.ports import EventSort
from sidecar.telemetry import Telemetry
from sidecar.tracker import Judged, Project, Tracker
from sidecar.values import Outcome, OutcomeState
from tests.fakes.outbox import FakeOutbox

PROJECT = Project(name="one", facts=None, encoded=None)
QUEUED = (Outcome("hook", OutcomeState.QUEUED),)


class Sorting:
    """A destination that takes every sort that it is asked about, and remembers what it was asked."""

    name = "hook"

    def __init__(self) -> None:
        self.asked: list[EventSort] = []

    def route_alike(self, sort: EventSort, facts: Any) -> Outcome | None:
        self.asked.append(sort)
        return QUEUED[0]


class Loaded:
    """Knows one datafile, not yet loaded."""

    def project(self, datafile: str) -> Project:
        return PROJECT


def parts(destination: Any) -> tuple[Importer, FakeOutbox, Telemetry]:
    outbox = FakeOutbox({"hook": DestinationBounds()}, SystemClock())
    telemetry, nothing = Telemetry(), None
    datafiles: Any = nothing
    tracker = Tracker(
        datafiles=datafiles,
        outbox=outbox,
        destinations={"one": [destination]},
        telemetry=telemetry,
        notifications=Notifications(SystemClock()),
    )
    tracker.project = Loaded().project  # type: ignore[method-assign]  # no datafiles stand behind this tracker
    return Importer(tracker, outbox, telemetry), outbox, telemetry


def message(importer: Importer, *ids: str, kind: EventKind = EventKind.TRACK) -> Message:
    gathering = importer.gather("", historical=True)
    outcomes = []
    for place, event_id in enumerate(ids):
        judged = gathering.judge_alike(kind, "key", 100)
        assert judged == Judged(QUEUED, ("hook",))
        outcomes.append(judged.outcomes)
        gathering.take(place, judged.queued, event_id, b"%d" % place)
    return Message(gatherings=[gathering], outcomes=outcomes, received_ms=1)


async def test_events_of_a_sort_are_judged_once_in_a_message() -> None:
    destination = Sorting()
    importer, _, _ = parts(destination)
    await importer.accept([message(importer, *["id-1", "id-2", ""] * 10)])
    (sort,) = destination.asked
    assert (sort.kind, sort.event_key, sort.historical) == (EventKind.TRACK, "key", True)
    assert sort.bytes_at_most > 600


async def test_events_of_another_size_are_another_sort() -> None:
    importer, _, _ = parts(destination := Sorting())
    gathering = importer.gather("", historical=False)
    for size in (100, 127, 128, 5_000):
        gathering.judge_alike(EventKind.PAGE, "", size)
    assert [one.bytes_at_most for one in destination.asked] == sorted({one.bytes_at_most for one in destination.asked})
    assert len(destination.asked) == 3


async def test_each_event_is_counted_once_and_its_repeats_apart() -> None:
    importer, outbox, telemetry = parts(Sorting())
    first, second = message(importer, "a", "b", "a"), message(importer, "b", "")
    await importer.accept([first, second])
    assert telemetry.events == {("hook", "QUEUED", ""): 3}
    assert telemetry.events_repeated == 2
    assert (first.repeated, second.repeated) == (1, 1)
    assert outbox.pending("hook") == 3


async def test_what_the_outbox_refuses_is_not_counted_and_may_be_tried_again() -> None:
    importer, outbox, telemetry = parts(Sorting())
    some = message(importer, "a", "")
    outbox.refusal = OutboxUnwritable("full", retry_after_s=1)
    with pytest.raises(OutboxUnwritable):
        await importer.accept([some])
    assert not telemetry.events
    outbox.refusal = None
    await importer.accept([some])
    assert outbox.pending("hook") == 2


def test_outcomes_are_tallied_by_what_they_say() -> None:
    other = Outcome("other", OutcomeState.SKIPPED, "HISTORICAL")
    assert tally([QUEUED, (*QUEUED, other), (Outcome("hook", OutcomeState.QUEUED), other)]) == {QUEUED[0]: 3, other: 2}

"""Accepts events: decides for each destination whether it gets the event, and answers when that is on disk.

Knows no message and no wire form. An event is accepted when the transaction that holds it is committed; where it goes
is fixed then and not looked at again. Rules: docs/events.md. What is told of it: docs/notifications.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from msgspec import Struct

from sidecar.datafiles import Datafiles
from sidecar.errors import EventKeyNotFound, NoDatafile, RequestInvalid, Violation
from sidecar.events.model import Event, EventKind, ProjectFacts, Track
from sidecar.events.sorts import is_simple_track, sort_bytes_at_most
from sidecar.exposures import Exposures
from sidecar.limits import JUDGED_KEY_CHARACTERS_MAX, JUDGED_TRACKS_KEPT_MAX, UNKNOWN_EVENT_KEYS_LOGGED_MAX
from sidecar.notifications import EventTracked, Kind, Notifications
from sidecar.ports import Destination, EncodedFacts, Entries, EventSort, Outbox, Record, Routes, Written
from sidecar.telemetry import Telemetry
from sidecar.values import Outcome, OutcomeState


class Project(Struct, frozen=True, eq=False, kw_only=True):
    """The datafile that a call named, as tracking sees it: facts are None while none is loaded or configured.

    `event_experiments` maps the keys of events to the ids of the experiments that they measure.
    """

    name: str
    facts: ProjectFacts | None
    encoded: EncodedFacts | None
    event_experiments: Mapping[str, tuple[str, ...]] = {}
    judged: dict[tuple[str, int], Judged | None] = {}
    """Where simple Tracks go, by event key and size; None where each is looked at. Most Tracks are of a few sorts."""


class Accepted(Struct, frozen=True, eq=False):
    """What an accepted call is answered. `repeated` = its id was remembered, and these are the first one's outcomes.

    `exposure_seen` is for a Track: its user is remembered to have been shown an experiment that the event measures.
    """

    outcomes: Sequence[Outcome]
    repeated: bool = False
    exposure_seen: bool = False


class Accepting(Struct, frozen=True, eq=False):
    """An event on its way to the disk: when `written` is done, `Tracker.accepted` says what it is answered."""

    written: Written
    event: Event
    project: Project
    outcomes: tuple[Outcome, ...]


class Judged(Struct, frozen=True):
    """Where an event goes: an outcome for each destination, and the names of those that it is queued for."""

    outcomes: tuple[Outcome, ...]
    queued: tuple[str, ...]


class Tracker:
    """Routes events to destinations through the outbox."""

    def __init__(
        self,
        *,
        datafiles: Datafiles,
        outbox: Outbox,
        destinations: Mapping[str, Sequence[Destination]],
        telemetry: Telemetry,
        notifications: Notifications,
        exposures: Exposures | None = None,
    ) -> None:
        """`destinations` holds, for each datafile and for "" (no datafile), the ones that its events may go to.

        `exposures` is None when none are remembered.
        """
        self._datafiles, self._outbox = datafiles, outbox
        self._destinations, self._telemetry = destinations, telemetry
        self._named = {name: tuple((one.name, one) for one in some) for name, some in destinations.items()}
        self._projects: dict[str, Project] = {}
        """The last of each datafile."""
        self._routes: dict[tuple[str, ...], Routes] = {}
        """Of one event, by the destinations that it goes to; as few as there are combinations of these."""
        self._notifications, self._exposures = notifications, exposures
        self._logged: set[tuple[str, str]] = set()
        self._log = structlog.get_logger()

    def project(self, datafile: str) -> Project:
        """The project of a call by the datafile it names.

        Raises `DatafileNotFound` for a name that is not configured; one that is not loaded yet has no facts.
        """
        try:
            snapshot = self._datafiles.current(datafile)
        except NoDatafile as missing:
            return Project(name=missing.name, facts=None, encoded=None)
        project = self._projects.get(snapshot.name)
        if project is None or project.facts is not snapshot.project:
            project = self._projects[snapshot.name] = Project(
                name=snapshot.name,
                facts=snapshot.project,
                encoded=snapshot.facts,
                event_experiments=snapshot.compiled.event_experiments,
            )
        return project

    def takers(self, datafile: str) -> Sequence[str]:
        """The names of the destinations that the events of a datafile may go to, in the order of the config.

        "" means no datafile in particular: all of them. Raises `DatafileNotFound`.
        """
        if not datafile:
            some = dict.fromkeys(one.name for each in self._destinations.values() for one in each)
            return tuple(some)
        return tuple(one.name for one in self._destinations.get(self.project(datafile).name, ()))

    def names(self, project: Project) -> Sequence[str]:
        """The names of the destinations that the events of a project may go to, in the order of the config."""
        return tuple(one.name for one in self._destinations.get(project.name, ()))

    def accept(self, event: Event, body: bytes, project: Project, *, id_chosen: bool) -> Accepted | Accepting:
        """Write one event for those who take it: it is accepted at once when nobody does, else when it is on disk.

        `body` is the outbox record that holds this one event; `id_chosen` says that the caller chose its id, so that a
        repeat is recognised. Raises `RequestInvalid` for what a destination cannot take without loss,
        `EventKeyNotFound`, `NoDatafile`, `OutboxUnwritable`; `written` fails with `OutboxFull`, `OutboxUnwritable`.
        """
        judged = self._judge_simple(event, project) or self.judge(event, project)
        outcomes, queued = judged.outcomes, judged.queued
        if not queued:
            return self._accepted(event, project, outcomes)
        routes = self._routes.get(queued)
        if routes is None:
            routes = self._routes[queued] = tuple((name, 1) for name in queued)
        origin = event.origin
        ids, answers = ((origin.event_id,), (outcomes,)) if id_chosen else ((), ())
        record = Record(body, project.encoded, routes, 1, origin.received_ms, ids, answers, joins=True)
        return Accepting(self._outbox.append(record), event, project, outcomes)

    def accepted(self, accepting: Accepting, entries: Entries) -> Accepted:
        """What an event is answered whose `written` is done with these entries. To be called once, and always."""
        earlier = entries[0]
        if earlier is None:
            return self._accepted(accepting.event, accepting.project, accepting.outcomes)
        self._telemetry.events_repeated += 1
        seen = self._exposure_seen(accepting.event, accepting.project)
        return Accepted(earlier, repeated=True, exposure_seen=bool(seen))

    def judge(self, event: Event, project: Project) -> Judged:
        """Where an event goes, before it is accepted. Raises the errors of `accept` but those of the outbox."""
        facts = project.facts
        outcomes: list[Outcome] = []
        queued: list[str] = []
        violations: list[Violation] = []
        for name, destination in self._named.get(project.name, ()):
            outcome = destination.route(event, facts)
            outcomes.append(outcome)
            if outcome.state is OutcomeState.QUEUED:
                queued.append(name)
                violations += destination.check(event, facts)
            elif outcome.reason == "EVENT_KEY_NOT_FOUND":
                self._log_unknown_key(event, project)
        if not queued:
            self._raise_if_unwanted(event, project, outcomes)
        if violations:
            raise RequestInvalid(tuple(dict.fromkeys(violations)))
        return Judged(tuple(outcomes), tuple(queued))

    def _judge_simple(self, event: Event, project: Project) -> Judged | None:
        """What `judge` answers, for a Track of a simple sort; None for others, and where each has to be looked at."""
        if not is_simple_track(event):
            return None
        request_bytes = event.origin.request_bytes
        place = event.event_key, request_bytes.bit_length()
        try:
            return project.judged[place]
        except KeyError:
            return self._judge_sort(place, request_bytes, project)

    def _judge_sort(self, place: tuple[str, int], request_bytes: int, project: Project) -> Judged | None:
        """Where simple Tracks of a key and size go, kept for the next ones."""
        size = sort_bytes_at_most(request_bytes, project.name)
        sort = EventSort(EventKind.TRACK, place[0], historical=False, bytes_at_most=size, simple=True)
        judged = self.judge_alike(sort, project)
        if len(place[0]) <= JUDGED_KEY_CHARACTERS_MAX:
            if len(project.judged) >= JUDGED_TRACKS_KEPT_MAX:
                project.judged.clear()
            project.judged[place] = judged
        return judged

    def judge_alike(self, sort: EventSort, project: Project) -> Judged | None:
        """What `judge` answers to every event of a sort; None when each has to be judged by itself."""
        outcomes: list[Outcome] = []
        queued: list[str] = []
        for destination in self._destinations.get(project.name, ()):
            outcome = destination.route_alike(sort, project.facts)
            if outcome is None or outcome.reason == "EVENT_KEY_NOT_FOUND":
                return None
            outcomes.append(outcome)
            if outcome.state is OutcomeState.QUEUED:
                queued.append(destination.name)
        # Why: whether a Track that nobody takes is an error, `judge` says.
        return Judged(tuple(outcomes), tuple(queued)) if queued else None

    def _accepted(self, event: Event, project: Project, outcomes: tuple[Outcome, ...]) -> Accepted:
        """Count and tell of an event that was accepted for the first time."""
        events = self._telemetry.events
        for outcome in outcomes:
            reason = outcome.reason
            # Why not `state.value`: looking that up costs as much as counting.
            state = "QUEUED" if outcome.state is OutcomeState.QUEUED else "SKIPPED"
            events[outcome.destination, state, reason.partition(":")[0] if reason else ""] += 1
        seen = self._exposure_seen(event, project)
        if seen is not None:
            self._telemetry.conversions[seen] += 1
        if self._notifications.wants(Kind.TRACKED, project.name) and _is_told(event, project, outcomes):
            self._notifications.publish(EventTracked(event=event, outcomes=outcomes, datafile=project.name))
        return Accepted(outcomes, exposure_seen=bool(seen))

    def _exposure_seen(self, event: Event, project: Project) -> bool | None:
        """Whether a conversion's user was seen to be exposed; None for what is no conversion of an experiment."""
        if self._exposures is None or not isinstance(event, Track):
            return None
        experiment_ids = project.event_experiments.get(event.event_key)
        return self._exposures.seen(event.origin.visitor_id, experiment_ids) if experiment_ids else None

    def _log_unknown_key(self, event: Event, project: Project) -> None:
        """Once per key and revision: a typo shows itself, and a million events do not make a million lines."""
        if not isinstance(event, Track) or project.facts is None:
            return
        seen = (event.event_key, project.facts.revision)
        if seen not in self._logged and len(self._logged) < UNKNOWN_EVENT_KEYS_LOGGED_MAX:
            self._logged.add(seen)
            self._log.error(
                "event_key_unknown",
                event_key=event.event_key,
                datafile=project.name,
                revision=project.facts.revision,
            )

    def _raise_if_unwanted(self, event: Event, project: Project, outcomes: Sequence[Outcome]) -> None:
        """A Track that nobody takes for want of a key or a datafile is the caller's to know at once."""
        if not isinstance(event, Track):
            return
        reasons = {outcome.reason for outcome in outcomes}
        if "EVENT_KEY_NOT_FOUND" in reasons and project.facts is not None:
            raise EventKeyNotFound(event.event_key, project.facts.revision)
        if "NO_DATAFILE" in reasons:
            raise NoDatafile(project.name)


def _is_told(event: Event, project: Project, outcomes: Sequence[Outcome]) -> bool:
    """Whether an accepted event is told: not, as in the SDKs, a Track of an unknown key that nobody takes.

    Source: docs/notifications.md N4.
    """
    if not isinstance(event, Track) or project.facts is None or event.event_key in project.facts.event_ids:
        return True
    return any(outcome.state is OutcomeState.QUEUED for outcome in outcomes)

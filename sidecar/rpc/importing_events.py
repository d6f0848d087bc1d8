"""From the bytes of an `ImportRequest` to judged events: parsed once, checked, and cut out as they came.

Most events of a history are small and plain: what they have no room to break is not looked at, and where their sort
goes was judged before (`plain`). All others go the way of a call of their own (`_judge`). Rules: docs/import.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError
from msgspec import Struct

from sidecar import limits
from sidecar.errors import DatafileNotFound, EventKeyNotFound, NoDatafile, RequestInvalid, SidecarError
from sidecar.events.model import EventKind
from sidecar.importer import Gathering, Importer, Message
from sidecar.pb import tracking_pb2, value_pb2
from sidecar.ports import Clock, Ids
from sidecar.rpc import answers, requests, wire
from sidecar.rpc.calls import CALLS, CallKind, check
from sidecar.rpc.records import Stamp, TrackingRequest, event_of
from sidecar.tracker import Judged

EVENTS: Final = tracking_pb2.ImportRequest.EVENTS_FIELD_NUMBER

_SECONDS_MIN: Final = -62_135_596_800
_SECONDS_MAX: Final = 253_402_300_799
"""The years 1 to 9999: the range of `google.protobuf.Timestamp`."""
_NANOS_MAX: Final = 999_999_999

_NESTING: Final = bytes(
    tag | overlong
    for number in (value_pb2.Value.LIST_VALUE_FIELD_NUMBER, value_pb2.Value.MAP_VALUE_FIELD_NUMBER)
    for tag in wire.tag(number)
    for overlong in (0, 0x80)
)
"""What the tag of a list or map within a `Value` begins with, in the usual and in a longer form."""


class EventForm(Struct, frozen=True, eq=False, kw_only=True):
    """What differs between the events of an import, ready for the loop over them."""

    call: CallKind
    kind: EventKind
    number: int
    head: wire.Heads
    maps: Sequence[str]
    counts: bool
    """Whether it is a Track, which has an event key and may have amounts."""


_FORMS: Final[Mapping[str, EventForm]] = {
    call.field: EventForm(
        call=call,
        kind=EventKind(call.field),
        number=tracking_pb2.ImportEvent.DESCRIPTOR.fields_by_name[call.field].number,
        head=call.head,
        maps=call.maps,
        counts=call.field == EventKind.TRACK,
    )
    for call in CALLS
}


class Read(Struct, frozen=True, eq=False):
    """A message that was read and judged, and the ids of its events as they are answered."""

    message: Message
    event_ids: Sequence[str]


class Item(Struct, frozen=True, eq=False):
    """One event of a message: its form (None when there is none), its request, and that as bytes."""

    form: EventForm | None
    request: Any = None
    body: bytes = b""


class EventReader:
    """Reads messages of events for an importer. Raises what refuses a message, and then nothing of it is accepted."""

    def __init__(self, importer: Importer, clock: Clock, ids: Ids) -> None:
        self._importer, self._clock, self._ids = importer, clock, ids

    async def read(self, kind: type[Any], request: bytes) -> Read:
        """Read an `ImportRequest` or `ImportStreamRequest`; every event is looked at, and others get their turn.

        Raises `RequestMalformed`, `RequestInvalid` with every violation, `DatafileNotFound`, `NoDatafile`.
        """
        violations = requests.Violations()
        items, options = _items(kind, request, violations)
        reading = _Reading(self._importer, self._clock.now_ms(), self._ids, options)
        for place, item in enumerate(items):
            reading.take(place, item, violations)
            if place % limits.IMPORT_EVENTS_PER_TURN == limits.IMPORT_EVENTS_PER_TURN - 1:
                await asyncio.sleep(0)
        return reading.done(violations)


class _Reading:
    """One message while it is read. Its datafiles are looked up once, so that it sees one revision of each."""

    def __init__(self, importer: Importer, received_ms: int, ids: Ids, options: tracking_pb2.ImportRequest) -> None:
        self._importer, self._ids = importer, ids
        self._default: str = options.datafile
        self._historical = not options.include_optimizely
        self._received_ms = received_ms
        self._gatherings: dict[str, tuple[Gathering, bytes] | None] = {}
        self._projects: dict[str, tuple[Gathering, bytes]] = {}
        self._outcomes: list[tuple[Any, ...]] = []
        self._event_ids: list[str] = []
        self._problem: SidecarError | None = None
        self._gathering(self._default)

    def take(self, place: int, item: Item, violations: requests.Violations) -> None:
        """Check and judge the event at a place; what is wrong with it is noted."""
        form, request = item.form, item.request
        if form is None:
            violations.add(f"events[{place}]", "has no event, wanted track, identify, page, screen, group or alias")
            return
        gathered = self._gathering(request.datafile or self._default)
        chosen_id: str = request.event_id
        event_id = chosen_id or self._ids.new()
        judged = None
        if gathered is not None and plain(form, request, item.body):
            judged = gathered[0].judge_alike(form.kind, request.event_key if form.counts else "", len(item.body))
        if judged is None:
            judged = self._judge(place, item, event_id, violations)
            if judged is None:
                return
        assert gathered is not None, "what has no project is not judged"
        gathering, head = gathered
        self._event_ids.append(event_id)
        self._outcomes.append(judged.outcomes)
        if judged.queued:
            body = answers.imported_call(head, form.head, item.body, event_id)
            gathering.take(place, judged.queued, chosen_id, body)

    def done(self, violations: requests.Violations) -> Read:
        """The message, whole. Raises what was wrong: first all violations, then what is not the events' fault."""
        violations.raise_if_any()
        if self._problem is not None:
            raise self._problem
        gatherings = [gathering for gathering, _ in self._projects.values()]
        message = Message(gatherings=gatherings, outcomes=self._outcomes, received_ms=self._received_ms)
        return Read(message, self._event_ids)

    def _judge(self, place: int, item: Item, event_id: str, violations: requests.Violations) -> Judged | None:
        """Check and judge an event as the call of its own would."""
        form, wrong = item.form, requests.Violations()
        assert form is not None, "an item without a form is not judged"
        judged = None
        if len(item.body) > limits.MESSAGE_BYTES_MAX:
            violations.add(f"events[{place}]", f"is {len(item.body)} bytes, wanted at most {limits.MESSAGE_BYTES_MAX}")
            return None
        maps = check(form.call, form.maps, item.request, wrong)
        gathered = self._gathering(item.request.datafile or self._default)
        if gathered is not None and not wrong.found:
            gathering = gathered[0]
            # Why not always historical: whoever is asked for in spite of the age judges the event like any other.
            stamp = Stamp(self._received_ms, event_id, gathering.project.name, len(item.body), gathering.historical)
            try:
                judged = gathering.judge(event_of(form.call.field, item.request, maps, stamp))
            except RequestInvalid as refused:
                wrong.extend(refused.violations)
            except EventKeyNotFound as unknown:
                wrong.add("event_key", str(unknown).removeprefix("event key "))
            except NoDatafile as missing:
                self._problem = self._problem or missing
        violations.extend_within(f"events[{place}]", wrong)
        return judged

    def _gathering(self, datafile: str) -> tuple[Gathering, bytes] | None:
        """What gathers the events of a datafile, by any of its names, and what their stored calls begin with.

        None for a name that is not known, which is a problem of the message.
        """
        try:
            return self._gatherings[datafile]
        except KeyError:
            pass
        found = None
        try:
            gathering = self._importer.gather(datafile, historical=self._historical)
        except DatafileNotFound as unknown:
            self._problem = self._problem or unknown
        else:
            name = gathering.project.name
            head = answers.imported_head(self._received_ms, name)
            found = self._projects.setdefault(name, (gathering, head))
        self._gatherings[datafile] = found
        return found


def plain(form: EventForm, request: TrackingRequest, body: bytes) -> bool:
    """Whether an event surely breaks no rule, and is of an `EventSort`: found out without reading its maps.

    False says nothing. What is small has no room for a long key, text or map; a value that nests too deep has a tag of
    a list or map for each level.
    """
    if len(body) > limits.IMPORT_SURE_BYTES_MAX:
        return False
    if len(body) - len(body.translate(None, _NESTING)) > limits.DEPTH_MAX or b"integrations" in body:
        return False
    if len(request.event_id) > limits.EVENT_ID_CHARACTERS_MAX or request.integrations:
        return False
    for name in form.call.required:
        if not getattr(request, name):
            return False
    if isinstance(request, tracking_pb2.TrackRequest) and (request.event_tags or request.HasField("revenue")):
        return False
    if request.HasField("timestamp"):
        at = request.timestamp
        if not (_SECONDS_MIN <= at.seconds <= _SECONDS_MAX and 0 <= at.nanos <= _NANOS_MAX):
            return False
    return bool(request.user_id or request.anonymous_id)


def _items(kind: type[Any], request: bytes, violations: requests.Violations) -> tuple[Iterator[Item], Any]:
    """The events of a message, and the message for its other fields. Notes a wrong number of events.

    Raises `RequestMalformed`, `RequestInvalid` for one that is too large.
    """
    requests.raise_if_too_large(request, limits.IMPORT_BYTES_MAX)
    try:
        message = kind.FromString(request)
    except DecodeError as broken:
        if not requests.is_too_deep(broken):
            raise requests.malformed(kind, broken) from broken
        bodies, others = requests.split(kind, request, EVENTS)
        _check_number(len(bodies), violations)
        return _items_apart(bodies, violations), requests.parse(kind, others, violations)
    _check_number(len(message.events), violations)
    return _items_together(message.events, wire.inner_fields(request, EVENTS)), message


def _check_number(events: int, violations: requests.Violations) -> None:
    if not 1 <= events <= limits.IMPORT_EVENTS_MAX:
        violations.add("events", f"has {events} entries, wanted 1 to {limits.IMPORT_EVENTS_MAX}")
        # Why at once: too much is refused before any work is done.
        violations.raise_if_any()


def _items_together(events: Sequence[Any], inner: Sequence[tuple[int, bytes] | None]) -> Iterator[Item]:
    for event, cut in zip(events, inner, strict=True):
        name = event.WhichOneof("event")
        if name is None:
            yield Item(None)
            continue
        form, request = _FORMS[name], getattr(event, name)
        # Why the second: an event may be written in pieces, and the pieces are one event.
        whole = cut is not None and cut[0] == form.number
        yield Item(form, request, cut[1] if whole and cut is not None else request.SerializeToString())


def _items_apart(bodies: Sequence[bytes], violations: requests.Violations) -> Iterator[Item]:
    """Events of a message that holds one which nests too deep to be parsed: that one is noted, and read without it."""
    for place, body in enumerate(bodies):
        try:
            event = tracking_pb2.ImportEvent.FromString(body)
        except DecodeError as broken:
            if not requests.is_too_deep(broken):
                raise requests.malformed(tracking_pb2.ImportEvent, broken) from broken
            yield _without_deep_fields(place, body, violations)
        else:
            yield from _items_together([event], [None])


def _without_deep_fields(place: int, body: bytes, violations: requests.Violations) -> Item:
    cut = {form: requests.split(tracking_pb2.ImportEvent, body, form.number)[0] for form in _FORMS.values()}
    form, pieces = next((form, pieces) for form, pieces in cut.items() if pieces)
    wrong = requests.Violations()
    request = requests.parse(form.call.request, b"".join(pieces), wrong)
    violations.extend_within(f"events[{place}]", wrong)
    return Item(form, request, request.SerializeToString())

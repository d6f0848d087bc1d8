"""`AdminService`: the outbox seen from inside, for operators. On Unix sockets; over TCP only when configured.

Whoever may open the socket file may ask; with a token configured the gate asks for it here as everywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sidecar import limits
from sidecar.delivery import DestinationStatus
from sidecar.pb import admin_pb2
from sidecar.ports import Clock, Outbox, RecordCodec
from sidecar.rpc import admin_messages as messages
from sidecar.rpc.methods import Call, Code, Method, Refusal, Unary
from sidecar.rpc.requests import MessageT, Violations, parse
from sidecar.telemetry import OutboxFacts

ADMIN: Final = "sidecar.v1.AdminService"
"""The full name of the service."""
SERVICE: Final = f"/{ADMIN}/"

_PEEKED: Final = 10
_PAGE: Final = 100
_UNIX: Final = "unix:"

Handler = Callable[[bytes], Awaitable[bytes]]
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminGround:
    """What the handlers ask. `takers` gives the destinations of a datafile, of "" all; raises `DatafileNotFound`.

    `destinations` are the configured ones, in their order; `bytes_max` the bound of what each has pending;
    `disk_bytes` what the outbox takes on disk.
    """

    outbox: Outbox
    facts: OutboxFacts
    codec: RecordCodec
    clock: Clock
    destinations: Sequence[str]
    takers: Callable[[str], Collection[str]]
    statuses: Mapping[str, DestinationStatus]
    bytes_max: int
    disk_bytes: Callable[[], int]


class AdminHandlers:
    """Handlers of the service over the outbox."""

    def __init__(self, ground: AdminGround, *, over_tcp: bool) -> None:
        self._ground, self._outbox = ground, ground.outbox
        self._over_tcp = over_tcp

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        handlers: Mapping[str, Handler] = {
            "GetOutboxStats": self.get_outbox_stats,
            "Peek": self.peek,
            "ListDeadLetters": self.list_dead_letters,
            "Requeue": self.requeue,
            "Purge": self.purge,
        }
        return {SERVICE + name: Unary(self._for_operators(handler)) for name, handler in handlers.items()}

    def _for_operators(self, handler: Handler) -> Callable[[bytes, Call], Awaitable[bytes]]:
        def handle(request: bytes, call: Call) -> Awaitable[bytes]:
            if not self._over_tcp and not call.peer.startswith(_UNIX):
                # As gRPC itself refuses a method that is not there: no details.
                raise Refusal(Code.UNIMPLEMENTED, "Method not found!")
            return handler(request)

        return handle

    async def get_outbox_stats(self, request: bytes) -> bytes:
        """`GetOutboxStats`: the counters, of one transaction, and how each destination is."""
        message = parse(admin_pb2.GetOutboxStatsRequest, request, Violations())
        ground = self._ground
        wanted = self._limited_to(message.datafile)
        found = {one.destination: one for one in await self._outbox.counts()}
        held = [name for name, one in found.items() if one.pending or one.dead]
        names = dict.fromkeys([*ground.destinations, *held])
        reply = admin_pb2.GetOutboxStatsResponse(
            disk_bytes=ground.disk_bytes(),
            unwritable_reason="" if ground.facts.writable else ground.facts.cause or "the last commit failed",
        )
        for name in names:
            if name in found and (wanted is None or name in wanted):
                stats = messages.stats_of(found[name], ground.clock.now_ms())
                stats.pending_bytes_max = ground.bytes_max
                self._add_status(stats)
                reply.destinations.append(stats)
        return reply.SerializeToString()

    async def peek(self, request: bytes) -> bytes:
        """`Peek`: the oldest that wait."""
        violations = Violations()
        message = parse(admin_pb2.PeekRequest, request, violations)
        _check_count(message.limit, "limit", violations)
        await self._check_destination(message, violations)
        violations.raise_if_any()
        records = await self._outbox.read(message.destination, None, message.limit or _PEEKED)
        events = list(messages.pending_events(records, self._ground.codec))
        return admin_pb2.PeekResponse(events=_within_bounds(events)).SerializeToString()

    async def list_dead_letters(self, request: bytes) -> bytes:
        """`ListDeadLetters`: each page begins where the last one ended, whatever went since."""
        violations = Violations()
        message = parse(admin_pb2.ListDeadLettersRequest, request, violations)
        _check_count(message.page_size, "page_size", violations)
        after = messages.place_of(message.page_token, message.destination) if message.page_token else 0
        if after is None:
            violations.add("page_token", "is none of this destination's, wanted the `next_page_token` of a page")
        await self._check_destination(message, violations)
        violations.raise_if_any()
        letters = await self._outbox.dead_letters(message.destination, after or 0, message.page_size or _PAGE)
        page = _within_bounds([messages.dead_letter(one, self._ground.codec) for one in letters])
        reply = admin_pb2.ListDeadLettersResponse(dead_letters=page)
        if page:
            last_id = letters[len(page) - 1].dead_id
            if await self._outbox.dead_letters(message.destination, last_id, 1):
                reply.next_page_token = messages.page_token(message.destination, last_id)
        return reply.SerializeToString()

    async def requeue(self, request: bytes) -> bytes:
        """`Requeue`: as many as the destination has room for, the oldest first."""
        violations = Violations()
        message = parse(admin_pb2.RequeueRequest, request, violations)
        dead_ids = _dead_ids(message, violations)
        await self._check_destination(message, violations)
        if message.destination and message.destination not in self._ground.destinations:
            violations.add("destination", f"is `{message.destination}`, which is not configured; nothing was requeued")
        violations.raise_if_any()
        requeued = await self._outbox.requeue(message.destination, dead_ids)
        left = await self._left(message.destination, dead_ids, requeued)
        return admin_pb2.RequeueResponse(requeued=requeued, left=left).SerializeToString()

    async def purge(self, request: bytes) -> bytes:
        """`Purge`: dropped for ever, counted as PURGED."""
        violations = Violations()
        message = parse(admin_pb2.PurgeRequest, request, violations)
        dead_ids = _dead_ids(message, violations)
        await self._check_destination(message, violations)
        violations.raise_if_any()
        purged = await self._outbox.purge(message.destination, dead_ids)
        return admin_pb2.PurgeResponse(purged=purged).SerializeToString()

    def _limited_to(self, datafile: str) -> Collection[str] | None:
        return self._ground.takers(datafile) if datafile else None

    async def _check_destination(self, message: Any, violations: Violations) -> None:  # noqa: ANN401 - four requests
        """It must be configured, or the outbox still know it; and one of the datafile's, if that is given."""
        name: str = message.destination
        if not name:
            violations.add("destination", "is empty, wanted the name of a destination")
            return
        wanted = self._limited_to(message.datafile)
        known = wanted
        if known is None:
            known = {*self._ground.destinations, *(one.destination for one in await self._outbox.counts())}
        if name not in known:
            violations.add("destination", f"is `{name}`, wanted one of {', '.join(sorted(known)) or 'none'}")

    def _add_status(self, stats: admin_pb2.DestinationStats) -> None:
        status = self._ground.statuses.get(stats.destination)
        if status is None:
            return
        stats.pause_reason = status.pause_reason
        if status.paused:
            stats.paused_time.FromMilliseconds(status.paused_since_ms)
        if status.last_error_ms > status.last_delivered_ms:
            stats.last_error = status.last_error

    async def _left(self, destination: str, dead_ids: Sequence[int] | None, requeued: int) -> int:
        """How many of those asked for are still dead letters."""
        if dead_ids is None:
            return sum(one.dead for one in await self._outbox.counts() if one.destination == destination)
        if requeued == len(dead_ids):
            return 0
        found = [await self._outbox.dead_letters(destination, dead_id - 1, 1) for dead_id in dead_ids]
        return sum(bool(some) and some[0].dead_id == dead_id for some, dead_id in zip(found, dead_ids, strict=True))


def _within_bounds(items: Sequence[MessageT]) -> Sequence[MessageT]:
    """As many as one reply may hold, the first at least."""
    room = limits.ADMIN_REPLY_BYTES_MAX
    for at, item in enumerate(items):
        room -= item.ByteSize()
        if room < 0 and at:
            return items[:at]
    return items


def _check_count(count: int, field: str, violations: Violations) -> None:
    if not 0 <= count <= limits.ADMIN_EVENTS_MAX:
        violations.add(field, f"is {count}, wanted 1 to {limits.ADMIN_EVENTS_MAX}, or 0 for the default")


def _dead_ids(
    message: admin_pb2.RequeueRequest | admin_pb2.PurgeRequest, violations: Violations
) -> Sequence[int] | None:
    """The ids that a request names, each once; None = all."""
    given = list(dict.fromkeys(message.dead_letter_ids))
    if message.all == bool(given):
        got = "both are given" if given else "neither is given"
        violations.add("dead_letter_ids", f"or all: {got}, wanted exactly one of them")
    if len(message.dead_letter_ids) > limits.ADMIN_EVENTS_MAX:
        violations.add(
            "dead_letter_ids",
            f"has {len(message.dead_letter_ids)} ids, wanted at most {limits.ADMIN_EVENTS_MAX}",
        )
        return None
    for at, text in enumerate(given):
        if not (text.isascii() and text.isdecimal() and len(text) <= messages.ID_DIGITS_MAX):
            violations.add(f"dead_letter_ids[{at}]", f"is `{text}`, wanted the id of a dead letter as it was listed")
    violations.raise_if_any()
    return None if message.all else [int(text) for text in given]

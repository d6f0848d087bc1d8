"""Many users: in one request, each read, looked up and answered by itself, all at one revision; or in a stream of them.

A user whose own bytes are broken is that user's error alone, so the request is split before it is parsed. Between users
the event loop gets its turn: a thousand of them must not hold up the call of another. So calls overlap, and `Places`
bounds how much of them is in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sidecar import limits
from sidecar.datafiles import Snapshot
from sidecar.decider import UNKNOWN_PROFILE, Decider
from sidecar.errors import CallerError, RequestInvalid, Violation
from sidecar.pb import decision_pb2
from sidecar.rpc import wire
from sidecar.rpc.answering import Answering, Question
from sidecar.rpc.methods import Bidirectional, Call, Refusal, UnaryHandler
from sidecar.rpc.requests import Violations, check_flag_keys, check_id, count, parse, raise_if_too_large, split
from sidecar.rpc.streams import one_by_one
from sidecar.rpc.users import read_user
from sidecar.sticky import Sticky

_RESULTS: Final = wire.tag(decision_pb2.DecideManyResponse.RESULTS_FIELD_NUMBER)
_DECIDED: Final = wire.Heads(wire.tag(decision_pb2.DecideManyResult.DECIDED_FIELD_NUMBER))
_ERROR: Final = wire.tag(decision_pb2.DecideManyResult.ERROR_FIELD_NUMBER)
_USERS: Final = decision_pb2.DecideManyRequest.USERS_FIELD_NUMBER
_DECIDE: Final = decision_pb2.DecideStreamRequest.DECIDE_FIELD_NUMBER
_DECIDE_TAG: Final = wire.tag(_DECIDE)


def decide_stream(decide: UnaryHandler, status_of: Callable[[Exception], bytes]) -> Bidirectional:
    """`DecideStream` over the handler of `Decide`.

    What that fails with is the reply to one message, as what `status_of` makes of it, and the stream goes on; a caller
    who waits no more, or a `Refusal`, ends it.
    """

    def answer(request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        try:
            asked = wire.alone(_DECIDE_TAG, request)
            if asked is None:
                # Why joined: a message field that is there twice is one message with the fields of both.
                asked = b"".join(split(decision_pb2.DecideStreamRequest, request, _DECIDE)[0])
            reply = decide(asked, call)
            return _DECIDED[len(reply)] + reply if isinstance(reply, bytes) else later(reply)
        except Refusal:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a request fails with is answered, logged if it is ours
            return wire.field(_ERROR, status_of(error))

    async def later(reply: Awaitable[bytes]) -> bytes:
        try:
            decided = await reply
            return _DECIDED[len(decided)] + decided
        except Refusal:
            raise
        except Exception as error:  # noqa: BLE001 - as in `answer`
            return wire.field(_ERROR, status_of(error))

    return one_by_one(answer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ManyUsers:
    """A request that was read. `asked` has one entry a user: the question, or what is wrong with it."""

    asked: Sequence[Question | CallerError]
    options: frozenset[int]
    flag_keys: Sequence[str]
    datafile: str


class Places:
    """Places for the users of all calls together, `limits.USERS_AT_A_TIME_MAX`, given in the order of being asked for.

    Why: a user who was read takes a kilobyte, and calls take turns, so that without a bound the users of all calls that
    come at once are in memory at once. `taken` are of calls that go on; `_waiting` has how many each call wants, and
    what it waits for; one that has gone is passed over. All of it is of the event loop's thread.
    """

    __slots__ = ("_most", "_waiting", "taken")

    def __init__(self) -> None:
        self.taken = 0
        self._most = limits.USERS_AT_A_TIME_MAX
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        """How many calls wait for theirs."""
        return sum(not turn.done() for _, turn in self._waiting)

    @asynccontextmanager
    async def of(self, users: int) -> AsyncIterator[None]:
        """Hold places for so many users; waits behind those who wait, and never while nobody holds any."""
        if self._waiting or not self._fit(users):
            await self._turn(users)
        else:
            self.taken += users
        try:
            yield
        finally:
            self.taken -= users
            self._admit()

    async def _turn(self, users: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((users, turn))
        try:
            await turn
        except BaseException:
            # Why both: who gives up may have been given places before, in the same turn of the loop.
            if not turn.cancel() and not turn.cancelled():
                self.taken -= users
            self._admit()
            raise

    def _admit(self) -> None:
        """Give the first ones who wait their places, while there are any."""
        while self._waiting:
            users, turn = self._waiting[0]
            if not turn.done():
                if not self._fit(users):
                    return
                self.taken += users
                turn.set_result(None)
            self._waiting.popleft()

    def _fit(self, users: int) -> bool:
        # Why the second: a call alone is taken whatever its size.
        return self.taken + users <= self._most or not self.taken


def users_in(request: bytes) -> int:
    """How many users a `DecideManyRequest` has, before it is read.

    Raises `RequestMalformed`, and `RequestInvalid` for a request that is too large or has too many of them: at once,
    as a request has room for two million, which take seconds to be told apart.
    """
    raise_if_too_large(request)
    users = count(decision_pb2.DecideManyRequest, request, _USERS, limits.USERS_MAX + 1)
    if users > limits.USERS_MAX:
        raise RequestInvalid([Violation("users", f"has more than {limits.USERS_MAX} entries, wanted 1 to that many")])
    return users


async def read_many(request: bytes, answering: Answering) -> ManyUsers:
    """Read a `DecideManyRequest` of which `users_in` was asked.

    Raises `RequestMalformed`, `RequestInvalid` for what concerns all of its users.
    """
    violations = Violations()
    bodies, others = split(decision_pb2.DecideManyRequest, request, _USERS)
    message = parse(decision_pb2.DecideManyRequest, others, violations)
    options = answering.options(message.options, violations)
    check_flag_keys(message.flag_keys, violations)
    if not bodies:
        violations.add("users", f"has 0 entries, wanted 1 to {limits.USERS_MAX}")
    violations.raise_if_any()
    asked: list[Question | CallerError] = []
    ids: set[str] = set()
    turns = _Turns()
    for body in bodies:
        try:
            asked.append(_read_one(body, message.flag_keys, options, ids))
        except CallerError as error:
            asked.append(error)
        await turns.take(1)
    return ManyUsers(asked=asked, options=options, flag_keys=message.flag_keys, datafile=message.datafile)


def _read_one(body: bytes, flag_keys: Sequence[str], options: frozenset[int], ids: set[str]) -> Question:
    """`ids` are the decision ids of the users before."""
    violations = Violations()
    message = parse(decision_pb2.DecideManyUser, body, violations)
    user = read_user(message, violations)
    check_id(message.decision_id, "decision_id", violations)
    if message.decision_id in ids:
        violations.add("decision_id", "is that of a user before, wanted a different one for each")
    violations.raise_if_any()
    if message.decision_id:
        ids.add(message.decision_id)
    return Question(user, flag_keys, options, body, message.decision_id, "decide_user")


async def profiles_of(
    many: ManyUsers, answering: Answering, snapshot: Snapshot, decider: Decider
) -> Mapping[str, Sticky]:
    """The profiles of all users, by user id, where they are read; several are looked up at a time. Never raises."""
    if not answering.reads_profile(many.options):
        return {}
    ids = list(dict.fromkeys(each.user.user_id for each in many.asked if isinstance(each, Question)))
    found: dict[str, Sticky] = {}
    for start in range(0, len(ids), limits.PROFILE_LOOKUPS_AT_ONCE):
        some = ids[start : start + limits.PROFILE_LOOKUPS_AT_ONCE]
        profiles = await asyncio.gather(*(decider.profile(snapshot, user_id) for user_id in some))
        found.update(zip(some, profiles, strict=True))
    return found


async def answer_many(
    many: ManyUsers,
    answering: Answering,
    snapshot: Snapshot,
    profiles: Mapping[str, Sticky],
    status_of: Callable[[Exception], bytes],
) -> bytes:
    """Answer every user in order, as a serialised `DecideManyResponse` of bounded size.

    `status_of` gives the `google.rpc.Status` of an error. A user whose decisions have no room in the reply any more
    gets an error, and makes no impression.
    """
    results = []
    room_bytes = limits.MANY_REPLY_BYTES_MAX
    turns, flags = _Turns(), len(many.flag_keys) or len(snapshot.compiled.flags)
    for asked in many.asked:
        try:
            if isinstance(asked, Question):
                profile = profiles.get(asked.user.user_id, UNKNOWN_PROFILE)
                decided = answering.answer(snapshot, asked, profile, room_bytes)
                one = _DECIDED[len(decided)] + decided
                room_bytes -= len(one)
            else:
                one = wire.field(_ERROR, status_of(asked))
        except Exception as error:  # noqa: BLE001 - whatever one user fails with is that user's result alone
            one = wire.field(_ERROR, status_of(error))
        results.append(wire.field(_RESULTS, one))
        await turns.take(flags)
    return b"".join(results)


class _Turns:
    """Lets the event loop go on after every `limits.DECISIONS_PER_TURN` steps."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken = 0

    async def take(self, steps: int) -> None:
        """Count steps that were taken."""
        self._taken += steps
        if self._taken >= limits.DECISIONS_PER_TURN:
            self._taken = 0
            await asyncio.sleep(0)

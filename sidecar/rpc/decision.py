"""`DecisionService`: a user and flags in, decisions out, one user at a time, many at once, or a stream of them.

Without sticky profiles `Decide` answers at once, with nothing to wait for. A user is read in `users`, answered in
`answering`; `many` holds what is particular to many users and to a stream of them, `explain` the message of a walk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from functools import partial
from typing import Final

from sidecar.datafiles import Datafiles, Snapshot
from sidecar.decider import Decider
from sidecar.pb import decision_pb2
from sidecar.rpc.answering import Answering, Question
from sidecar.rpc.explain import explain_answer
from sidecar.rpc.many import Places, answer_many, decide_stream, profiles_of, read_many, users_in
from sidecar.rpc.methods import Call, Method, Unary
from sidecar.rpc.plain import PLAIN_BYTES_MAX, MakesReader, decide_reader, never
from sidecar.rpc.refusals import raise_if_late, refusal_of
from sidecar.rpc.requests import Violations, check_flag_keys, check_id, parse
from sidecar.rpc.users import read_user
from sidecar.telemetry import Telemetry

SERVICE: Final = "/sidecar.v1.DecisionService/"
_MANY: Final = SERVICE + "DecideMany"
_STREAM: Final = SERVICE + "DecideStream"


class DecisionHandlers:
    """Handlers of the service over one decider."""

    def __init__(
        self,
        datafiles: Datafiles,
        decider: Decider,
        telemetry: Telemetry,
        default_options: Iterable[str] = (),
        makes_reader: MakesReader | None = None,
    ) -> None:
        """`default_options` are names of `DecideOption` without their prefix; every request has them too.

        `makes_reader` is of plain requests, None where there is none.
        """
        self._datafiles, self._decider, self._telemetry = datafiles, decider, telemetry
        self._answering = Answering(decider, default_options)
        self._answer_plain = self._answering.answer_plain
        self._places = Places()
        plain = makes_reader is not None and self._answering.has_defaults
        self._read_plain = decide_reader(makes_reader) if makes_reader and plain else never

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {
            SERVICE + "Decide": Unary(self.decide),
            _MANY: Unary(self.decide_many),
            _STREAM: decide_stream(self.decide, partial(self._status_of, _STREAM)),
            SERVICE + "Explain": Unary(self.explain),
        }

    def decide(self, request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        """`Decide`. Answers at once, unless a profile must be looked up; raises what `refusals` maps."""
        plain = self._read_plain(request) if len(request) <= PLAIN_BYTES_MAX else None
        if plain is None or not plain[0]:
            return self._decide(request, call)
        return self._answer_plain(self._datafiles.current(plain[-1]), plain, request)

    def _decide(self, request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        """Any request."""
        question, datafile = self._read(request)
        snapshot = self._datafiles.current(datafile)
        if self._answering.reads_profile(question.options):
            return self._decide_with_profile(snapshot, question, call)
        return self._answering.answer(snapshot, question)

    def _read(self, request: bytes) -> tuple[Question, str]:
        """What is asked, and of which datafile. Raises `RequestMalformed`, `RequestInvalid`."""
        violations = Violations()
        message = parse(decision_pb2.DecideRequest, request, violations)
        user = read_user(message, violations)
        # Why each once: reading a repeated field makes an object.
        decision_id, flag_keys = message.decision_id, message.flag_keys
        check_id(decision_id, "decision_id", violations)
        options = self._answering.options(message.options, violations)
        check_flag_keys(flag_keys, violations)
        violations.raise_if_any()
        return Question(user, flag_keys, options, request, decision_id), message.datafile

    async def _decide_with_profile(self, snapshot: Snapshot, question: Question, call: Call) -> bytes:
        profile = await self._decider.profile(snapshot, question.user.user_id)
        raise_if_late(call)
        return self._answering.answer(snapshot, question, profile)

    async def decide_many(self, request: bytes, call: Call) -> bytes:
        """`DecideMany`. Each user's own error is its result; what is wrong with the rest fails the call."""
        async with self._places.of(users_in(request)):
            raise_if_late(call)
            many = await read_many(request, self._answering)
            snapshot = self._datafiles.current(many.datafile)
            profiles = await profiles_of(many, self._answering, snapshot, self._decider)
            raise_if_late(call)
            return await answer_many(many, self._answering, snapshot, profiles, partial(self._status_of, _MANY))

    def explain(self, request: bytes, call: Call) -> bytes | Awaitable[bytes]:
        """`Explain`. Records nothing and tells nobody; a profile is read and not saved."""
        violations = Violations()
        message = parse(decision_pb2.ExplainRequest, request, violations)
        user = read_user(message, violations)
        options = self._answering.options(message.options, violations)
        if not message.flag_key:
            violations.add("flag_key", "is empty, wanted the key of the flag to explain")
        violations.raise_if_any()
        snapshot = self._datafiles.current(message.datafile)
        question = Question(user, (message.flag_key,), options, request, "")
        if self._answering.reads_profile(options):
            return self._explain_with_profile(snapshot, question)
        return explain_answer(self._decider, snapshot, question)

    async def _explain_with_profile(self, snapshot: Snapshot, question: Question) -> bytes:
        profile = await self._decider.profile(snapshot, question.user.user_id)
        return explain_answer(self._decider, snapshot, question, profile)

    def _status_of(self, method: str, error: Exception) -> bytes:
        """A serialised `google.rpc.Status` for an error that is answered within a reply, counted as a refusal."""
        refusal = refusal_of(error, method)
        self._telemetry.refusals[method, refusal.code.name] += 1
        return refusal.details

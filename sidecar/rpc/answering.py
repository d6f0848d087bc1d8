"""One user's question, whichever call of `DecisionService` brought it, to the bytes of a `DecideResponse`.

The hot path of the daemon: decide, join bytes, offer the impressions. Nothing here waits; who looks a profile up
does so before, and hands it in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from sidecar import limits
from sidecar.datafiles import Snapshot
from sidecar.decider import UNKNOWN_PROFILE, Decider
from sidecar.decision import Decision, User
from sidecar.errors import RequestInvalid, Violation
from sidecar.pb import decision_pb2
from sidecar.rpc import answers
from sidecar.rpc.requests import Violations
from sidecar.rpc.users import attributes_left_out
from sidecar.sticky import Sticky

_NO_EVENT: Final = decision_pb2.DECIDE_OPTION_DISABLE_DECISION_EVENT
_ENABLED_ONLY: Final = decision_pb2.DECIDE_OPTION_ENABLED_FLAGS_ONLY
_NO_PROFILE: Final = decision_pb2.DECIDE_OPTION_IGNORE_USER_PROFILE_SERVICE
_REASONS: Final = decision_pb2.DECIDE_OPTION_INCLUDE_REASONS
NO_VARIABLES: Final = decision_pb2.DECIDE_OPTION_EXCLUDE_VARIABLES
_answer = attrgetter("answer")
_KNOWN_OPTIONS: Final = frozenset(decision_pb2.DecideOption.values())


class Question(Struct, frozen=True, eq=False, gc=False):
    """What one user asks. `request` is the message as received, `form` the name of its field in a stored call."""

    user: User
    flag_keys: Sequence[str]
    options: frozenset[int]
    request: bytes
    decision_id: str
    form: str = "decide"


class Answering:
    """Answers questions over one decider, and keeps what answers share as bytes."""

    def __init__(self, decider: Decider, default_options: Iterable[str] = ()) -> None:
        """`default_options` are names of `DecideOption` without their prefix; every question has them too."""
        self._decider = decider
        self.default_options = frozenset(
            decision_pb2.DecideOption.Value(f"DECIDE_OPTION_{name}") for name in default_options
        )
        self._sticky = decider.sticky is not None
        self._revisions: dict[str, bytes] = {}

    def options(self, asked: Sequence[decision_pb2.DecideOption], violations: Violations) -> frozenset[int]:
        """The options of a request and the configured ones; an unknown one is noted."""
        if not asked:
            return self.default_options
        for at, option in enumerate(asked):
            if option not in _KNOWN_OPTIONS:
                violations.add(f"options[{at}]", f"is the unknown option {option}, wanted a DecideOption")
        return self.default_options | frozenset(asked)

    def reads_profile(self, options: frozenset[int]) -> bool:
        """Whether a question with these options wants the user's sticky profile looked up before."""
        return self._sticky and _NO_PROFILE not in options

    @property
    def has_defaults(self) -> bool:
        """Whether `answer_plain` answers a request without options: none are configured, no profiles are kept."""
        return not self.default_options and not self._sticky

    def answer_plain(self, snapshot: Snapshot, plain: tuple[Any, ...], request: bytes) -> bytes:
        """`answer` for what `plain.decide_reader` gives of a request; only when `has_defaults`."""
        user_id, attributes, flag_keys, decision_id, _ = plain
        user = User(user_id, attributes)
        rendered, decision_id = self._decider.answer(snapshot, user, flag_keys, request, decision_id)
        revision = self._revisions.get(snapshot.revision) or self._revision(snapshot)
        return answers.reply(map(_answer, rendered), revision, decision_id)

    def answer(
        self,
        snapshot: Snapshot,
        question: Question,
        profile: Sticky = UNKNOWN_PROFILE,
        room_bytes: int | None = None,
    ) -> bytes:
        """Decide, record and render; the answer as a serialised `DecideResponse`.

        Raises `RequestInvalid`, with nothing recorded, when the decisions are more than `room_bytes`.
        """
        decider, options = self._decider, question.options
        user = decider.known(snapshot, question.user, profile)
        decisions = decider.decide(snapshot, user, question.flag_keys)
        shown = [each for each in decisions if each.enabled] if _ENABLED_ONLY in options else decisions
        problems: Sequence[str] = attributes_left_out(user.attributes)
        if profile.problem:
            problems = [*problems, profile.problem]
        rendered = self._render(snapshot, user, shown, options, problems)
        if room_bytes is not None and sum(map(len, rendered)) > room_bytes:
            raise RequestInvalid([Violation("flag_keys", _NO_ROOM)])
        decision_id = decider.record(
            snapshot,
            user,
            decisions,
            question.request,
            question.decision_id,
            form=question.form,
            impressions=_NO_EVENT not in options,
        )
        if profile.variations is not None:
            decider.save_profile(snapshot, user, decisions, profile)
        return answers.reply(rendered, self._revision(snapshot), decision_id)

    def _render(
        self,
        snapshot: Snapshot,
        user: User,
        decisions: Sequence[Decision],
        options: frozenset[int],
        problems: Sequence[str],
    ) -> Sequence[bytes]:
        with_variables = NO_VARIABLES not in options
        if _REASONS not in options and with_variables and not problems:
            rendered = snapshot.rendered
            return [rendered[decision].answer for decision in decisions]
        explained = []
        for decision in decisions:
            # The walk names what is wrong with variables, too.
            walk = self._decider.explain(snapshot, user, decision) if _REASONS in options else decision.problems
            told = [*problems, *walk][: limits.REASONS_MAX]
            explained.append(answers.render_answer(decision, told, with_variables=with_variables))
        return explained

    def _revision(self, snapshot: Snapshot) -> bytes:
        rendered = self._revisions.get(snapshot.revision)
        if rendered is None:
            # Why emptied: a day of reloads must not keep every revision; a few datafiles are served at once.
            if len(self._revisions) >= limits.REVISIONS_RENDERED_MAX:
                self._revisions.clear()
            rendered = self._revisions[snapshot.revision] = answers.revision_field(snapshot.revision)
        return rendered


_NO_ROOM: Final = (
    f"name decisions past the {limits.MANY_REPLY_BYTES_MAX} bytes of one reply, wanted fewer flags or users"
)

"""`DecisionService`: a user and flags in, decisions out. The other methods of the service come later.

The hot path of the daemon: parse, read the attributes once, decide, offer the impressions, join bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sidecar import limits
from sidecar.datafiles import Datafiles, Snapshot
from sidecar.decider import Decider
from sidecar.decision import Decision, User
from sidecar.pb import decision_pb2
from sidecar.rpc import answers
from sidecar.rpc.methods import Call, Code, Method, Unary
from sidecar.rpc.refusals import refusal
from sidecar.rpc.requests import Violations, check_flag_keys, check_id, check_text, check_user_id, parse
from sidecar.rpc.wire_values import mapping
from sidecar.values import Value

SERVICE: Final = "/sidecar.v1.DecisionService/"

_NO_EVENT: Final = decision_pb2.DECIDE_OPTION_DISABLE_DECISION_EVENT
_ENABLED_ONLY: Final = decision_pb2.DECIDE_OPTION_ENABLED_FLAGS_ONLY
_REASONS: Final = decision_pb2.DECIDE_OPTION_INCLUDE_REASONS
_NO_VARIABLES: Final = decision_pb2.DECIDE_OPTION_EXCLUDE_VARIABLES
_KNOWN_OPTIONS: Final = frozenset(decision_pb2.DecideOption.values())


class DecisionHandlers:
    """Handlers of the service over one decider."""

    def __init__(self, datafiles: Datafiles, decider: Decider, default_options: Iterable[str] = ()) -> None:
        """`default_options` are names of `DecideOption` without their prefix; every request has them too."""
        self._datafiles, self._decider = datafiles, decider
        self._default_options = frozenset(
            decision_pb2.DecideOption.Value(f"DECIDE_OPTION_{name}") for name in default_options
        )
        self._revisions: dict[str, bytes] = {}

    def methods(self) -> Mapping[str, Method]:
        """The part of the method table that is served here."""
        return {SERVICE + "Decide": Unary(self.decide)}

    def decide(self, request: bytes, call: Call) -> bytes:
        """`Decide`. Answers at once; raises what `refusals` maps."""
        violations = Violations()
        message = parse(decision_pb2.DecideRequest, request, violations)
        user = _read_user(message, violations)
        options = self._options(message, violations)
        check_flag_keys(message.flag_keys, violations)
        violations.raise_if_any()
        snapshot = self._datafiles.current(message.datafile)
        _raise_if_late(call)
        decisions = self._decider.decide(snapshot, user, message.flag_keys)
        if _NO_EVENT in options:
            decision_id = self._decider.new_id(message.decision_id)
        else:
            decision_id = self._decider.record(snapshot, decisions, request, message.decision_id)
        if _ENABLED_ONLY in options:
            decisions = [decision for decision in decisions if decision.enabled]
        return answers.reply(self._render(snapshot, user, decisions, options), self._revision(snapshot), decision_id)

    def _render(
        self, snapshot: Snapshot, user: User, decisions: Sequence[Decision], options: frozenset[int]
    ) -> Sequence[bytes]:
        left_out = _attributes_left_out(user.attributes)
        with_variables = _NO_VARIABLES not in options
        if _REASONS not in options and with_variables and not left_out:
            rendered = snapshot.rendered
            return [rendered[decision].answer for decision in decisions]
        explained = []
        for decision in decisions:
            if _REASONS in options:
                reasons = self._decider.explain(snapshot, user, decision)
            else:
                reasons = answers.null_variables(decision) if with_variables else ()
            told = [*left_out, *reasons][: limits.REASONS_MAX]
            explained.append(answers.render_answer(decision, told, with_variables=with_variables))
        return explained

    def _options(self, message: decision_pb2.DecideRequest, violations: Violations) -> frozenset[int]:
        if not message.options:
            return self._default_options
        for at, option in enumerate(message.options):
            if option not in _KNOWN_OPTIONS:
                violations.add(f"options[{at}]", f"is the unknown option {option}, wanted a DecideOption")
        return self._default_options | frozenset(message.options)

    def _revision(self, snapshot: Snapshot) -> bytes:
        rendered = self._revisions.get(snapshot.revision)
        if rendered is None:
            # Why emptied: a day of reloads must not keep every revision; a few datafiles are served at once.
            if len(self._revisions) >= limits.REVISIONS_RENDERED_MAX:
                self._revisions.clear()
            rendered = self._revisions[snapshot.revision] = answers.revision_field(snapshot.revision)
        return rendered


def _read_user(message: decision_pb2.DecideRequest, violations: Violations) -> User:
    """The user of a request; everything but presence is checked, presence by `check_user_id`."""
    check_user_id(message.user_id, violations)
    check_id(message.decision_id, "decision_id", violations)
    attributes = mapping(message.attributes, "attributes", violations)
    segments = forced = None
    if message.HasField("qualified_segments"):
        segments = _read_segments(message.qualified_segments, violations)
    if message.forced_decisions:
        forced = _read_forced(message.forced_decisions, violations)
    return User(message.user_id, attributes, segments, forced)


def _read_segments(segments: decision_pb2.QualifiedSegments, violations: Violations) -> frozenset[str]:
    if len(segments.keys) > limits.QUALIFIED_SEGMENTS_MAX:
        wanted = limits.QUALIFIED_SEGMENTS_MAX
        violations.add("qualified_segments.keys", f"has {len(segments.keys)} keys, wanted at most {wanted}")
        return frozenset()
    for at, key in enumerate(segments.keys):
        check_text(key, f"qualified_segments.keys[{at}]", violations, limits.KEY_BYTES_MAX)
    return frozenset(segments.keys)


def _read_forced(
    forced: Sequence[decision_pb2.ForcedDecision], violations: Violations
) -> Mapping[tuple[str, str], str]:
    if len(forced) > limits.FORCED_DECISIONS_MAX:
        wanted = limits.FORCED_DECISIONS_MAX
        violations.add("forced_decisions", f"has {len(forced)} entries, wanted at most {wanted}")
        return {}
    for at, entry in enumerate(forced):
        if not entry.flag_key:
            violations.add(f"forced_decisions[{at}].flag_key", "is empty, wanted the key of a flag")
    return {(entry.flag_key, entry.rule_key): entry.variation_key for entry in forced}


def _attributes_left_out(attributes: Mapping[str, Value]) -> Sequence[str]:
    """Why an attribute has no part in the decision, for each that conditions cannot read."""
    told = []
    for key, value in attributes.items():
        # Why in this order: text is the usual case, and costs one comparison.
        kind = type(value)
        if kind is str or kind is int or kind is bool:
            continue
        if isinstance(value, float) and math.isfinite(value):
            continue
        if value is not None:
            what = "a list" if kind is list else "a map" if kind is dict else "not a finite number"
            told.append(f"attribute `{key}` is {what}: conditions see no value, and it is not sent to Optimizely")
    return told


def _raise_if_late(call: Call) -> None:
    """A call that nobody waits for any more makes no decision and so no impression."""
    remaining = call.time_remaining_s()
    if remaining is not None and remaining <= 0:
        raise refusal(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline passed before the decision")
    if call.cancelled():
        raise refusal(Code.CANCELLED, "CANCELLED", "the call was cancelled before the decision")

"""Reads the user of a request: who it is, what conditions compare, and what the caller imposes.

The same fields, with the same numbers, stand in the requests of every call that decides. Bounds: `limits`; the hot path
of a Decide comes through here once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sidecar import limits
from sidecar.decision import User
from sidecar.pb import decision_pb2
from sidecar.rpc.requests import Violations, check_text, check_user_id
from sidecar.rpc.wire_values import mapping
from sidecar.values import Value

OneUser: TypeAlias = decision_pb2.DecideRequest | decision_pb2.DecideManyUser | decision_pb2.ExplainRequest
"""The messages that hold one user as `DecideRequest` does."""


def read_user(message: OneUser, violations: Violations) -> User:
    """The user of a request; what breaks a rule is noted and left out."""
    check_user_id(message.user_id, violations)
    attributes = mapping(message.attributes, "attributes", violations)
    segments = forced = None
    if message.HasField("qualified_segments"):
        segments = _read_segments(message.qualified_segments, violations)
    if message.forced_decisions:
        forced = _read_forced(message.forced_decisions, violations)
    return User(message.user_id, attributes, segments, forced)


def attributes_left_out(attributes: Mapping[str, Value]) -> Sequence[str]:
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

"""What the client answered, in the canonical form of clients/conformance/README.md: RFC 8785 and tagged values."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from typing import Any, Final

from sidecar_client import (
    Accepted,
    Decision,
    Decisions,
    Imported,
    SidecarError,
    Value,
    VariableError,
    VariableTypeMismatch,
)

UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def dumps(form: Any) -> bytes:
    """A line of RFC 8785; its numbers are whole, which is all that the forms have."""
    return json.dumps(_sorted(form), ensure_ascii=False, separators=(",", ":")).encode()


def _sorted(form: Any) -> Any:
    if isinstance(form, dict):
        # RFC 8785 §3.2.3: by UTF-16 code units.
        return {key: _sorted(form[key]) for key in sorted(form, key=lambda key: key.encode("utf-16-be"))}
    return [_sorted(each) for each in form] if isinstance(form, list) else form


def value(given: Value) -> Any:
    """A VALUE of an answer."""
    if isinstance(given, list):
        return {"list": [value(each) for each in given]}
    if isinstance(given, dict):
        return {"map": values(given)}
    if isinstance(given, float):
        bits = struct.pack(">d", given).hex()
        return {"double": "7ff8000000000000" if math.isnan(given) else bits}
    return {"int": str(given)} if isinstance(given, int) and not isinstance(given, bool) else given


def values(given: Mapping[str, Value]) -> dict[str, Any]:
    """The entries of a map."""
    return {key: value(each) for key, each in given.items()}


def named(identity: str, given: str | None) -> str:
    """An id: as it is when the step gave it, or when it is no UUID."""
    return "<uuid>" if not given and UUID.fullmatch(identity) else identity


def decision(answered: Decision, step: Mapping[str, Any]) -> dict[str, Any]:
    """A DECISION."""
    return {
        "flag_key": answered.flag_key,
        "variation_key": answered.variation_key,
        "enabled": answered.enabled,
        "variables": values(answered.variables),
        "rule_key": answered.rule_key,
        "rule_type": str(answered.rule_type),
        "reason": str(answered.reason),
        "experiment_id": answered.experiment_id,
        "variation_id": answered.variation_id,
        "reasons": [] if answered.error_reason else list(answered.reasons),
        "revision": answered.revision,
        "decision_id": named(answered.decision_id, step.get("decision_id")),
        "error_reason": answered.error_reason,
    }


def decisions(answered: Decisions, step: Mapping[str, Any]) -> dict[str, Any]:
    """DECISIONS."""
    return {
        "decisions": [decision(each, step) for each in answered.values()],
        "revision": answered.revision,
        "decision_id": named(answered.decision_id, step.get("decision_id")),
        "error_reason": answered.error_reason,
    }


def accepted(answered: Accepted, step: Mapping[str, Any]) -> dict[str, Any]:
    """ACCEPTED."""
    outcomes = [
        {"destination": each.destination, "state": str(each.state), "reason": each.reason} for each in answered.outcomes
    ]
    return {
        "event_id": named(answered.event_id, step.get("event_id")),
        "outcomes": outcomes,
        "exposure_seen_here": answered.exposure_seen_here,
        "buffered": answered.buffered,
    }


def imported(answered: Imported) -> dict[str, Any]:
    """IMPORTED."""
    outcomes = [
        {"destination": each.destination, "state": str(each.state), "reason": each.reason, "events": count}
        for each, count in answered.outcomes.items()
    ]
    return {
        "accepted": answered.accepted,
        "repeated": answered.repeated,
        "refused": [
            {"first_index": each.first_index, "events": each.events, "error": client_error(each.error, {})}
            for each in answered.refused
        ],
        "outcomes": sorted(outcomes, key=lambda each: (each["destination"], each["state"], each["reason"])),
    }


def client_error(error: SidecarError, step: Mapping[str, Any]) -> dict[str, Any]:
    """An ERROR of the sidecar, or of the client itself."""
    pause_s = error.retry_after_s
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "reason": error.reason,
        "violations": [{"field": each.field, "description": each.description} for each in error.violations],
        "retryable": error.retryable,
        "retry_after_ms": None if pause_s is None else round(pause_s * 1000),
        "event_id": named(error.event_id, step.get("event_id")),
    }


def variable_error(error: VariableError, wanted: str) -> dict[str, Any]:
    """A VARIABLE_ERROR."""
    form = {"kind": type(error).__name__, "flag_key": error.flag_key, "variable_key": error.variable_key}
    if isinstance(error, VariableTypeMismatch):
        form["got"] = kind_of(error.got)
    return form | {"wanted": wanted}


def kind_of(got: object) -> str:
    """The kind of a value by the word of the contract."""
    for kind, word in ((str, "string"), (bool, "boolean"), (int, "integer"), (float, "double")):
        if isinstance(got, kind):
            return word
    return "json"

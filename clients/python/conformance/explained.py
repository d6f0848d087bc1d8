"""An EXPLANATION in the canonical form: the fields of explain.proto by their names."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from clients.python.conformance.canonical import decision, value
from sidecar_client import Bucketing, BucketRange, Compared, Condition, ExplainedRule, Explanation


def explanation(answered: Explanation) -> dict[str, Any]:
    """An EXPLANATION."""
    return {
        "decision": decision(answered.decision, {}),
        "revision": answered.revision,
        "bucketing_id": answered.bucketing_id,
        "makes_impression": answered.makes_impression,
        "rules": [form(rule) for rule in answered.rules],
    }


def form(part: ExplainedRule | Condition | Bucketing | BucketRange) -> dict[str, Any]:
    """A RULE, CONDITION, BUCKETING or RANGE: every field, but for a comparison's values that are not there."""
    given = {each.name: getattr(part, each.name) for each in fields(part)}
    return {name: _one(field) for name, field in given.items() if field is not None or name not in {"wanted", "seen"}}


def _one(field: object) -> Any:
    if isinstance(field, tuple):
        return [_one(each) for each in field]
    if isinstance(field, Compared):
        return value(field.value)
    if isinstance(field, (ExplainedRule, Condition, Bucketing, BucketRange)):
        return form(field)
    return str(field) if isinstance(field, str) else field

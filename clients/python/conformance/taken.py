"""What a step says, in the values of Python: the forms of clients/conformance/README.md, read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal as Amount
from typing import Any, Final

from sidecar_client import Decision, Money
from sidecar_client.variables import Value, Variables

PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "track": ("event_key",),
    "identify": (),
    "page": ("name",),
    "screen": ("name",),
    "group": ("group_id",),
    "alias": ("previous_id",),
}
"""What each event takes by place."""
MAPS: Final = ("tags", "properties", "traits", "context", "integrations")


def native(form: Any) -> Any:
    """A VALUE of a step."""
    if not isinstance(form, dict):
        return form
    match form:
        case {"int": str(digits)}:
            return int(digits)
        case {"double": str(text)}:
            return float(text)
        case {"repeat": str(text), "times": int(times)}:
            return text * times
        case {"list": list(elements)}:
            return [native(each) for each in elements]
        case {"map": dict(entries)}:
            return {key: native(each) for key, each in entries.items()}
        case _:
            raise ValueError(f"value is {form}, wanted one of the forms of clients/conformance/README.md")


def seconds(step: Mapping[str, Any]) -> dict[str, float]:
    """The deadline of a step, if it has one."""
    return {"timeout_s": step["timeout_ms"] / 1000} if "timeout_ms" in step else {}


def default(flag_key: str, form: Mapping[str, Any]) -> Decision:
    """A DEFAULT of a step."""
    variables: dict[str, Value] = native({"map": form.get("variables", {})})
    return Decision(
        flag_key=flag_key,
        variation_key=form.get("variation_key", ""),
        enabled=form.get("enabled", False),
        variables=Variables(variables, flag_key=flag_key),
    )


def event_arguments(step: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of one of the six events: those by place, those by name."""
    options: dict[str, Any] = {key: native({"map": step[key]}) for key in MAPS if key in step}
    options |= {key: step[key] for key in ("event_id", "category") if key in step}
    if "timestamp" in step:
        options["timestamp"] = datetime.fromisoformat(step["timestamp"])
    if "revenue" in step:
        options["revenue"] = Money(Amount(step["revenue"]["amount"]), step["revenue"]["currency"])
    return [step[place] for place in PLACES[step["call"]]], options

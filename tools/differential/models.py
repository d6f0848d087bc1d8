"""What a ruling makes of one of the SDK's functions: written from the rulings, without a line of our engine.

Each stands in for the method of that signature. Sources: docs/semantics.md C8 to C12 (R4), V1 to V4 (R9), V6 (R10).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from optimizely.project_config import ProjectConfig

_INT64: Final = range(-(2**63), 2**63)
_DEPTH_MAX: Final = 32
_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_DOUBLE: Final = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_original_value: Final = ProjectConfig.get_variable_value_for_variation


def versions(evaluator: Any, target_version: str, user_version: str) -> int | None:
    """R4: as the SDK compares, but a number is below a word and a digit is a decimal digit."""
    target, user = _split(target_version), _split(user_version)
    if target is None or user is None:
        return None
    pre_target = bool(evaluator.is_pre_release_version(target_version))
    pre_user = bool(evaluator.is_pre_release_version(user_version))
    for index, wanted in enumerate(target):
        if index == len(user):
            return 1 if pre_target or evaluator.is_build_version(target_version) else -1
        seen = user[index]
        order = _order(seen, wanted)
        if order and not seen.isdecimal():
            if order < 0 and pre_target and not pre_user:
                return 1
            if order > 0 and pre_user and not pre_target:
                return -1
        if order:
            return order
    return -1 if pre_user and not pre_target else 0


def _order(seen: str, wanted: str) -> int:
    if not seen.isdecimal():
        return (seen > wanted) - (seen < wanted)
    if not wanted.isdecimal():
        return -1
    return (int(seen) > int(wanted)) - (int(seen) < int(wanted))


def _split(version: str) -> list[str] | None:
    numbers, *suffix = re.split(r"[-+]", version, maxsplit=1)
    parts = numbers.split(".")
    if " " in version or len(parts) > 3 or not all(part.isdecimal() for part in parts):
        return None
    return [*parts, *suffix]


def typed(_config: Any, value: str, kind: str) -> Any:
    """R9: the SDK makes null of whatever raises here."""
    if kind == "boolean":
        return {"true": True, "false": False}[value]
    if kind == "integer":
        number = int(value) if _INTEGER.fullmatch(value) else None
        return number if number is not None and number in _INT64 else None
    if kind == "double":
        fraction = float(value) if _DOUBLE.fullmatch(value) else math.nan
        return fraction if math.isfinite(fraction) else None
    if kind == "json":
        return _bounded(json.loads(value, parse_constant=_refuse), _DEPTH_MAX)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"`{constant}` is no JSON")


def _bounded(value: Any, depth: int) -> Any:
    if isinstance(value, dict | list) and depth == 0:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {key: _bounded(child, depth - 1) for key, child in value.items()}
    if isinstance(value, list):
        return [_bounded(child, depth - 1) for child in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("beyond a double")
    if isinstance(value, int) and not isinstance(value, bool) and value not in _INT64:
        return float(value)
    return value


def value_of(config: Any, variable: Any, variation: Any) -> Any:
    """R10: a holdout's variation, which the SDK keeps as a dictionary, leaves every variable at its default."""
    return variable.defaultValue if isinstance(variation, dict) else _original_value(config, variable, variation)

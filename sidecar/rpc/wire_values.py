"""`Value` of the contract ↔ native values. Maps of a request are converted and checked in one pass.

Bounds: `limits`; the depth of a scalar is 0. What breaks a bound is reported with its path and left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sidecar import limits
from sidecar.pb import value_pb2
from sidecar.rpc.requests import Violations
from sidecar.values import Value

# A character takes at most four bytes of UTF-8: what is this short needs no encoding to be measured.
_KEY_CHARACTERS_SURE: Final = limits.KEY_BYTES_MAX // 4
_VALUE_CHARACTERS_SURE: Final = limits.VALUE_BYTES_MAX // 4

_INT64: Final = range(-(2**63), 2**63)


def mapping(  # noqa: C901 - one branch a kind, see below why in line
    fields: Mapping[str, value_pb2.Value], where: str, violations: Violations
) -> dict[str, Value]:
    """A map of a request as native values; `where` is the field's name, for the violations."""
    if not fields:
        return {}
    if len(fields) > limits.ATTRIBUTES_MAX:
        violations.add(where, f"has {len(fields)} entries, wanted at most {limits.ATTRIBUTES_MAX}")
        return {}
    native: dict[str, Value] = {}
    # Why not `items()`: of a map of messages it is Python's own, and takes twice as long as looking each up.
    for key in fields:
        value = fields[key]
        if len(key) > _KEY_CHARACTERS_SURE and not _key_fits(key, where, violations):
            continue
        # Why in line: nearly every attribute is a short string or a number, and a call costs more than its check.
        kind = value.WhichOneof("kind")
        if kind == "string_value":
            text = value.string_value
            if len(text) > _VALUE_CHARACTERS_SURE and not _value_fits(value, f"{where}.{key}", violations):
                continue
            native[key] = text
        elif kind == "int_value":
            native[key] = value.int_value
        elif kind == "bool_value":
            native[key] = value.bool_value
        elif kind == "double_value":
            native[key] = value.double_value
        elif kind is None or kind == "null_value":
            native[key] = None
        elif _value_fits(value, f"{where}.{key}", violations):
            native[key] = _nested(value, f"{where}.{key}", violations, 0)
    return native


def trusted_mapping(fields: Mapping[str, value_pb2.Value]) -> dict[str, Value]:
    """The same for a request that was checked when it was accepted."""
    # Why asked first: most maps of most events are empty, and an empty loop over a map of messages costs a microsecond.
    return {key: _nested(fields[key], key, _NONE, 0) for key in fields} if fields else {}


def to_wire(native: Value) -> value_pb2.Value:
    """A native value as a message; an integer beyond int64 becomes the nearest double."""
    value = value_pb2.Value()
    if native is None:
        value.null_value = value_pb2.NULL_VALUE_UNSPECIFIED
    elif isinstance(native, bool):
        value.bool_value = native
    elif isinstance(native, int):
        if native in _INT64:
            value.int_value = native
        else:
            value.double_value = float(native)
    elif isinstance(native, float):
        value.double_value = native
    elif isinstance(native, str):
        value.string_value = native
    elif isinstance(native, Mapping):
        value.map_value.SetInParent()
        for key, item in native.items():
            value.map_value.fields[key].CopyFrom(to_wire(item))
    else:
        value.list_value.SetInParent()
        value.list_value.values.extend(to_wire(item) for item in native)
    return value


def _nested(value: value_pb2.Value, where: str, violations: Violations, depth: int) -> Value:
    kind = value.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind not in ("list_value", "map_value"):
        scalar: Value = getattr(value, kind)
        return scalar
    if depth >= limits.DEPTH_MAX:
        violations.add(where, f"nests deeper than {limits.DEPTH_MAX} levels of lists and maps")
        return None
    if kind == "list_value":
        items = value.list_value.values
        return [_nested(item, f"{where}[{at}]", violations, depth + 1) for at, item in enumerate(items)]
    fields = value.map_value.fields
    if len(fields) > limits.ATTRIBUTES_MAX and violations is not _NONE:
        violations.add(where, f"has {len(fields)} entries, wanted at most {limits.ATTRIBUTES_MAX}")
        return None
    return {key: _nested(item, f"{where}.{key}", violations, depth + 1) for key, item in fields.items()}


def _key_fits(key: str, where: str, violations: Violations) -> bool:
    size = len(key.encode())
    if size <= limits.KEY_BYTES_MAX:
        return True
    violations.add(where, f"has the key `{key[:40]}…` of {size} bytes, wanted at most {limits.KEY_BYTES_MAX}")
    return False


def _value_fits(value: value_pb2.Value, where: str, violations: Violations) -> bool:
    # Why twice: a string's bound is of its text, a list's or map's of all that it holds, as encoded.
    text = value.WhichOneof("kind") == "string_value"
    size = len(value.string_value.encode()) if text else value.ByteSize()
    if size <= limits.VALUE_BYTES_MAX:
        return True
    violations.add(where, f"is {size} bytes, wanted at most {limits.VALUE_BYTES_MAX}")
    return False


_NONE: Final = Violations()

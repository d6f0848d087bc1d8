"""What a field's annotation says, as the rest of this package wants to know it."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, TypeAlias

TypeForm: TypeAlias = Any
"""A field's type as annotated: a class, a union, a generic alias. Python 3.11 has no narrower name for these."""


def without_none(wanted: TypeForm) -> TypeForm:
    """The type of `X | None` without its None; any other as it is."""
    if origin_of(wanted) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(wanted) if part is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return wanted


def origin_of(wanted: TypeForm) -> object:
    """What a generic alias is made of, as `tuple` of `tuple[str, ...]`; None for a plain class."""
    return typing.get_origin(wanted)


def key_of(field_name: str) -> str:
    """The YAML key of a field: its name, without the unit of a duration."""
    return field_name.removesuffix("_s")


def required(field: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING

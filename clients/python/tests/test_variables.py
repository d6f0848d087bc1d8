"""Variables by type: what is read, what falls to the default, and what the error names."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar_client import Decision, VariableMissing, Variables, VariableTypeMismatch

VARIABLES = Variables(
    {"s": "text", "i": 2**53 + 1, "d": 0.5, "b": True, "j": {"a": [1]}, "null": None}, flag_key="checkout"
)
READERS = {"string": "s", "integer": "i", "double": "d", "boolean": "b", "json": "j"}


@pytest.mark.parametrize(("reader", "key"), READERS.items())
def test_each_type_reads_its_own(reader: str, key: str) -> None:
    value = getattr(VARIABLES, reader)(key)
    assert value == VARIABLES[key]
    assert type(value) is type(VARIABLES[key])


@pytest.mark.parametrize(
    ("reader", "key"),
    [
        (reader, key)
        for reader in READERS
        for key in READERS.values()
        if key != READERS[reader] and (reader, key) != ("double", "i")
    ],
)
def test_another_type_is_an_error_even_with_a_default(reader: str, key: str) -> None:
    with pytest.raises(VariableTypeMismatch) as caught:
        getattr(VARIABLES, reader)(key, None)
    assert (caught.value.flag_key, caught.value.variable_key) == ("checkout", key)
    assert caught.value.got == VARIABLES[key]


def test_the_error_names_flag_variable_got_and_wanted() -> None:
    with pytest.raises(TypeError, match=r"variable `s` of flag `checkout` is str `text`, wanted an integer"):
        VARIABLES.integer("s")


def test_an_integer_is_read_as_a_double() -> None:
    assert repr(Variables({"i": 3}).double("i")) == "3.0"


@pytest.mark.parametrize("key", ["null", "absent"])
@pytest.mark.parametrize("reader", READERS)
def test_absent_and_null_are_the_default(reader: str, key: str) -> None:
    default: Any = object()
    assert getattr(VARIABLES, reader)(key, default) is default
    with pytest.raises(VariableMissing, match=f"flag `checkout` has no value for variable `{key}`"):
        getattr(VARIABLES, reader)(key)


def test_a_default_decision_knows_its_flag_in_errors() -> None:
    with pytest.raises(VariableTypeMismatch, match="of flag `paywall`"):
        Decision.default("paywall", trial_days=7).variables.string("trial_days")

"""Which transport a client takes."""

from __future__ import annotations

import sys

import pytest

from sidecar_client import connect
from sidecar_client._transports import VARIABLE


def chosen(**options: str) -> str:
    with connect("127.0.0.1:1", **options) as client:  # type: ignore[arg-type] # names of transports, right and wrong
        return type(client._transport).__name__


def test_the_variable_stands_above_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "grpcio")
    assert chosen(transport="auto") == "GrpcTransport"


def test_auto_is_grpcio_without_the_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setitem(sys.modules, "decision_sidecar_native", None)
    assert chosen() == "GrpcTransport"


def test_native_without_the_codec_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setitem(sys.modules, "decision_sidecar_native", None)
    with pytest.raises(ValueError, match="transport is `native`, but the package"):
        chosen(transport="native")


def test_auto_is_native_with_the_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("decision_sidecar_native")
    monkeypatch.delenv(VARIABLE)
    assert chosen() == "NativeTransport"


@pytest.mark.parametrize("variable", ["", "carrier pigeon"])
def test_a_transport_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(VARIABLE, variable)
    with pytest.raises(ValueError, match="`carrier pigeon`, wanted auto, native, grpcio"):
        chosen(transport="auto" if variable else "carrier pigeon")

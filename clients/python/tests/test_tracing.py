"""The trace of the caller's span goes with each try, when the application has OpenTelemetry; nothing else does."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from clients.python.tests.scripted import Listening
from sidecar_client import aio, connect
from sidecar_client._tracing import headers

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Context:
    """What opentelemetry.trace.SpanContext is, as far as it is read."""

    trace_id: int = 0x0AF7651916CD43DD8448EB211C80319C
    span_id: int = 0xB7AD6B7169203331
    trace_flags: int = 1
    is_valid: bool = True
    state: str = ""
    trace_state: SimpleNamespace = field(init=False)

    def __post_init__(self) -> None:
        self.trace_state = SimpleNamespace(to_header=lambda: self.state)


def current(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    span = SimpleNamespace(get_span_context=lambda: context)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", SimpleNamespace(get_current_span=lambda: span))


def test_without_opentelemetry_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace", raising=False)
    assert headers() == ()


def test_without_a_span_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    current(monkeypatch, Context(is_valid=False))
    assert headers() == ()


def test_the_span_is_sent_as_traceparent(monkeypatch: pytest.MonkeyPatch) -> None:
    current(monkeypatch, Context())
    assert headers() == (("traceparent", TRACEPARENT),)


def test_a_trace_state_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    current(monkeypatch, Context(state="shop=7"))
    assert headers() == (("traceparent", TRACEPARENT), ("tracestate", "shop=7"))


def test_the_sidecar_gets_it_beside_the_token(monkeypatch: pytest.MonkeyPatch, listening: Listening) -> None:
    current(monkeypatch, Context())
    with connect(listening.address, token="secret", strict=True) as client:
        client.user("u1").decide("a", timeout_s=5)
    assert listening.script.metadata["traceparent"] == TRACEPARENT
    assert listening.script.metadata["authorization"] == "Bearer secret"


async def test_the_asyncio_client_sends_it_too(monkeypatch: pytest.MonkeyPatch, listening: Listening) -> None:
    current(monkeypatch, Context())
    async with aio.connect(listening.address, strict=True) as client:
        await client.user("u1").decide("a", timeout_s=5)
    assert listening.script.metadata["traceparent"] == TRACEPARENT


def test_the_real_opentelemetry_is_read_alike() -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    context = trace.SpanContext(
        0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=False, trace_flags=trace.TraceFlags(1)
    )
    with trace.use_span(trace.NonRecordingSpan(context)):
        assert headers() == (("traceparent", TRACEPARENT),)
    assert headers() == ()

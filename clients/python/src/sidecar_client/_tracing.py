"""The current span of OpenTelemetry, as W3C headers. No dependency: only what the application has imported is asked."""

from __future__ import annotations

import sys
from typing import Any, Final

MODULE: Final = "opentelemetry.trace"
"""Until it is imported there is no span, and no need to ask for one."""


def headers() -> tuple[tuple[str, str], ...]:
    """`traceparent`, and `tracestate` when it is not empty, of the current span; nothing without a valid one.

    Source: https://www.w3.org/TR/trace-context/ version 00.
    """
    # Why not an import: an application that has a span has imported it, and no other one should pay for it.
    trace: Any = sys.modules.get(MODULE)
    if trace is None:
        return ()
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return ()
    parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
    state = context.trace_state.to_header() if context.trace_state else ""
    return (("traceparent", parent), ("tracestate", state)) if state else (("traceparent", parent),)

"""What one lane tells about itself, for `/metrics`, `GetStatus` and the log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class DestinationStatus:
    """Counts since the process started, and how the destination is now. Written by its lane alone.

    Times are milliseconds since 1970 UTC, 0 when it never happened. What is pending or dead in all is the
    outbox's to say. `failures` counts attempts that failed in a row; 0 = the last one was answered for good.
    """

    destination: str
    attempts: int = 0
    retries: int = 0
    batches_delivered: int = 0
    events_delivered: int = 0
    bytes_delivered: int = 0
    events_dead: int = 0
    latency_s_sum: float = 0.0
    latency_s_last: float = 0.0
    failures: int = 0
    paused: bool = False
    pause_reason: str = ""
    paused_since_ms: int = 0
    last_error: str = ""
    last_error_status: int = 0
    last_error_ms: int = 0
    last_delivered_ms: int = 0

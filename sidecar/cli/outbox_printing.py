"""What `sidecar outbox` prints as text: tables of counts, of what waits and of what died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sidecar.cli.printing import print_lines, table


def print_counts(counts: Sequence[Mapping[str, Any]]) -> None:
    """One line a destination."""
    rows = [("destination", "accepted", "delivered", "pending", "dead", "dropped", "pending bytes")]
    rows += [
        (
            str(one["destination"]),
            str(one["accepted"]),
            str(one["delivered"]),
            str(one["pending"]),
            str(one["dead"]),
            " ".join(f"{reason}={events}" for reason, events in one["dropped"].items()) or "0",
            str(one["pending_bytes"]),
        )
        for one in counts
    ]
    print_lines(table(rows))


def print_events(events: Sequence[Mapping[str, Any]]) -> None:
    """One line an event, in the order of delivery."""
    rows = [("accepted", "kind", "event id")]
    rows += [(str(one["accepted_time"]), _kind(one), str(one["event_id"])) for one in events]
    print_lines(table(rows, left=3) if events else ["none waits"])


def print_dead_letters(letters: Sequence[Mapping[str, Any]]) -> None:
    """One line a dead letter, oldest first."""
    rows = [("id", "died", "reason", "status", "kind", "event id", "error")]
    rows += [
        (
            str(one["dead_letter_id"]),
            str(one["dead_time"]),
            str(one["reason"]),
            str(one["http_status"] or ""),
            _kind(one["event"]),
            str(one["event"]["event_id"]),
            " ".join(str(one["error"]).split()),
        )
        for one in letters
    ]
    print_lines(table(rows, left=7) if letters else ["there are none"])


def _kind(event: Mapping[str, Any]) -> str:
    return str(event["kind"]) or "unreadable"

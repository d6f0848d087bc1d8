"""What waits and what died, as messages of `AdminService`, and the page tokens between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Final

from sidecar.events.model import Event, kind_of
from sidecar.events.plain import json_event
from sidecar.pb import admin_pb2
from sidecar.ports import DeadLetter, DestinationCounts, RecordCodec, StoredRecord

_ERROR_BYTES_MAX: Final = 1024


def pending_events(records: Sequence[StoredRecord], codec: RecordCodec) -> Iterator[admin_pb2.PendingEvent]:
    """Each event of these records, in order; one that cannot be read says when it was accepted and no more."""
    for record in records:
        for index in record.indexes:
            yield pending_event(record._replace(indexes=(index,)), codec)


def pending_event(record: StoredRecord, codec: RecordCodec) -> admin_pb2.PendingEvent:
    """The one event that `record.indexes` names."""
    message = admin_pb2.PendingEvent()
    try:
        (event,) = codec.events(record)
        message = admin_pb2.PendingEvent(
            event_id=event.origin.event_id,
            kind=f"EVENT_KIND_{kind_of(event).name}",
            datafile=event.origin.datafile,
            event_json=_json(event, record, codec),
        )
    except ValueError:
        # A record that cannot be read is shown as one.
        message.Clear()
    message.accepted_time.FromMilliseconds(record.received_ms)
    return message


def dead_letter(letter: DeadLetter, codec: RecordCodec) -> admin_pb2.DeadLetter:
    """One dead letter with its event."""
    message = admin_pb2.DeadLetter(
        dead_letter_id=str(letter.dead_id),
        event=pending_event(letter.record, codec),
        reason=letter.reason,
        error=letter.detail.encode()[:_ERROR_BYTES_MAX].decode(errors="ignore"),
        http_status=letter.status,
        attempts=letter.attempts,
    )
    message.dead_time.FromMilliseconds(letter.died_ms)
    return message


def stats_of(counts: DestinationCounts, now_ms: int) -> admin_pb2.DestinationStats:
    """The counts of one destination, without what its delivery knows."""
    message = admin_pb2.DestinationStats(
        destination=counts.destination,
        accepted=counts.accepted,
        delivered=counts.delivered,
        pending=counts.pending,
        pending_bytes=counts.pending_bytes,
        dead=counts.dead,
        dead_bytes=counts.dead_bytes,
        dropped=dict(counts.dropped),
    )
    if counts.pending:
        message.oldest_age.FromMilliseconds(max(0, now_ms - counts.oldest_pending_ms))
    return message


def page_token(destination: str, after: int) -> str:
    """What names the place behind a dead letter; good for this destination alone, whatever happens to the letters."""
    return base64.urlsafe_b64encode(f"{after} {destination}".encode()).decode()


def place_of(token: str, destination: str) -> int | None:
    """The id behind which the next page begins; None when the token is none of this destination's."""
    try:
        after, _, named = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode().partition(" ")
    except (ValueError, binascii.Error):
        return None
    return int(after) if named == destination and after.isdecimal() and len(after) <= ID_DIGITS_MAX else None


ID_DIGITS_MAX: Final = 18
"""Digits of an id: what fits into 64 bits for sure."""


def _json(event: Event, record: StoredRecord, codec: RecordCodec) -> str:
    return json_event(event, codec.facts(record.facts) if record.facts else None).decode()

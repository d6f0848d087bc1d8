"""What may be known of an event without looking at each of its values, so that events that are alike are judged once.

Pure. Used where it is decided to whom events go (`ports.EventSort`). Rules: docs/events.md.
"""

from __future__ import annotations

from typing import TypeGuard

from sidecar.events.model import Event, Track
from sidecar.events.money import are_simple
from sidecar.events.wire import sort_bytes_at_most

__all__ = ["is_simple_track", "sort_bytes_at_most"]


def is_simple_track(event: Event) -> TypeGuard[Track]:
    """Whether it is a Track that is no history, of which nothing is refused or left out anywhere for what it holds.

    It has neither `properties` nor typed revenue nor `integrations`, and its `event_tags` are simple; the size of its
    request bounds what it becomes.
    """
    if not isinstance(event, Track) or event.properties or event.revenue is not None:
        return False
    origin = event.origin
    if origin.historical or origin.integrations or "integrations" in origin.context or not origin.request_bytes:
        return False
    return are_simple(event.event_tags)

"""The types of destination by name: its section and how it is made. A new type is one line here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from sidecar.destinations.file import FileConfig, FileDestination
from sidecar.destinations.http import HttpClient
from sidecar.destinations.optimizely import OptimizelyConfig, OptimizelyDestination
from sidecar.destinations.segment import SegmentConfig, SegmentDestination
from sidecar.destinations.stdout import StdoutConfig, StdoutDestination
from sidecar.destinations.webhook import WebhookConfig, WebhookDestination
from sidecar.ports import Destination


@dataclass(frozen=True, slots=True)
class DestinationType:
    """A type of destination: `make(name, section, client)` makes one; the client is shared by the process."""

    section: type
    make: Callable[[str, Any, HttpClient], Destination]


def _unbuffered(stream: BinaryIO) -> BinaryIO:
    """The stream below, where there is one: a buffer is locked while it is written, and flushed when Python ends."""
    raw: BinaryIO = getattr(stream, "raw", stream)
    return raw


TYPES: Final[Mapping[str, DestinationType]] = {
    "optimizely": DestinationType(OptimizelyConfig, OptimizelyDestination),
    "segment": DestinationType(SegmentConfig, SegmentDestination),
    "webhook": DestinationType(WebhookConfig, WebhookDestination),
    "file": DestinationType(FileConfig, lambda name, section, _client: FileDestination(name, section)),
    "stdout": DestinationType(
        StdoutConfig, lambda name, section, _client: StdoutDestination(name, section, _unbuffered(sys.stdout.buffer))
    ),
}
"""Every type that `destinations: [{type: …}]` can name."""

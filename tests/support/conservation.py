"""Whether a running daemon lost an event: accepted = delivered + pending + dead + dropped{reason}, per destination.

Read from `/metrics`, whose counts are of one transaction, so it holds while events come and go.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from prometheus_client.parser import text_string_to_metric_families

from sidecar.ports import DestinationCounts

ANSWER_S: Final = 15.0
"""How long the daemon may take to answer, on a busy machine."""
_PREFIX: Final = "sidecar_outbox_"
_DROPPED: Final = f"{_PREFIX}dropped_total"
_FIELDS: Final = {
    f"{_PREFIX}accepted_total": "accepted",
    f"{_PREFIX}delivered_total": "delivered",
    f"{_PREFIX}pending": "pending",
    f"{_PREFIX}pending_bytes": "pending_bytes",
    f"{_PREFIX}dead": "dead",
    f"{_PREFIX}dead_bytes": "dead_bytes",
}


class HasHttp(Protocol):
    """A daemon, by the address of its HTTP face: `tests.support.daemon.Daemon` is one."""

    http: str


def conserved(daemon: HasHttp) -> dict[str, DestinationCounts]:
    """The counts of each destination of a running daemon, by name; fails unless each of them adds up."""
    with urllib.request.urlopen(f"http://{daemon.http}/metrics", timeout=ANSWER_S) as answer:
        counts = counts_of(answer.read().decode())
    assert_conserved(counts.values())
    return counts


def counts_of(exposition: str) -> dict[str, DestinationCounts]:
    """The counts of each destination, out of the text that `/metrics` answers."""
    fields: dict[str, dict[str, Any]] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name not in _FIELDS and sample.name != _DROPPED:
                continue
            mine = fields.setdefault(sample.labels["destination"], {"dropped": {}})
            if sample.name == _DROPPED:
                mine["dropped"][sample.labels["reason"]] = int(sample.value)
            else:
                mine[_FIELDS[sample.name]] = int(sample.value)
    return {name: DestinationCounts(destination=name, **mine) for name, mine in fields.items()}


def assert_conserved(counts: Iterable[DestinationCounts]) -> None:
    """Fail with the counts of each destination whose events do not add up."""
    wrong = [one for one in counts if not one.conserved]
    assert not wrong, f"accepted is not delivered + pending + dead + dropped: {wrong}"


def accepted_of(counts: Mapping[str, DestinationCounts]) -> dict[str, int]:
    """How many events each destination was given since its outbox was made."""
    return {name: one.accepted for name, one in counts.items()}

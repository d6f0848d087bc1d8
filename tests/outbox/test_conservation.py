"""What the fault tests rest on: that the counts of a daemon are read as they are, and that a lost event shows."""

from __future__ import annotations

import pytest

from tests.support.conservation import assert_conserved, counts_of

EXPOSITION = """\
# TYPE sidecar_outbox_accepted_total counter
sidecar_outbox_accepted_total{destination="a"} 9.0
# TYPE sidecar_outbox_delivered_total counter
sidecar_outbox_delivered_total{destination="a"} 4.0
# TYPE sidecar_outbox_pending gauge
sidecar_outbox_pending{destination="a"} 2.0
# TYPE sidecar_outbox_pending_bytes gauge
sidecar_outbox_pending_bytes{destination="a"} 200.0
# TYPE sidecar_outbox_dead gauge
sidecar_outbox_dead{destination="a"} 1.0
# TYPE sidecar_outbox_dead_bytes gauge
sidecar_outbox_dead_bytes{destination="a"} 100.0
# TYPE sidecar_outbox_dropped_total counter
sidecar_outbox_dropped_total{destination="a",reason="DEAD_LETTERS_FULL"} 1.0
sidecar_outbox_dropped_total{destination="a",reason="PURGED"} 1.0
"""


def test_counts_are_read_from_the_exposition() -> None:
    (only,) = counts_of(EXPOSITION).values()
    assert (only.accepted, only.delivered, only.pending, only.dead) == (9, 4, 2, 1)
    assert only.dropped == {"DEAD_LETTERS_FULL": 1, "PURGED": 1}
    assert_conserved([only])


def test_an_event_that_is_missing_fails() -> None:
    with pytest.raises(AssertionError, match="accepted=10"):
        assert_conserved(counts_of(EXPOSITION.replace(" 9.0", " 10.0")).values())

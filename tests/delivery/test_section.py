"""Twin of sidecar/delivery/section.py, and of the pace that is made of it."""

from __future__ import annotations

import pytest

from sidecar import retry
from sidecar.config import read
from sidecar.delivery import DeliverySection, Pace
from sidecar.errors import ConfigInvalid


def test_the_configured_waits_are_those_of_the_lanes() -> None:
    section = DeliverySection(backoff_min_s=0.1, backoff_max_s=0.4, pause_probe_interval_s=3.0)
    pace = Pace.configured(section, age_max_s=3_600.0, destinations=["a"])
    assert [pace.delay_s(failure, 0.0) for failure in range(4)] == [0.1, 0.2, 0.2, 0.2]
    assert [round(pace.delay_s(failure, 0.999), 1) for failure in range(4)] == [0.2, 0.4, 0.4, 0.4]
    assert (pace.backoff_min_s, pace.probe_interval_s, pace.age_max_s("a")) == (0.1, 3.0, 3_600.0)


def test_the_defaults_are_those_of_a_pace_that_was_told_nothing() -> None:
    pace = Pace.configured(DeliverySection(), age_max_s=86_400.0, destinations=[])
    plain = Pace()
    assert (pace.backoff_min_s, pace.probe_interval_s) == (plain.backoff_min_s, plain.probe_interval_s)
    assert pace.expiry_interval_s == plain.expiry_interval_s
    assert [pace.delay_s(n, 0.5) for n in range(9)] == [retry.delay_s(n, 0.5) for n in range(9)]


def test_a_short_bound_on_age_is_looked_after_often_enough_to_be_kept() -> None:
    assert Pace.configured(DeliverySection(), age_max_s=2.0, destinations=["a"]).expiry_interval_s == 0.2


@pytest.mark.parametrize(
    "given",
    [{"backoff_min": "0s"}, {"pause_probe_interval": "0s"}, {"backoff_min": "2s", "backoff_max": "1s"}],
    ids=["no least wait", "no probe interval", "longest below least"],
)
def test_waits_that_cannot_be_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ConfigInvalid, match="wanted"):
        read(DeliverySection, given)

"""The section `outbox`: what it refuses."""

from __future__ import annotations

import pytest

from sidecar.config import read
from sidecar.errors import ConfigInvalid
from sidecar.outbox import OutboxSection


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"bytes_max": 0}, "bytes_max is 0, wanted 1 or more"),
        ({"age_max": "0s"}, "age_max is 0 s, wanted more than 0 s"),
    ],
)
def test_bound_that_lets_no_event_stay_is_refused(given: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigInvalid, match=problem):
        read(OutboxSection, given)


def test_no_dead_letters_at_all_may_be_wanted() -> None:
    assert read(OutboxSection, {"dead_letter_bytes_max": 0}).dead_letter_bytes_max == 0

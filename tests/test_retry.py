"""The table of answers and the waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.limits import BACKOFF_MAX_S, BACKOFF_MIN_S, RETRY_AFTER_MAX_S
from sidecar.retry import NO_ANSWER, Verdict, delay_s, retry_after_s, verdict

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)

RETRIED = {NO_ANSWER, 408, 410, 429, 460} | set(range(500, 600)) - {501, 505}
PAUSING = {401, 403, 404} | set(range(300, 400))
DELIVERED = set(range(200, 300))


def test_every_status_has_the_verdict_of_its_row() -> None:
    rows = {
        **dict.fromkeys(range(-1, 1_000), Verdict.REFUSED),
        **dict.fromkeys(PAUSING, Verdict.PAUSE),
        **dict.fromkeys(RETRIED, Verdict.RETRY),
        **dict.fromkeys(DELIVERED, Verdict.DELIVERED),
    }
    assert {status: verdict(status) for status in rows} == rows


@pytest.mark.parametrize(
    ("attempt", "shortest_s", "longest_s"),
    [(0, 0.5, 1), (1, 1, 2), (2, 2, 4), (5, 16, 32), (6, 30, 60), (7, 30, 60), (1_000_000, 30, 60)],
)
def test_the_delay_doubles_up_to_a_minute(attempt: int, shortest_s: float, longest_s: float) -> None:
    assert delay_s(attempt, 0.0) == shortest_s
    assert delay_s(attempt, 0.999_999) == pytest.approx(longest_s, rel=1e-5)


@given(st.integers(0, 10**9), st.floats(0, 1, exclude_max=True))
def test_the_delay_stays_within_its_bounds(attempt: int, jitter: float) -> None:
    assert BACKOFF_MIN_S <= delay_s(attempt, jitter) <= BACKOFF_MAX_S


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("1", 1.0),
        (" 17 ", 17.0),
        ("0", BACKOFF_MIN_S),
        ("300", 300.0),
        ("301", RETRY_AFTER_MAX_S),
        ("9" * 5_000, RETRY_AFTER_MAX_S),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), BACKOFF_MIN_S),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), RETRY_AFTER_MAX_S),
        ("Sun, 01 Mar 2026 12:00:40 -0000", 40.0),
        ("Sunday, 01-Mar-26 12:00:40 GMT", 40.0),
        ("Sun, 99 Mar 2026 12:00:40 GMT", None),
    ],
)
def test_retry_after_is_read_and_clamped(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header, NOW_MS) == wait_s


@given(st.text(max_size=40))
def test_no_header_breaks_it(header: str) -> None:
    wait_s = retry_after_s(header, NOW_MS)
    assert wait_s is None or BACKOFF_MIN_S <= wait_s <= RETRY_AFTER_MAX_S

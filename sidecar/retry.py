"""What an answer of a destination means and how long to wait before the next attempt: one table, as data.

Pure: time and randomness are arguments. Rules: docs/decisions/0030-delivery.md.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, NamedTuple

from sidecar.limits import BACKOFF_MAX_S, BACKOFF_MIN_S, RETRY_AFTER_MAX_S


class Verdict(StrEnum):
    """What an answer of a destination means."""

    DELIVERED = "delivered"
    RETRY = "retry"
    PAUSE = "pause"
    REFUSED = "refused"


NO_ANSWER: Final = 0
"""The status of an attempt that brought no HTTP answer: a network error or a timeout."""


class Row(NamedTuple):
    """Statuses from `first` to `last`, both included, mean `verdict`."""

    first: int
    last: int
    verdict: Verdict


# The first row that holds a status decides; a status in no row is REFUSED, so that nothing is retried for
# ever that nobody promised to take.
ANSWERS: Final[tuple[Row, ...]] = (
    Row(NO_ANSWER, NO_ANSWER, Verdict.RETRY),
    Row(200, 299, Verdict.DELIVERED),
    # A redirect is never followed: the POST itself was not taken, and the address is the operator's to
    # correct.
    Row(300, 399, Verdict.PAUSE),
    Row(401, 401, Verdict.PAUSE),
    Row(403, 404, Verdict.PAUSE),
    Row(408, 408, Verdict.RETRY),
    Row(410, 410, Verdict.RETRY),
    Row(429, 429, Verdict.RETRY),
    # 460: a load balancer saw the client hang up; Segment's libraries retry it.
    Row(460, 460, Verdict.RETRY),
    # Not implemented, HTTP version not supported: the same request will never be.
    Row(501, 501, Verdict.REFUSED),
    Row(505, 505, Verdict.REFUSED),
    Row(500, 599, Verdict.RETRY),
)


def verdict(status: int) -> Verdict:
    """The verdict on an HTTP status, or on `NO_ANSWER`. Total: every integer has one."""
    for row in ANSWERS:
        if row.first <= status <= row.last:
            return row.verdict
    return Verdict.REFUSED


def delay_s(attempt: int, jitter: float, *, min_s: float = BACKOFF_MIN_S, max_s: float = BACKOFF_MAX_S) -> float:
    """How long to wait after failed attempt number `attempt` (from 0), when the destination said nothing.

    `jitter` is uniform in 0 ≤ jitter < 1. The ceiling doubles from twice `min_s` to `max_s`; the delay lies in
    its upper half, and always within `min_s`..`max_s`, so that sidecars that failed together spread out.
    """
    # The exponent is bounded, since 2**attempt is a large integer after a day of attempts.
    ceiling_s = min(max_s, 2 * min_s * float(1 << min(attempt, 30)))
    return max(min_s, ceiling_s * (1 + jitter) / 2)


def retry_after_s(header: str | None, now_ms: int) -> float | None:
    """The wait that a Retry-After header asks for, seconds; None when it is absent or says nothing readable.

    An integer of seconds or an HTTP date (RFC 9110 §10.2.3), clamped to `BACKOFF_MIN_S`..`RETRY_AFTER_MAX_S`:
    zero or a date in the past must not make a tight loop, and no destination may silence us for a day.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return _clamped_s(float(text))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": UTC without a place, RFC 5322 §3.3
        moment = moment.replace(tzinfo=UTC)
    return _clamped_s((moment - datetime.fromtimestamp(now_ms / 1000, UTC)).total_seconds())


def _clamped_s(wish_s: float) -> float:
    return min(max(wish_s, BACKOFF_MIN_S), RETRY_AFTER_MAX_S)

"""The walk over the tries of one call, without a clock or a socket: time and jitter are arguments."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from sidecar_client import SidecarFault, Unavailable
from sidecar_client._calls import Call, Counters, Exchange
from sidecar_client.pb import decision_pb2
from sidecar_client.settings import DECIDE_RETRY, EVENT_RETRY, Retry
from sidecar_client.transport import WireFailure

GONE = WireFailure("UNAVAILABLE", "connection refused")


def exchange(retry: Retry, timeout_s: float, counters: Counters | None = None) -> Exchange[bytes]:
    call = Call(method="/m", request=b"", timeout_s=timeout_s, retry=retry, decode=bytes)
    return Exchange(call, counters or Counters(), now_s=100.0)


@given(st.lists(st.floats(0, 1, exclude_max=True), max_size=40), st.floats(0.001, 30))
def test_no_try_begins_after_the_deadline(jitters: list[float], timeout_s: float) -> None:
    tries, now_s = exchange(EVENT_RETRY, timeout_s), 100.0
    for jitter in jitters:
        pause_s = tries.pause_s(GONE, now_s, jitter)
        if pause_s is None:
            break
        now_s += pause_s
        assert now_s < 100.0 + timeout_s
        assert 0 < tries.timeout_s(now_s) <= timeout_s


@pytest.mark.parametrize("retry", [DECIDE_RETRY, EVENT_RETRY])
def test_tries_are_bounded_and_counted(retry: Retry) -> None:
    counters = Counters()
    tries = exchange(retry, 3600.0, counters)
    pauses = 0
    while tries.pause_s(GONE, 100.0, 0.5) is not None:
        pauses += 1
    assert pauses == counters.retries == retry.attempts_max - 1


def test_pauses_double_up_to_their_bound() -> None:
    tries = exchange(Retry(attempts_max=5, pause_min_s=0.1, pause_max_s=0.3), 3600.0)
    assert [tries.pause_s(GONE, 100.0, 0.0) for _ in range(5)] == [0.1, 0.2, 0.3, 0.3, None]


def test_jitter_leaves_out_up_to_half() -> None:
    retry = Retry(attempts_max=2, pause_min_s=0.1, pause_max_s=0.1)
    assert exchange(retry, 9.0).pause_s(GONE, 100.0, 1.0) == pytest.approx(0.05)


@pytest.mark.parametrize("code", ["DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "CANCELLED"])
def test_other_failures_are_final(code: str) -> None:
    assert exchange(EVENT_RETRY, 9.0).pause_s(WireFailure(code, ""), 100.0, 0.0) is None


def test_failure_without_details_keeps_its_code_as_reason() -> None:
    with pytest.raises(Unavailable) as caught:
        exchange(EVENT_RETRY, 9.0).failed(WireFailure("UNAVAILABLE", "gone", b"\xffno status"))
    assert (caught.value.reason, caught.value.retryable) == ("UNAVAILABLE", True)


def test_reply_that_is_no_message_is_a_fault() -> None:
    call = Call(
        method="/m",
        request=b"",
        timeout_s=1.0,
        retry=DECIDE_RETRY,
        decode=decision_pb2.DecideResponse.FromString,
    )
    with pytest.raises(DecodeError) as undecoded:
        call.decode(b"\xff")
    tries = Exchange(call, Counters(), 0.0)
    assert tries.pause_s(undecoded.value, 0.0, 0.0) is None
    with pytest.raises(SidecarFault, match="MALFORMED_REPLY"):
        tries.failed(undecoded.value)

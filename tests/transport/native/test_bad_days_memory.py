"""Peers that hold memory of the whole daemon: requests that never end, replies that nobody takes.

All of them together hold `limits.WIRE_BYTES_MAX` at most, and leave room for others: native/src/budget.rs.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

import grpc
import pytest

from sidecar import limits
from tests.support.daemon import Daemon
from tests.support.frames import (
    DATA,
    END_HEADERS,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    WINDOW_UPDATE,
    RawPeer,
    call,
    frame,
    head,
)
from tests.support.neighbours import DECIDE, Memory, decide_request, many_request, neighbour

MANY = "/sidecar.v1.DecisionService/DecideMany"
UPLOADS = 890
"""Of the 900 connections that there may be."""
UPLOADED = 256 * 1024
WINDOW_MAX = 2**31 - 1
ADDED_MIB_MAX = limits.WIRE_BYTES_MAX / limits.MIB * 1.5 + 48
"""The budget, what an allocator adds to it, and what 900 connections are without it."""


def asked(daemon: Daemon, method: str, request: bytes) -> bytes:
    """One call on a connection of its own."""
    with grpc.insecure_channel(daemon.address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        unary: Any = channel.unary_unary(method)
        reply: bytes = unary(request, timeout=30.0)
        return reply


@pytest.mark.timeout(180)
def test_unfinished_uploads_hold_no_more_than_their_budget(fresh_daemon: Daemon) -> None:
    daemon, memory = fresh_daemon, Memory(fresh_daemon.pid)
    opening = frame(HEADERS, END_HEADERS, 1, head(DECIDE)) + frame(DATA, 0, 1, b"\0" + (2**22).to_bytes(4, "big"))
    piece = frame(DATA, 0, 1, bytes(16_000)) * (UPLOADED // 16_000)
    with neighbour(daemon) as other, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(daemon.address)).settled() for _ in range(UPLOADS)]
        for peer in peers:
            peer.send(opening + piece)
        other.until_one_more()
        assert memory.resident_mib() - memory.before_mib > 16, "they hold something"
        asked(daemon, DECIDE, decide_request())
        with pytest.raises(grpc.RpcError) as refused:
            asked(daemon, DECIDE, bytes(3 * limits.MIB))
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert memory.peak_added_mib() < ADDED_MIB_MAX
    # What they held is there for others again: so large a request is read to its end, and is no Decide.
    with pytest.raises(grpc.RpcError) as malformed:
        asked(daemon, DECIDE, bytes(3 * limits.MIB))
    assert malformed.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.timeout(180)
@pytest.mark.parametrize("peers", [1, 6])
def test_replies_that_nobody_reads_leave_room_for_those_of_others(fresh_daemon: Daemon, peers: int) -> None:
    daemon, memory, request = fresh_daemon, Memory(fresh_daemon.pid), many_request(16)
    reply_bytes = len(asked(daemon, MANY, request))
    assert reply_bytes > 2**18
    calls = 2 * limits.WIRE_BYTES_MAX // reply_bytes // peers
    with neighbour(daemon) as other, contextlib.ExitStack() as stack:
        for _ in range(peers):
            deaf = stack.enter_context(RawPeer(daemon.address, (INITIAL_WINDOW_SIZE, WINDOW_MAX))).settled()
            deaf.send(frame(WINDOW_UPDATE, 0, 0, (WINDOW_MAX - 65_535).to_bytes(4, "big")))
            deaf.socket.settimeout(1.0)
            # Why it may fail: a peer that takes no replies is not read either.
            with contextlib.suppress(TimeoutError):
                for number in range(calls):
                    deaf.send(call(2 * number + 1, MANY, request))
        held_mib = 0.0
        while (now_mib := memory.resident_mib()) > held_mib + 1:
            held_mib = now_mib
            other.until_one_more()
            time.sleep(0.2)
        assert held_mib - memory.before_mib > 8, "they hold something"
        for _ in range(3):
            assert len(asked(daemon, MANY, request)) == reply_bytes
    assert memory.peak_added_mib() < ADDED_MIB_MAX
    assert len(asked(daemon, MANY, request)) == reply_bytes


@pytest.mark.timeout(120)
def test_reader_that_takes_little_at_a_time_gets_all_of_a_large_reply(fresh_daemon: Daemon) -> None:
    daemon, memory, request = fresh_daemon, Memory(fresh_daemon.pid), many_request(16)
    wanted = len(asked(daemon, MANY, request))
    with neighbour(daemon), RawPeer(daemon.address, (INITIAL_WINDOW_SIZE, WINDOW_MAX)) as slow:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        slow.settled()
        slow.send(frame(WINDOW_UPDATE, 0, 0, (WINDOW_MAX - 65_535).to_bytes(4, "big")))
        slow.send(call(1, MANY, request))
        answer = slow.answer(1, read_bytes=4_096)
    assert answer is not None
    assert len(answer) == wanted
    assert memory.peak_added_mib() < ADDED_MIB_MAX

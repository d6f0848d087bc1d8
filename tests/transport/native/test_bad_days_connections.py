"""More connections than there is room for, and peers that leave halfway: against the whole daemon."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest

from sidecar import limits
from tests.support.daemon import Daemon
from tests.support.frames import RawPeer, call
from tests.support.neighbours import DECIDE, Memory, decide_request, decided, neighbour

CONNECTIONS = 2_000
HALF_CLOSED = 200


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Room in this process for both ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this process may open {hard} descriptors, wanted {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
def test_connections_past_the_bound_are_closed_and_those_within_are_answered(daemon: Daemon) -> None:
    memory, before = Memory(daemon.pid), Memory(daemon.pid).descriptors()
    with neighbour(daemon), contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer(daemon.address)) for _ in range(CONNECTIONS)]
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.greet()
        asked = call(1, DECIDE, decide_request())
        answers = [peer.answer(1) if peer.send(asked) else None for peer in peers]
        served = sum(decided(answer) for answer in answers)
        assert limits.CONNECTIONS_MAX - 10 <= served <= limits.CONNECTIONS_MAX
        assert memory.peak_added_mib() < 64
        assert daemon.logged("connections_full")
    with RawPeer(daemon.address).greet() as peer:
        peer.send(call(1, DECIDE, decide_request()))
        assert decided(peer.answer(1)), "there is room again"
    assert memory.descriptors() <= before + 10


def test_peers_that_send_no_more_are_answered_and_let_go(daemon: Daemon) -> None:
    memory = Memory(daemon.pid)
    before = memory.descriptors()
    with neighbour(daemon):
        for number in range(HALF_CLOSED):
            with RawPeer(daemon.address).greet() as peer:
                peer.send(call(1, DECIDE, decide_request(f"user-{number}")))
                peer.socket.shutdown(socket.SHUT_WR)
                assert decided(peer.answer(1))
                assert not list(peer.frames()), "the connection ends behind the answer"
    assert memory.descriptors() <= before + 2


def test_peers_that_vanish_in_the_middle_of_a_call_leave_nothing(daemon: Daemon) -> None:
    memory = Memory(daemon.pid)
    before = memory.descriptors()
    with neighbour(daemon):
        for number in range(HALF_CLOSED):
            with RawPeer(daemon.address).greet() as peer:
                whole = call(1, DECIDE, decide_request())
                peer.send(whole[: number % len(whole)])
                # A reset instead of an end: socket(7), SO_LINGER of no time.
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with RawPeer(daemon.address).greet() as peer:
        peer.send(call(1, DECIDE, decide_request()))
        assert decided(peer.answer(1))
    assert memory.descriptors() <= before + 2

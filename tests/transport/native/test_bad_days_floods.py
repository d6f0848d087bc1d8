"""Peers that flood the whole daemon with frames: each is cut off in the end, memory stays, others are answered.

What bounds each, and its source: native/src/limits.rs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.daemon import Daemon
from tests.support.frames import (
    CONTINUATION,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PING,
    RST_STREAM,
    SETTINGS,
    RawPeer,
    block,
    call,
    cut_at,
    frame,
    head,
    settings,
)
from tests.support.neighbours import DECIDE, Memory, decide_request, decided, neighbour

RESETS = 100_000
FLOOD_ADDED_MIB_MAX = 16.0
"""Of any flood: what is parsed at a time, and what its answers may hold."""


@pytest.fixture
def memory(daemon: Daemon) -> Iterator[Memory]:
    """Of the daemon; a test must not make it hold more than little."""
    memory = Memory(daemon.pid)
    yield memory
    assert memory.peak_added_mib() < FLOOD_ADDED_MIB_MAX


def flooded(daemon: Daemon, pieces: Iterator[bytes]) -> tuple[int, tuple[int, str] | None]:
    """Send until the daemon closes the connection: how many pieces that took, and its last words."""
    with neighbour(daemon), RawPeer(daemon.address).greet() as peer:
        sent = cut_at(peer, pieces)
        said = peer.goodbye()
    return sent, said


def test_hundred_thousand_rapid_resets_end_their_connections(daemon: Daemon, memory: Memory) -> None:
    header_block, cancel, sent, connections = head(DECIDE), (8).to_bytes(4, "big"), 0, 0
    with neighbour(daemon):
        while sent < RESETS:
            with RawPeer(daemon.address).greet() as peer:
                connections += 1
                for stream in range(1, 2 * RESETS, 200):
                    piece = b"".join(
                        frame(HEADERS, END_HEADERS, one, header_block) + frame(RST_STREAM, 0, one, cancel)
                        for one in range(stream, stream + 200, 2)
                    )
                    if not peer.send(piece):
                        break
                    sent += 100
    assert connections > 1, "one connection reset all of them and was not cut off"


def test_continuation_flood_ends_its_connection(daemon: Daemon, memory: Memory) -> None:
    def pieces() -> Iterator[bytes]:
        yield frame(HEADERS, 0, 1, head(DECIDE))
        while True:
            yield frame(CONTINUATION, 0, 1, block([("x", "y" * 1_000)])) * 10

    sent, _ = flooded(daemon, pieces())
    assert sent < 10_000


def test_settings_flood_ends_its_connection(daemon: Daemon, memory: Memory) -> None:
    def pieces() -> Iterator[bytes]:
        while True:
            yield settings((INITIAL_WINDOW_SIZE, 65_535)) * 100

    sent, _ = flooded(daemon, pieces())
    assert sent < 10_000


def test_ping_flood_ends_its_connection(daemon: Daemon, memory: Memory) -> None:
    def pieces() -> Iterator[bytes]:
        while True:
            yield frame(PING, 0, 0, bytes(8)) * 100

    sent, said = flooded(daemon, pieces())
    assert sent < 10_000
    assert said is None or said[0] == ENHANCE_YOUR_CALM


def test_hpack_bomb_ends_its_connection(daemon: Daemon, memory: Memory) -> None:
    """Few bytes on the wire, many when decoded: CVE-2016-1544."""
    large = block([("x-bomb", "y" * 3_900)], literal=b"\x40")
    # 0xBE is the field that entered the table last: RFC 7541 section 6.1, index 62.
    bomb = frame(HEADERS, END_HEADERS, 1, head(DECIDE) + large + b"\xbe" * 8_000)
    with neighbour(daemon), RawPeer(daemon.address).greet() as peer:
        peer.send(bomb)
        assert peer.answer(1) is None
        peer.send(b"".join(frame(HEADERS, END_HEADERS, 2 * n + 3, head(DECIDE) + b"\xbe" * 8_000) for n in range(100)))
        peer.goodbye()


def test_endless_header_fields_of_many_calls_are_refused(daemon: Daemon, memory: Memory) -> None:
    large = head(DECIDE, *((f"x-{number}", "y" * 60) for number in range(100)))
    with neighbour(daemon), RawPeer(daemon.address).greet() as peer:
        cut_at(peer, (frame(HEADERS, END_HEADERS, 2 * number + 1, large) for number in range(2_000)))


def test_bytes_that_are_no_frames_end_their_connection(daemon: Daemon, memory: Memory) -> None:
    sent, _ = flooded(daemon, (b"\xff" * 1_000 for _ in range(100_000)))
    assert sent < 100_000


def test_peer_that_sends_one_byte_at_a_time_is_answered(daemon: Daemon) -> None:
    with neighbour(daemon), RawPeer(daemon.address) as peer:
        for byte in peer.opening + call(1, DECIDE, decide_request()):
            peer.socket.sendall(bytes((byte,)))
        assert decided(peer.answer(1))


def test_frames_of_no_use_are_counted(daemon: Daemon, memory: Memory) -> None:
    """Unknown frames must be ignored (RFC 9113 section 5.5), but not for ever."""
    sent, _ = flooded(daemon, (frame(0xFB, 0, 0, b"") * 1_000 for _ in range(10_000)))
    assert sent < 10_000


def test_acknowledgements_that_nobody_reads_end_their_connection(daemon: Daemon, memory: Memory) -> None:
    """CVE-2019-9512, CVE-2019-9515: the peer makes us answer, and takes no answers."""
    with neighbour(daemon), RawPeer(daemon.address).greet() as peer:
        assert cut_at(peer, (frame(SETTINGS, 0, 0) * 50 for _ in range(100_000))) < 100_000

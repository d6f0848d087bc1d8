"""One connection of the blocking native transport by itself: what a sidecar brings about rarely, or never."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from sidecar_client._codec import Target
from sidecar_client.settings import Settings

if TYPE_CHECKING:
    from decision_sidecar_native import ServerConnection

    from sidecar_client._native_connection import Connection

TRANSPORTS = ["native"]
ECHO = "/s/Echo"


class Altered(Target):
    """A target whose codec does some of its steps in another way."""

    def __init__(self, **steps: Any) -> None:
        super().__init__(Settings(address="127.0.0.1:1"))
        self._steps = steps

    def codec(self, now_s: float) -> Any:
        return _Codec(super().codec(now_s), self._steps)


class _Codec:
    def __init__(self, codec: Any, steps: dict[str, Any]) -> None:
        self._codec, self._steps = codec, steps

    def __getattr__(self, name: str) -> Any:
        step = self._steps.get(name)
        return getattr(self._codec, name) if step is None else lambda *arguments: step(self._codec, *arguments)


def server() -> ServerConnection:
    from decision_sidecar_native import Budget, Limits, Methods, ServerConnection  # noqa: PLC0415 - it may be absent

    return ServerConnection(Methods([(ECHO, True, 1000)]), Limits(), Budget(1_000_000), 0.0)


def connection(target: Target, connected: socket.socket) -> Connection:
    from sidecar_client._native_connection import Connection  # noqa: PLC0415 - it may be absent

    return Connection(target, connected, None)


def asked(one: Connection, request: bytes) -> Any:
    return one.unary(ECHO, request, (), time.monotonic(), 2.0)


@pytest.fixture
def near() -> Iterator[socket.socket]:
    """The client's end of a socket with a sidecar behind it that says what it is told."""
    near, far = socket.socketpair()
    echoing = threading.Thread(target=_echo, args=(far,))
    echoing.start()
    with closing(near):
        yield near
        with suppress(OSError):
            near.shutdown(socket.SHUT_RDWR)
        echoing.join()


def _echo(far: socket.socket) -> None:
    codec = server()
    # Why suppressed: the client's end is gone when a test is over.
    with closing(far), suppress(OSError):
        while received := far.recv(65_536):
            _answered(codec, received)
            far.sendall(codec.take_output())


def _answered(codec: ServerConnection, received: bytes) -> None:
    from decision_sidecar_native import CALL  # noqa: PLC0415 - it may be absent

    for event in codec.receive(received, 0.0):
        if event[0] == CALL:
            codec.reply(event[1], event[3])


@contextmanager
def interrupted(step: str) -> Iterator[None]:
    """Have Ctrl-C come as this function begins, as it can at any."""

    def trace(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_name == step:
            sys.settrace(None)
            raise KeyboardInterrupt

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("step", ["_reply_alone", "receive", "_received", "_learn", "_hand_over"])
def test_a_reader_that_is_interrupted_anywhere_reads_no_more(near: socket.socket, step: str) -> None:
    one = connection(Target(Settings()), near)
    with interrupted(step):
        asked(one, b"1")
    assert (asked(one, b"2"), one.usable, near.fileno()) == (None, False, -1)


def test_a_reader_that_is_interrupted_in_the_midst_of_a_reply_reads_no_more(near: socket.socket) -> None:
    interrupts = [True, False]

    def learned(codec: Any, *arguments: Any) -> bytes | None:
        reply: bytes | None = codec.receive_reply(*arguments)
        if interrupts.pop():
            raise KeyboardInterrupt
        return reply

    one = connection(Altered(receive_reply=learned), near)
    assert asked(one, b"1").message == b"1"
    assert asked(one, b"2") == b"2"
    with pytest.raises(KeyboardInterrupt):
        asked(one, b"3")
    assert (asked(one, b"4"), one.usable, near.fileno()) == (None, False, -1)


@pytest.mark.parametrize("step", ["_wait", "receive", "_received", "_learn", "_hand_over"])
def test_a_stream_that_is_interrupted_anywhere_reads_no_more(near: socket.socket, step: str) -> None:
    one = connection(Target(Settings()), near)
    with interrupted(step):
        list(one.stream(ECHO, b"1", ()))
    answered = asked(one, b"2")
    assert getattr(answered, "message", b"2") == b"2", "by this connection, or not at all"


def test_one_that_is_interrupted_before_it_reads_takes_nothing_along(near: socket.socket) -> None:
    one = connection(Target(Settings()), near)
    with interrupted("_begun"):
        asked(one, b"1")
    assert asked(one, b"2").message == b"2"


def test_a_connection_that_has_no_more_ids_takes_no_more_calls(near: socket.socket) -> None:
    one = connection(Altered(ask=lambda *_: (0, b""), open=lambda *_: 0), near)
    assert (asked(one, b"1"), one.usable, near.fileno()) == (None, False, -1)


def test_a_connection_that_has_no_more_ids_takes_no_more_streams(near: socket.socket) -> None:
    one = connection(Altered(open=lambda *_: 0), near)
    assert (list(one.stream(ECHO, b"1", ())), one.usable, near.fileno()) == ([], False, -1)


def test_a_connection_that_takes_no_more_is_closed_by_the_last_reply_that_is_read_of_it() -> None:
    target = Target(Settings(address="127.0.0.1:1"))
    near, far = socket.socketpair()
    with closing(near), closing(far):
        # Why a second codec: what the sidecar says last must be there before the call that it answers is made.
        same, codec, one = target.codec(0.0), server(), connection(target, near)
        for request in (b"1", b"2"):
            same.call(ECHO, request, (), 2.0)
            _answered(codec, same.take_output())
            said = codec.take_output()
            same.receive(said, 0.0)
            far.sendall(said)
            if request == b"1":
                assert asked(one, request).message == request
        far.shutdown(socket.SHUT_RD)
        assert getattr(asked(one, b"2"), "message", b"") == b"2"
        assert (one.usable, near.fileno()) == (False, -1)

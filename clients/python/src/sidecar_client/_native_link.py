"""A connected socket of the blocking native transport, with TLS or without, that waits no longer than it is told.

What holds while many threads use it: `_native_connection`.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import struct
from typing import Final

from sidecar_client._native_opening import RECEIVE_BYTES, Secured

SLACK_S: Final = 0.002
"""A socket's own timeout is set anew when it would end a wait so much too late; that costs a system call."""
EARLY_S: Final = 0.02
"""… or so much too early, which costs another look at the clock."""


_AT_ONCE: Final = int(socket.MSG_DONTWAIT)


class Link:
    """The two directions are independent: one thread may receive while another sends."""

    def __init__(self, connected: socket.socket, secured: Secured | None) -> None:
        connected.settimeout(None)
        self._socket, self.secured = connected, secured
        self._timeout_s = math.inf
        """What the socket's own timeout is; infinite = none."""
        self.unsent = b""
        """What was given to `send` and the socket did not take."""
        self.broken = False
        """Whether it takes nothing any more; what came before may still be received."""

    def receive(self, timeout_s: float) -> bytes:
        """Wait for bytes, none = the end; TLS is still on them.

        Raises BlockingIOError after `timeout_s`, or a little earlier, and OSError.
        """
        if not timeout_s - EARLY_S <= self._timeout_s <= timeout_s + SLACK_S:
            self._limit(timeout_s)
        return self._socket.recv(RECEIVE_BYTES)

    def received(self) -> bytes:
        """What is there, none = the end; TLS is still on it. Raises BlockingIOError for nothing."""
        try:
            return self._socket.recv(RECEIVE_BYTES, _AT_ONCE)
        except BlockingIOError:
            raise
        except OSError:
            return b""

    def decrypted(self, received: bytes) -> bytes:
        """Without TLS. Raises OSError for what is none."""
        return received if self.secured is None else self.secured.decrypted(received)

    def encrypted(self, output: bytes) -> bytes:
        """With TLS, as `send` wants it."""
        return output if self.secured is None else self.secured.encrypted(output)

    def send(self, output: bytes) -> None:
        """Give it to the socket; what that does not take at once is `unsent`, and to be sent before anything else."""
        try:
            sent = self._socket.send(output, _AT_ONCE)
        except BlockingIOError:
            sent = 0
        except OSError:
            # Why not the end: what the sidecar said last is still there to be read, as that it began nothing.
            output, sent, self.broken = b"", 0, True
        self.unsent = output[sent:]

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        """Until the socket takes more, or, when `reading`, has something; False after `timeout_s`."""
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT | select.POLLIN if reading else select.POLLOUT)
        return bool(poll.poll(None if timeout_s == math.inf else 1000 * max(timeout_s, 0.0)))

    def shut_down(self) -> None:
        """End it for both sides; who receives is woken."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back, in this process alone."""
        self._socket.close()

    def _limit(self, timeout_s: float) -> None:
        """Set the socket's own timeout. Why not Python's: it polls before each `recv`, a system call more a call."""
        whole_s = 0 if timeout_s == math.inf else int(timeout_s)
        parts_us = 0 if timeout_s == math.inf else max(int((timeout_s - whole_s) * 1e6), 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", whole_s, parts_us))
        self._timeout_s = timeout_s

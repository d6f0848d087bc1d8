"""One connection of the blocking native transport: many threads, one socket, no thread of its own.

Who waits for an answer reads for all: the first to wait is the *reader*, the others *follow*, each on a lock of its own
that the reader releases when their answer came. A reader that has its own answer, or gives up, hands the role to one
that follows. So a lone caller costs two system calls, one that sends and one that receives, and has a way of its own
through here: what runs after a sleep is cold, so each step left out counts four times what it does in a loop.

What holds: codec, link and the tables below are touched under `_lock` alone, but for the reader's receiving. Nothing
waits under the lock: what the socket does not take at once is kept by the link, and sent by who waits next. A stream
that is dropped by the collector may run its end in any thread at any point, also one that holds the lock, so it only
leaves a note in `_dropped`.
"""

from __future__ import annotations

import contextlib
import math
import socket
import time
from _thread import allocate_lock
from collections import deque
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Final

from sidecar_client._codec import IDLE_S, OK, OUTPUT_BYTES, Target, failure_of, late
from sidecar_client._native_link import Link
from sidecar_client._native_opening import Secured
from sidecar_client._native_turns import Turns, Waiting

if TYPE_CHECKING:
    from decision_sidecar_native import ClientEvent, Outcome

Headers = tuple[tuple[str, str], ...]

FOLLOW_S: Final = 0.02
"""How often a follower whose request did not fit into the socket looks whether it does."""


class Connection:
    """Calls over one connected socket, from any number of threads."""

    def __init__(self, target: Target, connected: socket.socket, secured: Secured | None) -> None:
        self._link = Link(connected, secured)
        self._codec = target.codec(time.monotonic())
        self._lock = allocate_lock()
        self._turns = Turns()
        self._dropped: deque[Waiting] = deque()
        self._read_s = time.monotonic()
        self._over = False
        """Whether the socket is of no use any more."""
        self.usable = True
        """Whether it takes new calls."""
        self.answered = False
        """Whether the sidecar has ever said a word."""

    # --- calls, each in its caller's thread -----------------------------------------------------------------------

    def unary(
        self, method: str, request: bytes, headers: Headers, now_s: float, timeout_s: float
    ) -> bytes | Outcome | None:
        """One call: its reply, or how else it ended; None = it was not sent, for this connection takes no more.

        `timeout_s` is sent as it is: one that recurs costs less. Raises WireFailure when it is over.
        """
        if timeout_s <= 0:
            raise late(0.0)
        waiting = None
        try:
            with self._lock:
                waiting = self._begun(method, request, headers, now_s, timeout_s)
                if waiting is None:
                    self._retire()
                    return None
            if self._turns.reader is waiting:
                reply = self._reply_alone(waiting, now_s, timeout_s)
                if reply is not None:
                    return reply
            on_time = self._wait(waiting, now_s + timeout_s)
        except BaseException:
            if waiting is not None:
                self._interrupted(waiting)
            raise
        if not on_time:
            raise late(timeout_s)
        return waiting.outcome

    def stream(self, method: str, request: bytes, headers: Headers) -> Generator[bytes, None, bool]:
        """A call with many replies; False = it was not sent. Raises WireFailure when it ends with a failure."""
        with self._lock:
            self._freshen(time.monotonic())
            call_id = self._codec.open(method, headers) if self.usable else 0
            if not call_id:
                self.usable = False
                self._retire()
                return False
            waiting = self._turns.waiting[call_id] = Waiting(call_id)
            replies = waiting.replies = deque()
            self._codec.send(call_id, request)
            self._codec.half_close(call_id)
            self._flush()
        try:
            while waiting.outcome is None or replies:
                if replies:
                    reply = replies.popleft()
                    yield reply
                    self._consumed(call_id, len(reply))
                    continue
                with self._lock:
                    self._turns.begin(waiting)
                self._wait(waiting, math.inf)
        finally:
            self._dropped.append(waiting)
            self._sweep()
        if waiting.outcome.code != OK:
            raise failure_of(waiting.outcome)
        return True

    # --- the end, from any thread ---------------------------------------------------------------------------------

    def close(self, reason: str) -> None:
        """End every call with UNAVAILABLE and this reason."""
        with self._lock:
            self._lose(reason)

    def abandon(self) -> None:
        """In a forked child: leave the connection to the parent. Its lock may be held by a thread that is not here."""
        self._lock = allocate_lock()
        self._over, self.usable = True, False
        self._turns.tell(self._codec.disconnected("the process was forked during the call"))
        self._link.close()

    # --- waiting --------------------------------------------------------------------------------------------------

    def _wait(self, waiting: Waiting, deadline_s: float) -> bool:
        """Until something came for it; False at the deadline, or when interrupted: then the call is given up."""
        try:
            while waiting.outcome is None and not waiting.replies:
                if self._turns.reader is waiting:
                    on_time = self._read(waiting, deadline_s)
                else:
                    on_time = self._follow(waiting, deadline_s)
                if not on_time:
                    self._abandon(waiting)
                    break
        except BaseException:
            self._interrupted(waiting)
            raise
        return waiting.outcome is not None or bool(waiting.replies)

    def _follow(self, waiting: Waiting, deadline_s: float) -> bool:
        """Wait for the turn; False at the deadline."""
        assert waiting.turn is not None, "it follows, or was told to read since"
        left_s = deadline_s - time.monotonic()
        if not self._link.unsent:
            return waiting.turn.acquire(timeout=-1 if left_s == math.inf else max(left_s, 0.0))
        # The reader may be inside `recv`, where it learns of nothing that could be sent.
        if self._link.wait(min(left_s, FOLLOW_S), reading=False):
            with self._lock:
                self._flush()
        waiting.turn.acquire(timeout=min(max(left_s, 0.0), FOLLOW_S) if self._link.unsent else 0)
        return left_s > 0

    def _hand_over(self, waiting: Waiting) -> None:
        """Its thread reads no more. Under the lock."""
        self._turns.hand_over(waiting)
        if not self.usable:
            self._retire()

    def _abandon(self, waiting: Waiting) -> None:
        """Its thread waits no more, whatever happened."""
        with self._lock:
            if self._turns.leave(waiting):
                self._codec.cancel(waiting.call_id)
                self._flush()
            if not self.usable:
                self._retire()

    def _interrupted(self, waiting: Waiting) -> None:
        """Its thread was, anywhere: bytes that it had read may be lost, so no call begins here any more.

        Those under way go on, unless their bytes were among them. Why at all: a reader that is gone would have them
        wait for ever.
        """
        with self._lock:
            if self._turns.reader is waiting:
                self.usable = False
        self._abandon(waiting)

    def _sweep(self) -> None:
        """Cancel what was dropped, now if nobody holds the lock: who does, sweeps when it is next taken."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._cancel_dropped()
        finally:
            self._lock.release()

    def _cancel_dropped(self) -> None:
        while self._dropped:
            waiting = self._dropped.popleft()
            if self._turns.leave(waiting) and not self._over:
                self._codec.cancel(waiting.call_id)
                self._flush()

    def _begun(self, method: str, request: bytes, headers: Headers, now_s: float, timeout_s: float) -> Waiting | None:
        """A unary call, written as far as the socket takes it, and its turn; None = not here. Under the lock."""
        link, turns = self._link, self._turns
        if now_s - self._read_s > IDLE_S or self._dropped or link.unsent:
            self._freshen(now_s)
        if not self.usable:
            return None
        if link.unsent:
            call_id = self._codec.call(method, request, headers, timeout_s)
        else:
            call_id, output = self._codec.ask(method, request, headers, timeout_s, OUTPUT_BYTES)
            link.send(output if link.secured is None else link.encrypted(output))
            if link.broken or len(output) >= OUTPUT_BYTES:
                self._flush()
        if not call_id:
            self.usable = False
            return None
        waiting = turns.waiting[call_id] = Waiting(call_id)
        if turns.reader is None:
            turns.reader = waiting
        else:
            turns.begin(waiting)
        return waiting

    # --- reading --------------------------------------------------------------------------------------------------

    def _reply_alone(self, waiting: Waiting, now_s: float, timeout_s: float) -> bytes | None:
        """What `_wait` does for a reader, for one read, when that is all there is to do; None = `_wait` goes on."""
        if self._link.secured is not None or self._link.unsent:
            return None
        try:
            received = self._link.receive(timeout_s)
        except BlockingIOError:
            return None
        except OSError as broken:
            self._broke(waiting, broken)
            return None
        with self._lock:
            if not received or not self.answered or not self.usable or self._dropped:
                # What came first holds the sidecar's settings, which are acknowledged at once. And the last call of a
                # connection that takes no more closes it.
                self._received(received)
            else:
                self._read_s = now_s
                reply = self._codec.receive_reply(received, now_s, waiting.call_id)
                if reply is not None:
                    # No other call is under way, so nobody follows.
                    turns = self._turns
                    del turns.waiting[waiting.call_id]
                    turns.reader = None
                    return reply
                self._learn(self._codec.take_events())
            if waiting.outcome is not None:
                self._hand_over(waiting)
        return None

    def _read(self, waiting: Waiting, deadline_s: float) -> bool:
        """The reader's step: wait for bytes, tell everyone what they mean; False at the deadline."""
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            return False
        try:
            if self._link.unsent:
                self._push(left_s)
                received = self._link.received()
            else:
                received = self._link.receive(left_s)
        except BlockingIOError:
            # Too late, or a little early: the next look tells.
            return True
        except OSError as broken:
            self._broke(waiting, broken)
            return True
        with self._lock:
            self._received(received)
            if waiting.outcome is not None or waiting.replies:
                self._hand_over(waiting)
        return True

    def _broke(self, waiting: Waiting, broken: OSError) -> None:
        with self._lock:
            self._lose(f"the connection broke: {broken.strerror or broken}")
            self._hand_over(waiting)

    def _push(self, timeout_s: float) -> None:
        """Wait until the socket takes the rest of what was written, or there is something to read."""
        self._link.wait(timeout_s, reading=True)
        with self._lock:
            self._flush()

    def _received(self, received: bytes) -> None:
        """What bytes mean, for everyone. Under the lock."""
        if self._over:
            return
        if not received:
            self._lose(self._codec.failure or "the sidecar closed the connection")
            return
        self._read_s = time.monotonic()
        try:
            received = self._link.decrypted(received)
        except OSError as broken:
            self._lose(f"the connection broke: {broken}")
            return
        self.answered = True
        self._learn(self._codec.receive(received, self._read_s))

    def _learn(self, events: Iterable[ClientEvent]) -> None:
        """What follows from events: for their calls, for what must be sent, for the connection. Under the lock."""
        self._turns.tell(events)
        if self._dropped:
            self._cancel_dropped()
        self._flush()
        if self._codec.closed:
            self._lose(self._codec.failure or "the sidecar closed the connection")
        elif self._codec.drained:
            self.usable = False

    # --- writing, and the socket's end; all under the lock ----------------------------------------------------------

    def _freshen(self, now_s: float) -> None:
        """Before a call: what came while nobody read, as a goodbye; and streams that nobody reads any more."""
        self._cancel_dropped()
        self._flush()
        if self._turns.reader is None and now_s - self._read_s > IDLE_S:
            with contextlib.suppress(BlockingIOError):
                while self.usable:
                    self._received(self._link.received())
            self._read_s = now_s

    def _consumed(self, call_id: int, message_bytes: int) -> None:
        with self._lock:
            if not self._over:
                self._codec.consumed(call_id, message_bytes)
                self._flush()

    def _flush(self) -> None:
        """Give the socket what it takes at once."""
        link = self._link
        if link.unsent:
            link.send(link.unsent)
        while not link.unsent and not self._over:
            output = self._codec.take_output(OUTPUT_BYTES)
            if output:
                link.send(link.encrypted(output))
            if len(output) < OUTPUT_BYTES:
                break
        if link.broken:
            self.usable = False

    def _lose(self, reason: str) -> None:
        """The end: every call learns of it, and the reader is woken."""
        self.usable = False
        if not self._over:
            self._over = True
            self._turns.tell(self._codec.disconnected(reason))
            self._link.shut_down()
        self._retire()

    def _retire(self) -> None:
        """Close the socket once it is of no use and nobody reads it: its number may belong to another one at once."""
        if not self.usable and self._turns.reader is None and not self._turns.waiting:
            self._over = True
            self._link.close()

"""One connection of the blocking native transport: many threads, one socket, no thread of its own.

Who waits for an answer reads for all: the first to wait is the *reader*, the others *follow*, each on a lock of its own
that the reader releases when their answer came. A reader that has its own answer, or gives up, hands the role to one
that follows. So a lone caller costs two system calls, one that sends and one that receives.

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
from _thread import LockType, allocate_lock
from collections import deque
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Final

from decision_sidecar_native import FINISHED, REPLY

from sidecar_client._codec import IDLE_S, OK, OUTPUT_BYTES, Target, failure_of, late
from sidecar_client._native_link import Link
from sidecar_client._native_opening import Secured

if TYPE_CHECKING:
    from decision_sidecar_native import ClientEvent, Outcome

Headers = tuple[tuple[str, str], ...]

FOLLOW_S: Final = 0.02
"""How often a follower whose request did not fit into the socket looks whether it does."""


class Waiting:
    """A call under way, and the thread that waits for it."""

    __slots__ = ("call_id", "outcome", "replies", "turn")

    def __init__(self, call_id: int) -> None:
        self.call_id = call_id
        self.outcome: Outcome | None = None
        """How it ended."""
        self.replies: deque[bytes] | None = None
        """Of a stream: what came and was not taken yet."""
        self.turn: LockType | None = None
        """Held while it follows; released when something came for it, or it shall read."""


def _release(follower: Waiting) -> None:
    """Its turn. Under the lock, by who has just taken it out of the followers."""
    if follower.turn is not None:
        follower.turn.release()


class Connection:
    """Calls over one connected socket, from any number of threads."""

    def __init__(self, target: Target, connected: socket.socket, secured: Secured | None) -> None:
        self._link = Link(connected, secured)
        self._codec = target.codec(time.monotonic())
        self._lock = allocate_lock()
        self._waiting: dict[int, Waiting] = {}
        """Calls that have not ended."""
        self._followers: dict[int, Waiting] = {}
        """Those of them whose thread waits for its turn, in order."""
        self._reader: Waiting | None = None
        self._dropped: deque[Waiting] = deque()
        self._read_s = time.monotonic()
        self._over = False
        """Whether the socket is of no use any more."""
        self.usable = True
        """Whether it takes new calls."""
        self.answered = False
        """Whether the sidecar has ever said a word."""

    # --- calls, each in its caller's thread -----------------------------------------------------------------------

    def unary(self, method: str, request: bytes, headers: Headers, deadline_s: float) -> Outcome | None:
        """One call; None = it was not sent, for this connection takes no more. Raises WireFailure at the deadline."""
        now_s = time.monotonic()
        timeout_s = deadline_s - now_s
        if timeout_s <= 0:
            raise late(0.0)
        with self._lock:
            if now_s - self._read_s > IDLE_S or self._dropped:
                self._freshen(now_s)
            call_id = self._codec.call(method, request, headers, timeout_s) if self.usable else 0
            if not call_id:
                self._retire()
                return None
            waiting = self._waiting[call_id] = Waiting(call_id)
            self._flush()
            if self._reader is None:
                self._reader = waiting
            else:
                self._begin_turn(waiting)
        if not self._wait(waiting, deadline_s):
            raise late(timeout_s)
        return waiting.outcome

    def stream(self, method: str, request: bytes, headers: Headers) -> Generator[bytes, None, bool]:
        """A call with many replies; False = it was not sent. Raises WireFailure when it ends with a failure."""
        with self._lock:
            self._freshen(time.monotonic())
            call_id = self._codec.open(method, headers) if self.usable else 0
            if not call_id:
                self._retire()
                return False
            waiting = self._waiting[call_id] = Waiting(call_id)
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
                    self._begin_turn(waiting)
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
        self._take(self._codec.disconnected("the process was forked during the call"))
        self._link.close()

    # --- waiting --------------------------------------------------------------------------------------------------

    def _begin_turn(self, waiting: Waiting) -> None:
        """It reads or follows, unless something is there already. Under the lock."""
        if waiting.outcome is not None or waiting.replies:
            return
        if self._reader is None:
            self._reader = waiting
        elif self._reader is not waiting:
            waiting.turn = waiting.turn or allocate_lock()
            waiting.turn.acquire(blocking=False)
            self._followers[waiting.call_id] = waiting

    def _wait(self, waiting: Waiting, deadline_s: float) -> bool:
        """Until something came for it; False at the deadline, or when interrupted: then the call is given up."""
        try:
            while waiting.outcome is None and not waiting.replies:
                if self._reader is waiting:
                    on_time = self._read(waiting, deadline_s)
                else:
                    on_time = self._follow(waiting, deadline_s)
                if not on_time:
                    self._abandon(waiting)
                    break
        except BaseException:
            self._abandon(waiting)
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
        """The role goes to the follower that has waited longest. Under the lock."""
        if self._reader is waiting:
            self._reader = None
            if self._followers:
                follower = self._reader = self._followers.pop(next(iter(self._followers)))
                _release(follower)
        if not self.usable:
            self._retire()

    def _abandon(self, waiting: Waiting) -> None:
        """Its thread waits no more, whatever happened."""
        with self._lock:
            if self._waiting.pop(waiting.call_id, None) is not None:
                self._codec.cancel(waiting.call_id)
                self._flush()
            self._followers.pop(waiting.call_id, None)
            self._hand_over(waiting)

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
            if self._waiting.pop(waiting.call_id, None) is not None and not self._over:
                self._codec.cancel(waiting.call_id)
                self._flush()

    # --- reading --------------------------------------------------------------------------------------------------

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
            with self._lock:
                self._lose(f"the connection broke: {broken.strerror or broken}")
                self._hand_over(waiting)
            return True
        with self._lock:
            self._received(received)
            if waiting.outcome is not None or waiting.replies:
                self._hand_over(waiting)
        return True

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
        self._take(self._codec.receive(received, self._read_s))
        if self._dropped:
            self._cancel_dropped()
        self.answered = True
        self._flush()
        if self._codec.closed:
            self._lose(self._codec.failure or "the sidecar closed the connection")
        elif self._codec.drained:
            self.usable = False

    def _take(self, events: Iterable[ClientEvent]) -> None:
        for event in events:
            if event[0] == FINISHED:
                waiting = self._waiting.pop(event[1], None)
                if waiting is not None:
                    waiting.outcome = event[2]
            elif event[0] == REPLY:
                waiting = self._waiting.get(event[1])
                if waiting is not None and waiting.replies is not None:
                    waiting.replies.append(event[2])
            else:
                continue
            follower = self._followers.pop(event[1], None)
            if follower is not None:
                _release(follower)

    # --- writing, and the socket's end; all under the lock ----------------------------------------------------------

    def _freshen(self, now_s: float) -> None:
        """Before a call: what came while nobody read, as a goodbye; and streams that nobody reads any more."""
        self._cancel_dropped()
        if self._reader is None and now_s - self._read_s > IDLE_S:
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
            link.resend()
        while not link.unsent and not self._over:
            output = self._codec.take_output(OUTPUT_BYTES)
            if output:
                link.send(output)
            if len(output) < OUTPUT_BYTES:
                break
        if link.broken:
            self.usable = False

    def _lose(self, reason: str) -> None:
        """The end: every call learns of it, and the reader is woken."""
        self.usable = False
        if not self._over:
            self._over = True
            self._take(self._codec.disconnected(reason))
            self._link.shut_down()
        self._retire()

    def _retire(self) -> None:
        """Close the socket once it is of no use and nobody reads it: its number may belong to another one at once."""
        if not self.usable and self._reader is None and not self._waiting:
            self._over = True
            self._link.close()

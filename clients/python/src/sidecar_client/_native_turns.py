"""Who waits for an answer on one connection of the blocking native transport, and who of them reads for all.

Who waits first is the *reader*, the others *follow*, each on a lock of its own that is released when something came for
it, or when it shall read. A reader that has its own answer, or gives up, hands the role to the follower that has waited
longest. All of it is touched under the connection's lock alone; no socket, no clock, and nothing here waits.
"""

from __future__ import annotations

from _thread import LockType, allocate_lock
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from decision_sidecar_native import FINISHED, REPLY

if TYPE_CHECKING:
    from decision_sidecar_native import ClientEvent, Outcome


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


class Turns:
    """The calls of one connection, and whose turn it is to read."""

    __slots__ = ("_followers", "reader", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[int, Waiting] = {}
        """Calls that have not ended, by id."""
        self._followers: dict[int, Waiting] = {}
        """Those of them whose thread waits for its turn, in order."""
        self.reader: Waiting | None = None

    def begin(self, waiting: Waiting) -> None:
        """It reads or follows, unless something is there already."""
        if waiting.outcome is not None or waiting.replies:
            return
        if self.reader is None:
            self.reader = waiting
        elif self.reader is not waiting:
            waiting.turn = waiting.turn or allocate_lock()
            waiting.turn.acquire(blocking=False)
            self._followers[waiting.call_id] = waiting

    def hand_over(self, waiting: Waiting) -> None:
        """It reads no more: the next one does."""
        if self.reader is waiting:
            self.reader = None
            if self._followers:
                self.reader = self._followers.pop(next(iter(self._followers)))
                _release(self.reader)

    def leave(self, waiting: Waiting) -> bool:
        """Its thread waits no more; whether its call has not ended."""
        under_way = self.waiting.pop(waiting.call_id, None) is not None
        self._followers.pop(waiting.call_id, None)
        self.hand_over(waiting)
        return under_way

    def tell(self, events: Iterable[ClientEvent]) -> None:
        """Give every call what came for it, and wake its follower."""
        for event in events:
            if event[0] == FINISHED:
                waiting = self.waiting.pop(event[1], None)
                if waiting is not None:
                    waiting.outcome = event[2]
            elif event[0] == REPLY:
                waiting = self.waiting.get(event[1])
                if waiting is not None and waiting.replies is not None:
                    waiting.replies.append(event[2])
            else:
                continue
            follower = self._followers.pop(event[1], None)
            if follower is not None:
                _release(follower)


def _release(follower: Waiting) -> None:
    """Its turn. By who has just taken it out of the followers."""
    if follower.turn is not None:
        follower.turn.release()

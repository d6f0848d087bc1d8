"""Streams that have one reply for each of their requests, in both forms of `methods.Bidirectional`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sidecar.rpc.methods import Bidirectional, Call, Each, UnaryHandler
from sidecar.rpc.refusals import raise_if_late


def one_by_one(answer: UnaryHandler) -> Bidirectional:
    """A stream whose requests are answered one at a time, in order; the next is taken when the reply before it is sent.

    `answer` is asked only for a caller who still waits: a deadline that has passed, or a caller who has gone, ends the
    stream, as does what `answer` raises.
    """

    async def replies(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        async for request in requests:
            raise_if_late(call)
            reply = answer(request, call)
            yield reply if isinstance(reply, bytes) else await reply

    return Bidirectional(replies, Each(answer=answer))

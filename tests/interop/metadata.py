"""Metadata of a call as the interoperability suite wants it: read all of it, answer with some of one's own.

The contract needs neither, so `methods.Call` has neither: here the transports' own calls are asked directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from sidecar.rpc.methods import Call, Code

Pairs: TypeAlias = Sequence[tuple[str, str | bytes]]


class Metadata(Protocol):
    """Both directions of one call's metadata; a `-bin` key has bytes."""

    def received(self) -> Pairs:
        """What the caller sent, in order."""
        ...

    async def send_initial(self, pairs: Pairs) -> None:
        """Send the headers of the answer now."""
        ...

    def set_trailing(self, pairs: Pairs) -> None:
        """Have these sent with the status."""
        ...


class GrpcioMetadata:
    def __init__(self, call: Any) -> None:
        self._context = call._context

    def received(self) -> Pairs:
        return [(str(key), value) for key, value in self._context.invocation_metadata() or ()]

    async def send_initial(self, pairs: Pairs) -> None:
        await self._context.send_initial_metadata(pairs)

    def set_trailing(self, pairs: Pairs) -> None:
        self._context.set_trailing_metadata(pairs)


class NativeMetadata:
    def __init__(self, call: Any) -> None:
        self._call, self._connection = call, call.connection

    def received(self) -> Pairs:
        return list(self._connection.codec.request(self._call.call_id).metadata())

    async def send_initial(self, pairs: Pairs) -> None:
        self._connection.codec.start(self._call.call_id, pairs)
        self._connection._wake(self._connection)

    def set_trailing(self, pairs: Pairs) -> None:
        self._connection.codec.trailing[self._call.call_id] = pairs


class TrailingCodec:
    """The codec of a connection, but that the calls which want trailing metadata end with it.

    Why in its place from the start: the wire has looked `reply` up before a handler runs.
    """

    def __init__(self, codec: Any) -> None:
        self._codec = codec
        self.trailing: dict[int, Pairs] = {}

    def reply(self, call_id: int, message: bytes) -> None:
        if call_id not in self.trailing:
            self._codec.reply(call_id, message)
            return
        self._codec.send(call_id, message)
        self.finish(call_id, Code.OK)

    def finish(self, call_id: int, code: int, message: str = "", details: bytes = b"") -> None:
        self._codec.finish(call_id, code, message, details, self.trailing.pop(call_id, ()))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codec, name)


def give_native_trailing() -> None:
    """Have every connection of the native wire, from now on, take trailing metadata."""
    from sidecar.transport.native import connection

    module: Any = connection
    made = module.ServerConnection
    module.ServerConnection = lambda *arguments: TrailingCodec(made(*arguments))


def metadata_of(call: Call) -> Metadata:
    """The metadata of a call of either transport."""
    return GrpcioMetadata(call) if hasattr(call, "_context") else NativeMetadata(call)

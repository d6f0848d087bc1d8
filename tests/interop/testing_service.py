"""`grpc.testing.TestService` as a method table: what the interoperability suite asks of a server.

Source: https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md, "Server features".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import IntEnum
from typing import Final, cast

from sidecar.rpc.methods import Bidirectional, Call, Code, MethodTable, Refusal, ServerStream, Unary
from tests.interop.metadata import metadata_of
from tests.interop.pb import messages_pb2 as pb

SERVICE: Final = "/grpc.testing.TestService/"

_INITIAL: Final = "x-grpc-test-echo-initial"
_TRAILING: Final = "x-grpc-test-echo-trailing-bin"


class _Asked(IntEnum):
    """What the suite asks for that the daemon never answers, and so does not name."""

    UNKNOWN = 2


def method_table() -> MethodTable:
    """The service but for `UnimplementedCall`, which the suite wants not to be there."""
    return {
        SERVICE + "EmptyCall": Unary(_empty_call),
        SERVICE + "UnaryCall": Unary(_unary_call),
        SERVICE + "StreamingOutputCall": ServerStream(_streaming_output_call),
        SERVICE + "StreamingInputCall": Bidirectional(_streaming_input_call),
        SERVICE + "FullDuplexCall": Bidirectional(_full_duplex_call),
        SERVICE + "HalfDuplexCall": Bidirectional(_half_duplex_call),
    }


def _empty_call(request: bytes, call: Call) -> bytes:
    return pb.Empty.FromString(request).SerializeToString()


async def _unary_call(request: bytes, call: Call) -> bytes:
    asked = pb.SimpleRequest.FromString(request)
    await _echo(call)
    _raise_if_asked(asked.response_status)
    return pb.SimpleResponse(payload=_payload(asked.response_size)).SerializeToString()


async def _streaming_output_call(request: bytes, call: Call) -> AsyncIterator[bytes]:
    await _echo(call)
    async for reply in _replies(pb.StreamingOutputCallRequest.FromString(request)):
        yield reply


async def _streaming_input_call(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
    await _echo(call)
    size = 0
    async for request in requests:
        size += len(pb.StreamingInputCallRequest.FromString(request).payload.body)
    yield pb.StreamingInputCallResponse(aggregated_payload_size=size).SerializeToString()


async def _full_duplex_call(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
    await _echo(call)
    async for request in requests:
        async for reply in _replies(pb.StreamingOutputCallRequest.FromString(request)):
            yield reply


async def _half_duplex_call(requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
    await _echo(call)
    for request in [request async for request in requests]:
        async for reply in _replies(pb.StreamingOutputCallRequest.FromString(request)):
            yield reply


async def _echo(call: Call) -> None:
    """Give back the two headers that the suite sends for that."""
    metadata = metadata_of(call)
    received = dict(metadata.received())
    if _INITIAL in received:
        await metadata.send_initial([(_INITIAL, received[_INITIAL])])
    if _TRAILING in received:
        metadata.set_trailing([(_TRAILING, received[_TRAILING])])


async def _replies(asked: pb.StreamingOutputCallRequest) -> AsyncIterator[bytes]:
    _raise_if_asked(asked.response_status)
    for parameters in asked.response_parameters:
        await asyncio.sleep(parameters.interval_us / 1_000_000)
        yield pb.StreamingOutputCallResponse(payload=_payload(parameters.size)).SerializeToString()


def _payload(size: int) -> pb.Payload:
    return pb.Payload(type=pb.COMPRESSABLE, body=bytes(size))


def _raise_if_asked(status: pb.EchoStatus) -> None:
    if status.code:
        raise Refusal(cast("Code", _Asked(status.code)), status.message)

"""Makes the calls that standard input lists, through grpcio, and prints one JSON line for each.

Knows no message type: requests and replies are bytes, in hex. The plan's form: tests/interop/callers.py.
"""

from __future__ import annotations

import itertools
import json
import queue
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc

Plan = Mapping[str, Any]


def channel_of(plan: Plan) -> grpc.Channel:
    if plan["network"] == "tls":
        credentials = grpc.ssl_channel_credentials(Path(plan["ca"]).read_bytes())
        return grpc.secure_channel(
            plan["address"], credentials, [("grpc.ssl_target_name_override", plan["server_name"])]
        )
    return grpc.insecure_channel(f"unix:{plan['address']}" if plan["network"] == "unix" else plan["address"])


def perform(channel: grpc.Channel, call: Plan) -> Mapping[str, Any]:
    replies: list[str] = []
    stream = started(channel, call)
    try:
        for reply in stream:
            replies.append(reply.hex())
            if len(replies) == call["cancel_after"]:
                stream.cancel()
    except grpc.RpcError:
        pass  # Its status is the stream's.
    trailing = dict(stream.trailing_metadata() or ())
    return {
        "name": call["name"],
        "code": stream.code().value[0],
        "message": stream.details() or "",
        "details": trailing.get("grpc-status-details-bin", b"").hex(),
        "initial": dict(stream.initial_metadata() or ()).get("x-grpc-test-echo-initial", ""),
        "trailing": trailing.get("x-grpc-test-echo-trailing-bin", b"").hex(),
        "replies": replies,
    }


def started(channel: grpc.Channel, call: Plan) -> Any:
    """The call under way, its replies an iterator; on a bidirectional stream each request waits for a reply."""
    requests = [bytes.fromhex(text) for text in call["requests"]]
    options: dict[str, Any] = {
        "timeout": call["timeout_ms"] / 1000,
        "metadata": [(key, bytes.fromhex(value) if key.endswith("-bin") else value) for key, value in call["metadata"]],
        "compression": grpc.Compression.Gzip if call["gzip"] else None,
    }
    if call["kind"] == "bidi":
        return InTurn(channel, call["method"], requests, options)
    if call["kind"] == "unary":
        return Alone(channel, call["method"], requests[0], options)
    stream: Any = channel.unary_stream(call["method"])
    return stream(requests[0], **options)


class Alone:
    """A unary call with the face of a stream of one reply."""

    def __init__(self, channel: grpc.Channel, method: str, request: bytes, options: Mapping[str, Any]) -> None:
        unary: Any = channel.unary_unary(method)
        self._future = unary.future(request, **options)

    def __iter__(self) -> Iterator[bytes]:
        yield self._future.result()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._future, name)


class InTurn:
    """A bidirectional stream that sends a request when the reply to the one before has come."""

    def __init__(self, channel: grpc.Channel, method: str, requests: list[bytes], options: Mapping[str, Any]) -> None:
        self._turns: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._requests = requests
        stream: Any = channel.stream_stream(method)
        self._stream = stream(iter(self._turns.get, None), **options)

    def __iter__(self) -> Iterator[bytes]:
        for request in self._requests:
            self._turns.put(request)
            yield from itertools.islice(self._stream, 1)
        self._turns.put(None)
        yield from self._stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main() -> None:
    plan = json.load(sys.stdin)
    with channel_of(plan) as channel:
        for call in plan["calls"]:
            sys.stdout.write(json.dumps(perform(channel, call)) + "\n")


if __name__ == "__main__":
    main()

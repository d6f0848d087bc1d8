"""The gate: who may call, and what callers are told on the way down."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2

from sidecar.errors import Stopping
from sidecar.pb import datafile_pb2, decision_pb2
from sidecar.rpc.gate import Gate
from sidecar.rpc.methods import Call, ServerStream
from sidecar.telemetry import Telemetry
from tests.support.refusals import said
from tests.support.served import DECIDE, Served, decide_request, serving

pytestmark = pytest.mark.usefixtures("wire")

HEALTH = "/grpc.health.v1.Health/"
WATCH = "/sidecar.v1.DatafileService/Watch"


async def decide(served: Served, token: str) -> int:
    reply = await served.call(DECIDE, decide_request(), decision_pb2.DecideResponse, token=token)
    return len(reply.decisions)


async def told(stream: Any) -> Any:
    """Read a stream to its end; what its error says."""
    with pytest.raises(Exception, match="stopping") as error:
        async for _ in stream:
            pass
    return said(error.value)


async def test_calls_need_the_token_of_the_file(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("s3cret-é\n".encode().decode("ascii", "ignore"))
    async with serving(tmp_path, {"token_file": str(token_file)}) as served:
        token = token_file.read_text().strip()
        assert await decide(served, token) == 5
        for wrong in ("", "wrong", token + "x", token[:-1], "Bearer " + token):
            with pytest.raises(Exception, match="bearer token") as error:
                await decide(served, wrong)
            refused = said(error.value)
            assert (refused.code, refused.reason, refused.domain) == ("UNAUTHENTICATED", "UNAUTHENTICATED", "sidecar")
            assert token not in refused.message


async def test_streams_and_reflection_need_the_token_too(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("token")
    async with serving(tmp_path, {"token_file": str(token_file)}) as served:
        with pytest.raises(Exception, match="bearer token"):
            await anext(aiter(served.stream(WATCH, datafile_pb2.WatchRequest())))
        info: Any = served.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        with pytest.raises(Exception, match="bearer token"):
            await anext(aiter(info(_silence(), timeout=5)))


async def _silence() -> AsyncIterator[bytes]:
    """Sends nothing: `grpc.aio` takes a message that comes too late for an error of its own, and loses the answer."""
    await asyncio.Event().wait()
    yield b""


async def test_health_is_open_without_the_token(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("token")
    async with serving(tmp_path, {"token_file": str(token_file)}) as served:
        request = health_pb2.HealthCheckRequest()
        reply = await served.call(HEALTH + "Check", request, health_pb2.HealthCheckResponse)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
        assert await anext(aiter(served.stream(HEALTH + "Watch", request)))


async def test_a_stopping_process_tells_streams_and_refuses_calls(served: Served) -> None:
    stream = served.stream(WATCH, datafile_pb2.WatchRequest())
    replies = aiter(stream)
    await anext(replies)
    served.parts.gate.close()
    refused = await told(replies)
    assert (refused.code, refused.reason, refused.domain) == ("UNAVAILABLE", "STOPPING", "sidecar")
    call = await served.refused(DECIDE, decide_request())
    assert (call.code, call.reason) == ("UNAVAILABLE", "STOPPING")


async def test_watchers_of_health_are_told_too(served: Served) -> None:
    replies = aiter(served.stream(HEALTH + "Watch", health_pb2.HealthCheckRequest()))
    await anext(replies)
    served.parts.health.stop()
    last = health_pb2.HealthCheckResponse.FromString(await anext(replies))
    assert last.status == health_pb2.HealthCheckResponse.NOT_SERVING
    served.parts.gate.close()
    assert (await told(replies)).reason == "STOPPING"


async def test_a_reader_that_leaves_is_no_error(served: Served) -> None:
    stream = served.stream(WATCH, datafile_pb2.WatchRequest())
    await anext(aiter(stream))
    stream.cancel()
    assert len((await served.decide()).decisions) == 5


async def test_counters_count_calls_and_refusals(served: Served) -> None:
    await served.decide()
    await served.refused(DECIDE, decide_request(user_id=""))
    text = (await served.parts.metrics.render()).decode()
    assert 'sidecar_calls_total{method="sidecar.v1.DecisionService/Decide"} 2.0' in text
    assert (
        'sidecar_call_errors_total{code="INVALID_ARGUMENT",method="sidecar.v1.DecisionService/Decide"} 1.0' in text
    ), os.linesep.join(line for line in text.splitlines() if "call_errors" in line)


async def test_a_stream_that_is_sending_when_the_gate_shuts_is_told_once_it_has_sent() -> None:
    gate, sending = Gate(Telemetry()), asyncio.Event()

    async def endless(request: bytes, call: Call) -> AsyncIterator[bytes]:
        while True:
            yield b"reply"

    method = gate.guard({"/s/Stream": ServerStream(endless)})["/s/Stream"]
    assert isinstance(method, ServerStream)
    call: Any = None

    async def transport() -> str:
        """As a wire does it: take a reply, send it, take the next one."""
        try:
            async for _ in method.handler(b"", call):
                sending.set()
                await asyncio.sleep(0.01)
        except Stopping:
            return "told"
        return "ended"

    served = asyncio.create_task(transport())
    await sending.wait()
    gate.close()
    assert await served == "told"

"""One daemon for the tests of this directory that only ask it things, and one server for each of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from sidecar.pb import decision_pb2
from tests.support.daemon import Daemon
from tests.support.refusals import Said, said
from tests.support.served import BOTH, DECIDE, SHOP, Served, decide_request, serving


class Asker:
    """Sends bytes to a daemon and reads what it refuses them with."""

    def __init__(self, daemon: Daemon, channel: grpc.Channel) -> None:
        self.daemon, self._channel = daemon, channel

    def send(self, method: str, request: Message | bytes) -> bytes:
        """One unary call, bytes in and out; raises `grpc.RpcError`."""
        unary: Callable[..., Any] = self._channel.unary_unary(method)
        reply: bytes = unary(request if isinstance(request, bytes) else request.SerializeToString(), timeout=10)
        return reply

    def refused(self, method: str, request: Message | bytes) -> Said:
        """What a call that must fail says; asserts that the daemon serves the next good call."""
        with pytest.raises(grpc.RpcError) as error:
            self.send(method, request)
        good = decision_pb2.DecideResponse.FromString(self.send(DECIDE, decide_request()))
        assert len(good.decisions) == 5
        return said(error.value)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory, wire: str) -> Iterator[Asker]:
    """A daemon with the example datafile, Optimizely and a webhook, both down."""
    directory = tmp_path_factory.mktemp("daemon")
    configuration = {"datafile": str(SHOP), "destinations": [dict(one) for one in BOTH], "drain": 0}
    with Daemon(directory, configuration) as daemon:
        daemon.start()
        with daemon.channel() as channel:
            yield Asker(daemon, channel)
        assert daemon.stop() == 0
        assert not daemon.logged("handler_failed"), daemon.log


@pytest_asyncio.fixture
async def served(tmp_path: Path, wire: str) -> AsyncIterator[Served]:
    """A server in this process with the example datafile, Optimizely and a webhook, nothing delivered."""
    async with serving(tmp_path) as one:
        yield one

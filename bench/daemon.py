"""The sidecar as a process under measurement: its configuration, its address, and what it says that it did."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2

from bench.processes import READY_S_MAX, Cores, Measured, started
from bench.requests import DATAFILE, FLUSH
from sidecar.pb import tracking_pb2

DESTINATION: Final = "optimizely"
DATA_DIR: Final = "state"
"""Of the directory that a sidecar is started in."""
_HEALTH: Final = "/grpc.health.v1.Health/Check"
_POLL_S: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What differs between the rows: the datafile, the destination's URL, how durable a write is, the wire.

    `destination` is a whole destination of another kind, in place of Optimizely at `endpoint`. `listen` is an address
    of `grpc_listen`, `listen_also` are more.
    """

    datafile: Path = DATAFILE
    endpoint: str
    durability: str = "process"
    transport: str = "auto"
    listen: str = "127.0.0.1:0"
    listen_also: tuple[str, ...] = ()
    destination: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What the daemon has counted since its start, by its own metrics."""

    calls: float
    errors: float
    decisions: float
    accepted: float
    delivered: float
    conserved: bool


def one_call(channel: grpc.Channel, method: str, request: bytes, timeout_s: float = 60.0) -> bytes:
    """One real call by a grpcio client, bytes in and out; raises `grpc.RpcError` for every status but OK."""
    call: Any = channel.unary_unary(method)
    reply: bytes = call(request, timeout=timeout_s, wait_for_ready=True)
    return reply


class Daemon:
    """A running sidecar and a channel to it."""

    def __init__(self, process: Measured) -> None:
        """Waits until it listens; `serving_cpu_s` is known after `until_serving`."""
        self.process = process
        listening = json.loads(process.wait_for('"listening"'))
        self.address: str = listening["grpc"][0]
        self._metrics_url = f"http://{listening['http']}/metrics"
        self._channel = grpc.insecure_channel(self.address)
        self.serving_cpu_s = 0.0

    def until_serving(self) -> None:
        """Ask for its health until it is SERVING. What is asked costs it little: a dozen empty calls."""
        deadline_s = time.monotonic() + READY_S_MAX
        request = health_pb2.HealthCheckRequest().SerializeToString()
        while time.monotonic() < deadline_s:
            answer = health_pb2.HealthCheckResponse.FromString(self.call(_HEALTH, request))
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                self.serving_cpu_s = self.process.cpu_s()
                return
            time.sleep(_POLL_S)
        raise RuntimeError(f"not SERVING after {READY_S_MAX} s:\n{self.process.log.read_text()[-2000:]}")

    def call(self, method: str, request: bytes, timeout_s: float = 60.0) -> bytes:
        """See `one_call`."""
        return one_call(self._channel, method, request, timeout_s)

    def flush(self) -> None:
        """Returns when everything accepted is delivered. Raises `RuntimeError` when it is not within a minute."""
        request = tracking_pb2.FlushRequest()
        request.timeout.FromSeconds(60)
        reply = tracking_pb2.FlushResponse.FromString(self.call(FLUSH, request.SerializeToString(), 90.0))
        if any(left.events for left in reply.remainders):
            raise RuntimeError(f"not delivered after a minute: {reply}")

    def counted(self) -> Counted:
        """Its counters now; what was offered is committed first, so that the counts hold it."""
        with urllib.request.urlopen(self._metrics_url, timeout=30.0) as response:  # noqa: S310 - our own daemon
            text = response.read().decode()
        sums: dict[str, float] = {}
        for line in text.splitlines():
            if line.startswith("sidecar_"):
                name, _, value = line.rpartition(" ")
                name = name.partition("{")[0]
                sums[name] = sums.get(name, 0.0) + float(value)
        accepted, delivered = sums["sidecar_outbox_accepted_total"], sums["sidecar_outbox_delivered_total"]
        rest = ("sidecar_outbox_pending", "sidecar_outbox_dead", "sidecar_outbox_dropped_total")
        return Counted(
            calls=sums.get("sidecar_calls_total", 0.0),
            errors=sums.get("sidecar_call_errors_total", 0.0),
            decisions=sums["sidecar_decisions_total"],
            accepted=accepted,
            delivered=delivered,
            conserved=accepted == delivered + sum(sums.get(name, 0.0) for name in rest),
        )

    def close(self) -> None:
        """Close the channel; the process is its starter's to end."""
        self._channel.close()


@contextlib.contextmanager
def running(configured: Configured, cores: Cores, directory: Path) -> Iterator[Daemon]:
    """Start a sidecar in an empty directory of its own, SERVING, on the server's core."""
    optimizely = {"name": DESTINATION, "type": "optimizely", "endpoint": configured.endpoint}
    settings = {
        "datafiles": {"default": {"path": str(configured.datafile)}},
        "destinations": [configured.destination or optimizely],
        "outbox": {"durability": configured.durability},
        "grpc_listen": [configured.listen, *configured.listen_also],
        "transport": configured.transport,
        "http_listen": "127.0.0.1:0",
        "data_dir": str(directory / DATA_DIR),
        "stop_delay": "0s",
        "drain": "0s",
    }
    # JSON is YAML.
    file = directory / "sidecar.yaml"
    file.write_text(json.dumps(settings))
    arguments = ("-m", "sidecar", "serve", "--config", str(file))
    with started(arguments, cores.server, directory / "log") as process:
        daemon = Daemon(process)
        try:
            daemon.until_serving()
            yield daemon
        finally:
            daemon.close()


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """The URL of a destination that is down: a port that is bound, so that nobody else gets it, and not listened on."""
    with contextlib.closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield "http://{}:{}/".format(*bound.getsockname())


@contextlib.contextmanager
def collector(cores: Cores, directory: Path) -> Iterator[str]:
    """The URL of a destination that takes everything at once, on the load's core."""
    with started(("-m", "bench.collector"), cores.load, directory / "collector.log") as process:
        yield f"http://{process.wait_for('listening on').split()[-1]}/"

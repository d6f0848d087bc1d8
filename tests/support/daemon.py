"""`sidecar serve` as a process, for plain tests: start, learn its addresses, signal it, read its log and exit code.

Nothing here sleeps: the log is read by a thread that wakes whoever waits for a line, and health is watched.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import yaml
from grpc_health.v1 import health_pb2

from tests.support.wire import CHOSEN

ROOT = Path(__file__).parents[2]
START_S = 15.0
"""How long a start, or a stop, may take on a busy machine before a test gives up on it."""

LOOPBACK = {
    "grpc_listen": ["127.0.0.1:0"],
    "http_listen": "127.0.0.1:0",
    "stop_delay": 0,
    "drain": "2s",
    "destinations": [{"name": "console", "type": "stdout"}],
}
"""What every daemon of a test is told unless it says otherwise: any free ports, no wait for a pod's siblings, and no
destination beyond this machine (without one the daemon sends to Optimizely)."""


class Daemon:
    """One process of the daemon in a directory of its own; start it again and it finds what it left.

    `configuration` is the YAML file as a mapping; `data_dir` is `DIRECTORY/data` unless it says otherwise. Relative
    paths in it are relative to `directory`. Use as a context manager: what still runs at the end is killed.
    """

    def __init__(
        self,
        directory: Path,
        configuration: Mapping[str, Any] | None = None,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.configuration: dict[str, Any] = {
            **LOOPBACK,
            "transport": CHOSEN.transport,
            "data_dir": str(directory / "data"),
            **(configuration or {}),
        }
        self.arguments, self.environment = tuple(arguments), dict(environment or {})
        self.addresses: list[str] = []
        """Where gRPC listens, as bound: `127.0.0.1:PORT`, `unix:PATH`."""
        self.http = ""
        """Where HTTP listens: `127.0.0.1:PORT`; empty when it is off."""
        self.lines: list[str] = []
        """Everything on standard error since the last start, line by line."""
        self.output: list[str] = []
        """Everything on standard output since the last start, line by line (a stdout destination writes there)."""
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []
        self._heard = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.kill()

    # --- life -----------------------------------------------------------------------------------------------------

    def spawn(self) -> Self:
        """Start the process and wait for nothing."""
        assert not self.running, "the daemon runs already"
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "sidecar.yaml"
        file.write_text(yaml.safe_dump(self.configuration))
        clean = {name: text for name, text in os.environ.items() if not name.startswith("SIDECAR_")}
        path = [clean["PYTHONPATH"]] if "PYTHONPATH" in clean else []
        self.lines, self.output, self.addresses, self.http = [], [], [], ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sidecar", "serve", "--config", str(file), *self.arguments],
            cwd=self.directory,
            # A log in JSON, whatever the file says: it is how a test learns where the daemon listens.
            env={
                **clean,
                "PYTHONPATH": os.pathsep.join([str(ROOT), *path]),
                "SIDECAR_LOG_FORMAT": "json",
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self._process.stdout, self.output), (self._process.stderr, self.lines))
        ]
        for reader in self._readers:
            reader.start()
        return self

    def start(self, *, serving: bool = True) -> Self:
        """Start, wait until it listens and, unless told otherwise, until its health is SERVING."""
        self.spawn()
        listening = self.wait_for_log("listening")
        self.addresses, self.http = list(listening["grpc"]), listening["http"]
        if serving:
            self.wait_for_health("SERVING")
        return self

    def terminate(self) -> None:
        """Send SIGTERM and wait for nothing; a second time asks it not to wait."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> int:
        """End it at once, as the kernel would; returns its exit code."""
        self.process.kill()
        return self.wait()

    def wait(self, timeout_s: float = START_S) -> int:
        """Wait until the process has ended and its log is read; returns its exit code."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the daemon still ran after {timeout_s} s; its log:\n{self.log}") from None
        for reader in self._readers:
            reader.join()
        return code

    def stop(self, timeout_s: float = START_S) -> int:
        """SIGTERM, then wait; returns its exit code."""
        self.terminate()
        return self.wait(timeout_s)

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the daemon was not started"
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def data_dir(self) -> Path:
        return Path(self.configuration["data_dir"])

    # --- what it says ---------------------------------------------------------------------------------------------

    @property
    def log(self) -> str:
        """Standard error as text."""
        return "\n".join(self.lines)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of the log that are JSON events, in order."""
        return [json.loads(line) for line in list(self.lines) if line.startswith("{")]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The events of one name, in order."""
        return [one for one in self.events if one.get("event") == event]

    def wait_for_log(
        self,
        event: str,
        holds: Callable[[dict[str, Any]], bool] = lambda _: True,
        timeout_s: float = START_S,
    ) -> dict[str, Any]:
        """Wait for an event for which `holds` is true, one already logged included; fails when the process ends."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._heard:
                found = [one for one in self.logged(event) if holds(one)]
                if found:
                    return found[0]
                ended = not any(reader.is_alive() for reader in self._readers)
                left_s = deadline - time.monotonic()
                if ended or left_s <= 0:
                    why = "ended" if ended else f"said nothing for {timeout_s} s"
                    raise AssertionError(f"the daemon {why}, wanted the event `{event}`; its log:\n{self.log}")
                # Why bounded: the end of the readers wakes nobody.
                self._heard.wait(min(left_s, 0.2))

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._heard:
                lines.append(line.rstrip("\n"))
                self._heard.notify_all()
        stream.close()

    # --- calls ----------------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        """The first address of gRPC."""
        return self.addresses[0]

    def channel(self, address: str = "") -> grpc.Channel:
        """A channel without TLS, with a pool of its own; the caller closes it."""
        return grpc.insecure_channel(address or self.address, options=(("grpc.use_local_subchannel_pool", 1),))

    def call(self, method: str, request: Any, response: Any, *, timeout_s: float = 10.0) -> Any:
        """One unary call: `method` as `/sidecar.v1.DecisionService/Decide`; raises `grpc.RpcError`."""
        with self.channel() as channel:
            unary: Any = channel.unary_unary(
                method,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=response.FromString,
            )
            return unary(request, timeout=timeout_s)

    def wait_for_health(self, status: str, name: str = "", timeout_s: float = START_S) -> None:
        """Wait until `grpc.health.v1` says this of the process, or of a service, or of `datafile/NAME`."""
        seen = []
        with self.channel() as channel:
            watch = channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            stream = watch(health_pb2.HealthCheckRequest(service=name), timeout=timeout_s)
            try:
                for answer in stream:
                    seen.append(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
                    if seen[-1] == status:
                        stream.cancel()
                        return
            except grpc.RpcError as failed:
                seen.append(str(failed))
        raise AssertionError(f"health of `{name}` was {seen}, wanted {status}; the log:\n{self.log}")

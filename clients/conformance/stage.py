"""A scenario's sidecar: a real one in a directory of its own, and the steps that are the runner's."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import trustme

from clients.conformance.programs import ROOT
from sidecar.pb import tracking_pb2
from tests.support.daemon import Daemon

DELIVERY_S: Final = 30.0
DESTINATIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "events": {"type": "file", "fsync": False, "batch_age_max": "20ms"},
    # Why: outcomes of Optimizely are part of every reply, and nothing listens on port 9.
    "optimizely": {"type": "optimizely", "endpoint": "http://127.0.0.1:9/"},
}
"""What the sidecar has, unless a scenario names fewer."""


class Stage:
    """Use as a context manager: started, and at the end killed."""

    def __init__(self, directory: Path, sidecar: Mapping[str, Any], datafiles: Mapping[str, Any]) -> None:
        self._directory = directory
        self._seen = 0
        directory.mkdir(parents=True)
        self.environment: dict[str, str] = {
            "SIDECAR_TCP": f"127.0.0.1:{free_port()}",
            "SIDECAR_UNIX": f"unix:{directory}/s.sock",
            "SIDECAR_NOWHERE": f"127.0.0.1:{free_port()}",
            "SIDECAR_CA": "",
            "SIDECAR_CERTIFICATE": "",
            "SIDECAR_KEY": "",
        }
        self._daemon = Daemon(directory, self._configuration(sidecar, datafiles))

    def _configuration(self, sidecar: Mapping[str, Any], datafiles: Mapping[str, Any]) -> dict[str, Any]:
        names = sidecar.get("destinations", list(DESTINATIONS))
        destinations = [{"name": name, **DESTINATIONS[name]} for name in names]
        for one in destinations:
            if one["type"] == "file":
                one["path"] = str(self._events_file)
        configuration: dict[str, Any] = {
            "grpc_listen": [self.environment["SIDECAR_TCP"], self.environment["SIDECAR_UNIX"]],
            "http_listen": "off",
            "destinations": destinations,
            **sidecar.get("settings", {}),
        }
        if "datafile" in sidecar:
            self._put_datafile(sidecar["datafile"])
            configuration["datafile"] = str(self._directory / "datafile.json")
        if datafiles:
            configuration["datafiles"] = {name: self._put(name, body) for name, body in datafiles.items()}
        if sidecar.get("token"):
            token = self._directory / "token"
            token.write_text(sidecar["token"])
            configuration["token_file"] = str(token)
        if sidecar.get("tls"):
            configuration |= self._certificates(mutual=sidecar["tls"] == "mutual")
        return configuration

    @property
    def _events_file(self) -> Path:
        return self._directory / "events.jsonl"

    def _put(self, name: str, body: Any) -> dict[str, Any]:
        path = self._directory / f"{name}.json"
        path.write_text(json.dumps(body))
        return {"path": str(path)}

    def _put_datafile(self, source: str) -> None:
        """Swapped in whole, as a rename does."""
        copy = self._directory / "next.json"
        shutil.copy(ROOT / source, copy)
        copy.rename(self._directory / "datafile.json")

    def _certificates(self, *, mutual: bool) -> dict[str, Any]:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self._directory / "ca.pem")
        for name, certificate in (
            ("server", authority.issue_cert("127.0.0.1", "localhost")),
            ("client", authority.issue_cert("a-client")),
        ):
            certificate.private_key_pem.write_to_path(self._directory / f"{name}.key")
            certificate.cert_chain_pems[0].write_to_path(self._directory / f"{name}.pem")
        names = {"SIDECAR_CA": "ca.pem", "SIDECAR_CERTIFICATE": "client.pem", "SIDECAR_KEY": "client.key"}
        self.environment |= {variable: str(self._directory / name) for variable, name in names.items()}
        told = {"tls_cert": str(self._directory / "server.pem"), "tls_key": str(self._directory / "server.key")}
        return told | ({"tls_client_ca": str(self._directory / "ca.pem")} if mutual else {})

    def __enter__(self) -> Self:
        self._start()
        return self

    def _start(self) -> None:
        # Why not health: a sidecar that asks for a certificate answers nobody else.
        self._daemon.start(serving=False)
        datafiles = len(self._daemon.configuration.get("datafiles", ())) or 1
        self._daemon.wait_for_log("datafile_applied", lambda _: self._settled() == datafiles)

    def _settled(self) -> int:
        """How many datafiles are applied or refused."""
        return len(self._daemon.logged("datafile_applied")) + len(self._daemon.logged("datafile_rejected"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._daemon.running:
            self._daemon.kill()

    @property
    def log(self) -> str:
        """What the sidecar logged since its last start."""
        return self._daemon.log

    # --- the runner's steps -----------------------------------------------------------------------------------

    def perform(self, step: Mapping[str, Any]) -> Any:
        """One step of the runner; what it found."""
        acts: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "stop": lambda _: self._daemon.stop() and None,
            "start": lambda _: self._start(),
            "pause": lambda _: self._daemon.process.send_signal(signal.SIGSTOP),
            "resume": lambda _: self._daemon.process.send_signal(signal.SIGCONT),
            "replace_datafile": lambda one: self._put_datafile(one["datafile"]),
            "events": self._events,
        }
        return acts[step["runner"]](step)

    def _events(self, step: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What was delivered to the file since the last look, when nothing is left for it."""
        self._wait_until_delivered()
        text = self._events_file.read_text() if self._events_file.exists() else ""
        # Why not splitlines: JSON text may hold U+2028, which is no end of a line here.
        lines = text.split("\n")[:-1]
        new, self._seen = lines[self._seen :], len(lines)
        untimed = {"time", "event_id", "decision_id"} if step.get("untimed") else set()
        left_out = {"received_time", *step.get("without", ())} | untimed
        events = [{key: value for key, value in json.loads(one).items() if key not in left_out} for one in new]
        kinds = step.get("kinds")
        return [event for event in events if kinds is None or event["kind"] in kinds]

    def _wait_until_delivered(self) -> None:
        deadline = time.monotonic() + DELIVERY_S
        while True:
            request = tracking_pb2.FlushRequest()
            request.timeout.FromMilliseconds(100)
            reply = self._daemon.call(
                "/sidecar.v1.TrackingService/Flush", request, tracking_pb2.FlushResponse, timeout_s=10
            )
            if not any(each.events for each in reply.remainders if each.destination == "events"):
                return
            assert time.monotonic() < deadline, f"events were not delivered: {reply}; the log:\n{self._daemon.log}"


def free_port() -> int:
    """A port that was free a moment ago: restarts of the sidecar need one that is known before."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

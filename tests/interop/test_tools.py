"""Tools that people call a gRPC server with find the daemon by its reflection: grpcurl, and ghz for a short load."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop import building
from tests.interop.serving import SERVER_NAME, Pems
from tests.support.daemon import Daemon
from tests.support.served import SHOP

FLAGS: Final = [flag["key"] for flag in json.loads(SHOP.read_text())["featureFlags"]]
DECIDE: Final = "sidecar.v1.DecisionService/Decide"
LOAD_CALLS: Final = 200
LOAD_CONCURRENCY: Final = 20

# Why so long: the first test of a tool builds it.
pytestmark = pytest.mark.timeout(600)


def said(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def grpcurl(*arguments: str | Path) -> str:
    return said([building.go_program("grpcurl"), *arguments])


def test_grpcurl_lists_the_services(daemon: Daemon) -> None:
    listed = grpcurl("-plaintext", daemon.address, "list").split()
    assert {"sidecar.v1.DecisionService", "sidecar.v1.TrackingService", "grpc.health.v1.Health"} <= set(listed)
    assert "grpc.reflection.v1.ServerReflection" in listed


@pytest.mark.parametrize("symbol", ["sidecar.v1.DecisionService", "sidecar.v1.Value", "grpc.health.v1.Health"])
def test_grpcurl_describes_what_is_served(daemon: Daemon, symbol: str) -> None:
    assert symbol in grpcurl("-plaintext", daemon.address, "describe", symbol)


def decided(text: str) -> list[str]:
    answer: Any = json.loads(text)
    return [one["flag_key"] for one in answer["decisions"]]


def test_grpcurl_decides_over_tcp_by_reflection_alone(daemon: Daemon) -> None:
    assert decided(grpcurl("-plaintext", "-d", '{"user_id": "u"}', daemon.address, DECIDE)) == FLAGS


def test_grpcurl_decides_over_a_unix_socket(daemon: Daemon) -> None:
    assert decided(grpcurl("-plaintext", "-d", '{"user_id": "u"}', daemon.addresses[1], DECIDE)) == FLAGS


def test_grpcurl_decides_over_tls(tls_daemon: Daemon, pems: Pems) -> None:
    where = ["-cacert", str(pems.ca), "-authority", SERVER_NAME, "-d", '{"user_id": "u"}', tls_daemon.address]
    assert decided(grpcurl(*where, DECIDE)) == FLAGS


def test_grpcurl_streams_decisions(daemon: Daemon) -> None:
    asked = '{"decide": {"user_id": "a"}} {"decide": {"user_id": "b"}}'
    text = grpcurl("-plaintext", "-d", asked, daemon.address, "sidecar.v1.DecisionService/DecideStream")
    assert text.count('"decided"') == 2


def test_grpcurl_is_shown_the_details_of_an_error(daemon: Daemon) -> None:
    asked = ["-plaintext", "-d", '{"user_id": "u", "datafile": "none"}', daemon.address, DECIDE]
    command = [str(building.go_program("grpcurl")), *asked]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False)
    assert "Code: NotFound" in done.stderr
    assert "DATAFILE_NOT_FOUND" in done.stderr


def test_ghz_calls_all_end_ok(daemon: Daemon) -> None:
    load = ["-n", str(LOAD_CALLS), "-c", str(LOAD_CONCURRENCY), "--connections", "2", "-O", "json"]
    asked = ["--insecure", "--call", DECIDE, "-d", '{"user_id": "{{.RequestNumber}}", "flag_keys": []}']
    report = json.loads(said([building.go_program("ghz"), *load, *asked, daemon.address]))
    assert report["statusCodeDistribution"] == {"OK": LOAD_CALLS}

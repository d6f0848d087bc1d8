"""Programs of five gRPC stacks make the same calls over TCP, a Unix socket and TLS: each must be told the same.

The programs are generic, bytes in and bytes out: `callers.py`. The calls and what they must say: `plans.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.interop import callers, plans
from tests.interop.callers import Target
from tests.interop.exceptions import known_failures
from tests.interop.serving import Pems, target
from tests.support.daemon import Daemon

NETWORKS: Final = ("tcp", "unix", "tls")

pytestmark = [
    pytest.mark.slow,
    # Why so long: the first of a stack builds its program.
    pytest.mark.timeout(600),
    pytest.mark.parametrize("network", NETWORKS),
    pytest.mark.parametrize("stack", callers.CALLERS),
]


@pytest.fixture
def daemon_target(network: str, daemon: Daemon, tls_daemon: Daemon, pems: Pems) -> Target:
    address = {"tcp": daemon.addresses[0], "unix": daemon.addresses[1], "tls": tls_daemon.address}[network]
    return target(address, pems if network == "tls" else None)


@pytest.fixture
def service_target(network: str, testing_addresses: list[str], testing_tls_address: str, pems: Pems) -> Target:
    address = {"tcp": testing_addresses[0], "unix": testing_addresses[1], "tls": testing_tls_address}[network]
    return target(address, pems if network == "tls" else None)


def test_daemon_answers_every_stack_alike(
    stack: str, transport: str, network: str, daemon_target: Target, datafile: Path
) -> None:
    results = callers.run(callers.CALLERS[stack](), daemon_target, plans.daemon_calls())
    said = {name: plans.daemon_line(result, datafile) for name, result in results.items()}
    flags = len(json.loads(datafile.read_text())["featureFlags"])
    check(f"{stack}/{network}", transport, said, plans.daemon_lines(datafile, flags))


def test_interoperability_service_answers_every_stack_alike(
    stack: str, transport: str, network: str, service_target: Target
) -> None:
    results = callers.run(callers.CALLERS[stack](), service_target, plans.suite_calls())
    said = {name: plans.suite_line(result) for name, result in results.items()}
    check(f"{stack}/{network}", transport, said, plans.suite_lines())


def check(case: str, transport: str, said: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """All was said as wanted; of a case that is listed, something was not."""
    reason = known_failures("stacks", transport).get(case)
    if reason is None:
        assert said == wanted
    else:
        assert said != wanted, f"{case} passes; take it off known_failures.yaml, where it stands for: {reason}"

"""The interoperability suite of gRPC, asked by its client for Go.

Cases: https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Final

import pytest

from tests.interop import building
from tests.interop.exceptions import known_failures, not_asked
from tests.interop.serving import SERVER_NAME, Pems

CASES: Final = (
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "timeout_on_sleeping_server",
    "cancel_after_begin",
    "cancel_after_first_response",
    "status_code_and_message",
    "special_status_message",
    "custom_metadata",
    "unimplemented_method",
    "unimplemented_service",
    "rpc_soak",
    "channel_soak",
)
_UNNAMED: Final = frozenset({"rpc_soak", "channel_soak"})
"""Cases that the client has and its help does not list."""

# Why so long: the first test builds the client.
pytestmark = pytest.mark.timeout(600)


def test_every_case_of_the_client_is_run_or_left_out_for_a_reason() -> None:
    client = building.go_program("client")
    told = subprocess.run([client, "-help"], capture_output=True, text=True, timeout=30, check=False).stderr
    listed = set(re.findall(r"^\s+(\w+) ?: ", told, re.MULTILINE))
    assert listed
    assert listed | _UNNAMED == set(CASES) | not_asked("interop_client").keys()


@pytest.mark.parametrize("case", CASES)
def test_case_passes_over_tcp(transport: str, case: str, testing_addresses: list[str]) -> None:
    host, _, port = testing_addresses[0].rpartition(":")
    ask(transport, case, [f"-server_host={host}", f"-server_port={port}"])


@pytest.mark.parametrize("case", CASES)
def test_case_passes_over_a_unix_socket(transport: str, case: str, testing_addresses: list[str]) -> None:
    ask(transport, case, [f"-server_host={testing_addresses[1]}", "-server_port=0"])


@pytest.mark.parametrize("case", CASES)
def test_case_passes_over_tls(transport: str, case: str, testing_tls_address: str, pems: Pems) -> None:
    host, _, port = testing_tls_address.rpartition(":")
    secured = ["-use_tls", f"-ca_file={pems.ca}", f"-server_host_override={SERVER_NAME}", "-use_test_ca"]
    ask(transport, case, [f"-server_host={host}", f"-server_port={port}", *secured])


def ask(transport: str, case: str, where: Sequence[str]) -> None:
    """Run one case; it must pass, or fail if it is listed."""
    command = [str(building.go_program("client")), f"-test_case={case}", *where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    reason = known_failures("interop_client", transport).get(case)
    if reason is None:
        assert done.returncode == 0, done.stderr[-4000:]
    else:
        assert done.returncode != 0, f"{case} passes; take it off known_failures.yaml, where it stands for: {reason}"

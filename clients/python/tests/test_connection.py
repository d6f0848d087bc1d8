"""The connection itself: TLS, one channel for many threads, and the daemon of this repository behind it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import trustme

from clients.python.tests.scripted import MOUNTS, Listening, ScriptedSidecar
from sidecar_client import AccessDenied, Reason, RuleType, Tls, Unavailable, aio, connect

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secured(authority: trustme.CA) -> Iterator[str]:
    """The address of a sidecar that shows a certificate and asks for one."""
    issued = authority.issue_cert("sidecar.test")
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    for mount in MOUNTS:
        mount(ScriptedSidecar(), server)
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    credentials = grpc.ssl_server_credentials(
        [(issued.private_key_pem.bytes(), chain)], authority.cert_pem.bytes(), require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
def own(authority: trustme.CA) -> Tls:
    """The certificate of a client, and the authority that it trusts."""
    issued = authority.issue_cert("client.test")
    return Tls(
        ca_pem=authority.cert_pem.bytes(),
        certificate_pem=issued.cert_chain_pems[0].bytes(),
        key_pem=issued.private_key_pem.bytes(),
        server_name="sidecar.test",
    )


def test_tls_with_a_client_certificate(own: Tls, secured: str) -> None:
    with connect(secured, tls=own, strict=True) as client:
        assert client.user("u1").decide("a", timeout_s=5).variation_key == "on"


async def test_tls_with_a_client_certificate_for_asyncio(own: Tls, secured: str) -> None:
    async with aio.connect(secured, tls=own, strict=True, decide_timeout_s=5) as client:
        users = [client.user(f"u{number}", {"text": "x" * 50_000}) for number in range(20)]
        decided = await asyncio.gather(*(user.decide("a") for user in users))
    assert {decision.variables.string("text") for decision in decided} == {"x" * 50_000}


async def test_sidecar_of_another_authority_is_not_trusted_by_asyncio(secured: str) -> None:
    tls = Tls(ca_pem=trustme.CA().cert_pem.bytes(), server_name="sidecar.test")
    async with aio.connect(secured, tls=tls, strict=True) as client:
        with pytest.raises(Unavailable):
            await client.user("u1").decide("a", timeout_s=1)


def test_a_token_of_a_function_that_no_header_holds_is_refused_before_it_is_sent(listening: Listening) -> None:
    tokens = iter(["secret\n", "secret"])
    with connect(listening.address, token=lambda: next(tokens), strict=True, decide_timeout_s=5) as client:
        with pytest.raises(AccessDenied, match=r"token has U\+000A at character 7 of 7, wanted visible ASCII alone"):
            client.user("u1").decide("a")
        assert not listening.script.requests
        assert client.user("u1").decide("a").variation_key == "on"
    assert listening.script.metadata["authorization"] == "Bearer secret"


def test_sidecar_of_another_authority_is_not_trusted(secured: str) -> None:
    tls = Tls(ca_pem=trustme.CA().cert_pem.bytes(), server_name="sidecar.test")
    with connect(secured, tls=tls, strict=True) as client, pytest.raises(Unavailable):
        client.user("u1").decide("a", timeout_s=1)


def test_threads_share_one_client(listening: Listening) -> None:
    with connect(listening.address) as client, ThreadPoolExecutor(8) as threads:

        def decided(number: int) -> int:
            return client.user(f"u{number}", {"n": number}).decide("a", timeout_s=5).variables.integer("n")

        assert list(threads.map(decided, range(200))) == list(range(200))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """The address of this repository's daemon with the example datafile."""
    address = f"unix:{tmp_path / 's'}"
    listen = ["--grpc-listen", address, "--http-listen", "127.0.0.1:0", "--stop-delay", "0"]
    arguments = ["--config", "examples/run.yaml", "--data-dir", str(tmp_path), *listen]
    with subprocess.Popen(  # noqa: S603 - the daemon
        [sys.executable, "-m", "sidecar", "serve", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        log = []
        while "datafile_applied" not in (line := process.stdout.readline()):
            log.append(line)
            assert line, f"the daemon ended: {log}"
        yield address
        process.terminate()
        process.communicate(timeout=20)


def test_the_daemon_decides_the_shop_and_accepts_its_events(daemon: str) -> None:
    with connect(daemon, strict=True, decide_timeout_s=5) as client:
        anna = client.user("qa-anna", {"country": "AT"})
        checkout = anna.decide("checkout_redesign")
        shipping = anna.decide("free_shipping")
        unknown = anna.decide("no_such_flag")
        accepted = anna.track("purchase", event_id="order-7", timeout_s=5)
        status = client.status()
    assert (checkout.variation_key, checkout.reason) == ("express", Reason.WHITELISTED)
    assert checkout.variables.integer("steps") == 1
    assert (shipping.variables.double("threshold"), shipping.rule_type) == (29.0, RuleType.ROLLOUT)
    assert unknown.reason is Reason.FLAG_NOT_FOUND
    assert accepted.event_id == "order-7"
    assert (status.revision, status.warnings, status.stale) == ("41", (), False)


@pytest.mark.parametrize(
    ("sample", "last"),
    [
        ("first_decision", "because BUCKETED"),
        ("first_event", "console: QUEUED"),
        ("errors", "control, because SIDECAR_UNAVAILABLE: UNAVAILABLE"),
    ],
)
def test_the_samples_run_against_the_daemon(daemon: str, sample: str, last: str) -> None:
    finished = subprocess.run(  # noqa: S603 - the sample itself
        [sys.executable, f"clients/python/samples/{sample}.py", daemon],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "clients/python/src"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert finished.stdout.splitlines()[-1].endswith(last)

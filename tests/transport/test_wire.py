"""Either wire on real sockets: TCP and Unix at once, file modes, TLS with and without client certificates."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from grpc import aio

from sidecar.errors import ConfigInvalid
from sidecar.pb import decision_pb2
from tests.support.served import DECIDE, decide_request, serving

pytestmark = pytest.mark.usefixtures("wire")


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name: the kernel takes 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="s") as name:
        yield Path(name)


async def decide(channel: aio.Channel) -> int:
    unary: Any = channel.unary_unary(DECIDE)
    reply = decision_pb2.DecideResponse.FromString(await unary(decide_request().SerializeToString(), timeout=5))
    return len(reply.decisions)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- sockets ------------------------------------------------------------------------------------------------------


async def test_tcp_and_unix_serve_at_once(tmp_path: Path, short: Path) -> None:
    listen = ["127.0.0.1:0", f"unix:{short}/run/s", "[::1]:0"]
    async with serving(tmp_path, {"grpc_listen": listen}) as served:
        assert served.addresses[1] == f"unix:{short}/run/s"
        for address in served.addresses:
            async with aio.insecure_channel(address) as channel:
                assert await decide(channel) == 5


@pytest.mark.parametrize(("configured", "mode"), [({}, 0o660), ({"socket_mode": "0600"}, 0o600)])
async def test_socket_file_has_the_configured_mode(
    tmp_path: Path, short: Path, configured: dict[str, str], mode: int
) -> None:
    async with serving(tmp_path, {"grpc_listen": [f"unix:{short}/s"], **configured}):
        assert mode_of(short / "s") == mode
    assert not (short / "s").exists()


async def test_stale_socket_is_replaced(tmp_path: Path, short: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(short / "s"))
    left.close()
    async with serving(tmp_path, {"grpc_listen": [f"unix:{short}/s"]}) as served:
        assert await decide(served.channel) == 5


async def test_socket_of_another_process_is_refused_and_still_answers(tmp_path: Path, short: Path) -> None:
    async with serving(tmp_path / "a", {"grpc_listen": [f"unix:{short}/s"]}) as first:
        with pytest.raises(ConfigInvalid, match="answered by another process"):
            async with serving(tmp_path / "b", {"grpc_listen": [f"unix:{short}/s"]}):
                pass
        assert (short / "s").exists()
        assert await decide(first.channel) == 5


async def test_file_at_the_socket_s_path_is_left_alone(tmp_path: Path, short: Path) -> None:
    (short / "s").write_text("precious")
    with pytest.raises(ConfigInvalid, match="no socket"):
        async with serving(tmp_path, {"grpc_listen": [f"unix:{short}/s"]}):
            pass
    assert (short / "s").read_text() == "precious"


async def test_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serving(tmp_path, {"grpc_listen": [f"127.0.0.1:{port}"]}):
                pass


# --- TLS ----------------------------------------------------------------------------------------------------------


class Certificates:
    """A certificate authority, and the files of a server and a client."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = trustme.CA()
        self.root = self.authority.cert_pem.bytes()
        self.issue("localhost")
        self.authority.cert_pem.write_to_path(directory / "ca.pem")

    def issue(self, name: str) -> None:
        """Write the server's pair anew, the key first, as some tools do."""
        leaf = self.authority.issue_cert(name)
        leaf.private_key_pem.write_to_path(self.directory / "key.pem")
        self.directory.joinpath("cert.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))

    def configuration(self, **more: str) -> dict[str, Any]:
        files = {"tls_cert": str(self.directory / "cert.pem"), "tls_key": str(self.directory / "key.pem")}
        return {**files, **more}

    def client(self, *, certificate: bool = False, authority: trustme.CA | None = None) -> grpc.ChannelCredentials:
        if not certificate:
            return grpc.ssl_channel_credentials(self.root)
        leaf = (authority or self.authority).issue_cert("client")
        chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
        return grpc.ssl_channel_credentials(self.root, leaf.private_key_pem.bytes(), chain)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    directory = tmp_path / "tls"
    directory.mkdir()
    return Certificates(directory)


async def decide_securely(address: str, credentials: grpc.ChannelCredentials, name: str = "localhost") -> int:
    # Why a pool of its own: another test's connection with another certificate must not be taken up.
    options = (("grpc.ssl_target_name_override", name), ("grpc.use_local_subchannel_pool", 1))
    async with aio.secure_channel(address, credentials, options=options) as channel:
        return await decide(channel)


async def test_tls_serves_those_who_trust_it_and_nobody_in_plain(tmp_path: Path, certificates: Certificates) -> None:
    async with serving(tmp_path, certificates.configuration()) as served:
        assert await decide_securely(served.addresses[0], certificates.client()) == 5
        with pytest.raises(aio.AioRpcError) as refused:
            await decide(served.channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        stranger = grpc.ssl_channel_credentials(trustme.CA().cert_pem.bytes())
        with pytest.raises(aio.AioRpcError):
            await decide_securely(served.addresses[0], stranger)


async def test_client_must_show_a_certificate_of_the_authority(tmp_path: Path, certificates: Certificates) -> None:
    configuration = certificates.configuration(tls_client_ca=str(certificates.directory / "ca.pem"))
    async with serving(tmp_path, configuration) as served:
        assert await decide_securely(served.addresses[0], certificates.client(certificate=True)) == 5
        forged = certificates.client(certificate=True, authority=trustme.CA())
        for credentials in (certificates.client(), forged):
            with pytest.raises(aio.AioRpcError) as refused:
                await decide_securely(served.addresses[0], credentials)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_changed_certificate_is_shown_at_the_next_handshake(tmp_path: Path, certificates: Certificates) -> None:
    async with serving(tmp_path, certificates.configuration()) as served:
        assert await decide_securely(served.addresses[0], certificates.client()) == 5
        certificates.issue("renewed.example")
        assert await decide_securely(served.addresses[0], certificates.client(), "renewed.example") == 5


@pytest.mark.parametrize("damage", ["half a certificate", "no certificate", "another key"])
async def test_pair_that_does_not_fit_keeps_the_last_good_one(
    tmp_path: Path, certificates: Certificates, damage: str
) -> None:
    certificate, key = certificates.directory / "cert.pem", certificates.directory / "key.pem"
    async with serving(tmp_path, certificates.configuration()) as served:
        if damage == "half a certificate":
            certificate.write_bytes(certificate.read_bytes()[:300])
        elif damage == "no certificate":
            certificate.unlink()
        else:
            certificates.authority.issue_cert("other").private_key_pem.write_to_path(key)
        assert await decide_securely(served.addresses[0], certificates.client()) == 5
        certificates.issue("renewed.example")
        assert await decide_securely(served.addresses[0], certificates.client(), "renewed.example") == 5


@pytest.mark.parametrize("name", ["cert.pem", "key.pem", "ca.pem"])
@pytest.mark.parametrize("damage", ["missing", "no PEM"])
async def test_unusable_file_is_named_at_start(
    tmp_path: Path, certificates: Certificates, name: str, damage: str
) -> None:
    path = certificates.directory / name
    configuration = certificates.configuration(tls_client_ca=str(certificates.directory / "ca.pem"))
    if damage == "missing":
        path.unlink()
    else:
        path.write_text("no PEM")
    with pytest.raises(ConfigInvalid, match=os.fspath(path)):
        async with serving(tmp_path, configuration):
            pass

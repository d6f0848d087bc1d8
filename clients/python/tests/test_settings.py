"""Settings: what is refused when a client is made, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar_client import Settings, Tls, connect


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8013", "localhost:1", "[::1]:65535", "unix:/run/sidecar.sock", "unix:s"]
)
def test_address_is_a_host_and_port_or_a_socket(address: str) -> None:
    assert Settings(address=address).address == address


@pytest.mark.parametrize("address", ["", "8013", ":8013", "localhost", "a:", "a:0", "a:65536", "unix:"])
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="wanted `HOST:PORT` or `unix:PATH`"):
        connect(address)


@pytest.mark.parametrize("name", ["decide_timeout_s", "event_timeout_s", "status_timeout_s"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_timeouts_are_positive(name: str, value: float) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name} is .*, wanted more than 0"):
        Settings(**options)


def test_certificate_needs_its_key() -> None:
    with pytest.raises(ValueError, match="wanted both or neither"):
        Tls(certificate_pem=b"x")


def test_connecting_waits_for_the_first_call() -> None:
    connect("127.0.0.1:1").close()


@pytest.mark.parametrize("token", ["secret\n", "se cret", "s\u00e9cret", "\x7f"])
def test_a_token_that_no_header_holds_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValueError, match=r"token has U\+.* at character .*, wanted visible ASCII alone") as refused:
        connect("127.0.0.1:8013", token=token)
    assert "cret" not in str(refused.value)

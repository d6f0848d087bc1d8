"""What a person may read of an endpoint: its host, and nothing that lets anybody in."""

from __future__ import annotations

from base64 import b64encode

import pytest

from sidecar.config import Secret
from sidecar.destinations.endpoint import Endpoint, HttpSection, logins, places, shown
from sidecar.destinations.webhook import WebhookConfig

PASSWORD = "p%40ssw0rd"


def test_login_of_a_url_is_hidden_in_every_form_it_can_come_back_in() -> None:
    basic = b64encode(b"ada-user:p@ssw0rd").decode()
    endpoint = Endpoint(url=f"https://ada-user:{PASSWORD}@h/x", way=HttpSection())
    for form in (PASSWORD, "p@ssw0rd", "ada-user", basic):
        assert shown(f"got {form}!", endpoint) == "got …!"
    assert logins("https://h/x") == ("",)


def test_login_of_a_proxy_is_hidden_too() -> None:
    proxy = Secret(f"http://ada-user:{PASSWORD}@proxy:3128")
    endpoint = Endpoint(url="https://h/x", way=HttpSection(proxy=proxy))
    assert shown(f"cannot reach {proxy.reveal()} as ada-user with p@ssw0rd", endpoint) == "cannot reach … as … with …"


@pytest.mark.parametrize(
    "text",
    [
        "/services/T0001/abcdefghijkl?token=0123456789",
        "token=0123456789",
        "abcdefghijkl",
        "0123456789",
        "abc defghijkl",
    ],
)
def test_path_and_query_of_a_secret_url_are_hidden_whole_and_in_part(text: str) -> None:
    url = "https://h/services/T0001/abcdefghijkl/abc%20defghijkl?token=0123456789"
    endpoint = Endpoint(url=url, way=HttpSection(), secrets=places(url))
    said = shown(f"no {text} here", endpoint)
    assert not any(secret in said for secret in ("abcdefghijkl", "0123456789", "abc defghijkl")), said


def test_what_is_hidden_is_not_left_in_part_by_another_secret_within_it() -> None:
    endpoint = Endpoint(url="https://h/", way=HttpSection(), secrets=("hunter2", "hunter2-and-more"))
    assert shown("hunter2-and-more", endpoint) == "…"


def test_endpoint_shows_neither_url_nor_secrets_of_itself() -> None:
    endpoint = Endpoint(
        url="https://u:hunter2@h/", way=HttpSection(proxy=Secret("http://hunter2@p")), secrets=("hunter2",)
    )
    section = WebhookConfig(endpoint="https://h/hunter2", headers={"X": Secret("hunter2")}, secret=Secret("hunter2"))
    assert "hunter2" not in repr(endpoint) + repr(section)

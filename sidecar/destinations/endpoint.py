"""Where HTTP destinations POST to: the section that they share, its checks, and what a person may read of it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from sidecar import __version__
from sidecar.config import Secret
from sidecar.events.currencies import MINOR_UNIT_DIGITS
from sidecar.limits import DESTINATION_TIMEOUT_S

USER_AGENT: Final = f"decision-sidecar/{__version__}"

_DETAIL_CHARACTERS_MAX: Final = 300
_SECRET_CHARACTERS_MIN: Final = 4
"""A shorter `secret` would blot out ordinary words."""
_PIECE_CHARACTERS_MIN: Final = 8
"""A shorter part of a path is a word, as `events` or `hooks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSection:
    """What every HTTP destination can be told about the way there."""

    timeout_s: float = DESTINATION_TIMEOUT_S
    """How long one attempt may take in all, connecting included, before it counts as failed. Over 0 s."""
    proxy: Secret | None = None
    """URL of an HTTP proxy for this destination, user and password included. None goes straight; the
    environment's `HTTP_PROXY` is not read, since events must not take a way that nobody configured."""
    ca_file: Path | None = None
    """PEM file of the authorities to trust instead of the system's. None trusts the system's."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a time of nothing. Sections that extend this one call it."""
        if self.timeout_s <= 0:
            raise ValueError("timeout is 0, wanted more than 0 s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to POST and how. `secrets` are taken out of everything that a person may read."""

    url: str = field(repr=False)
    way: HttpSection
    secrets: tuple[str, ...] = field(default=(), repr=False)
    compressed: bool = False


def check_url(url: str) -> None:
    """Raise `ValueError` unless this is an http(s) URL with a host. The message does not repeat it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("endpoint is no URL, wanted http:// or https:// and a host")


def check_one_login(url: str, how: str) -> None:
    """Raise `ValueError` when the URL names a user beside `how`: one header would have to hold both."""
    if "@" in urlsplit(url).netloc:
        raise ValueError(f"{how} is given beside a user in endpoint, wanted one way to log in")


def logins(url: str) -> tuple[str, ...]:
    """The user and password of a URL, in the forms in which they can come back: as written, decoded, as Basic."""
    parts = urlsplit(url)
    user, password = parts.username or "", parts.password or ""
    plain = unquote(user), unquote(password)
    basic = b64encode(":".join(plain).encode()).decode() if user or password else ""
    return tuple(dict.fromkeys((basic, password, user, *plain)))


def places(url: str) -> tuple[str, ...]:
    """The path and query of a URL that is a secret, and the parts of them that can be one by themselves."""
    parts = urlsplit(url)
    pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    long = [piece for piece in pieces if len(piece) >= _PIECE_CHARACTERS_MIN]
    return (f"{parts.path}?{parts.query}", parts.query, *long, *map(unquote, long))


def shown(text: str, endpoint: Endpoint) -> str:
    """A text for a person: one line, bounded, without the endpoint's URL (but its host) and secrets."""
    proxy = endpoint.way.proxy
    hidden = [*endpoint.secrets, *logins(endpoint.url), *((proxy.reveal(), *logins(proxy.reveal())) if proxy else ())]
    text = text.replace(endpoint.url, urlsplit(endpoint.url).hostname or "…")
    # The longest first, so that no part of one is left where another stands in it.
    for secret in sorted(hidden, key=len, reverse=True):
        if len(secret) >= _SECRET_CHARACTERS_MIN:
            text = text.replace(secret, "…")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _DETAIL_CHARACTERS_MAX else text[: _DETAIL_CHARACTERS_MAX - 1] + "…"


def check_events_max(events_max: int, most: int | None = None) -> None:
    """Raise `ValueError` unless a batch of so many events can be."""
    if events_max < 1 or (most is not None and events_max > most):
        wanted = "1 or more" if most is None else f"1 to {most}"
        raise ValueError(f"batch_events_max is {events_max}, wanted {wanted}")


def check_currency(currency: str) -> None:
    """Raise `ValueError` unless this is a code of ISO 4217."""
    if currency not in MINOR_UNIT_DIGITS:
        raise ValueError(f"currency is `{currency}`, wanted an upper-case ISO 4217 code")

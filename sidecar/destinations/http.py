"""The one way out over HTTP: one POST, one answer, never an exception for what the other side does.

One aiohttp session for the process. Redirects are never followed, cookies never kept, the environment's
proxies never used. What an answer means is in `sidecar.retry`. Details for people are bounded and hold no
secret.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sidecar import __version__
from sidecar.config import Secret
from sidecar.limits import DESTINATION_TIMEOUT_S
from sidecar.ports import Answer
from sidecar.retry import NO_ANSWER, Verdict, retry_after_s, verdict

if TYPE_CHECKING:
    import aiohttp

_DETAIL_CHARACTERS_MAX: Final = 300
_ANSWER_BYTES_MAX: Final = 64 * 1024
"""How much of an answer is read, so that its connection can be used again; past it, it is closed."""
_BYTES_IN_ONE_WRITE: Final = 2**20
_SECRET_CHARACTERS_MIN: Final = 4
"""A shorter `secret` would blot out ordinary words."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to POST and how. `secrets` are taken out of everything that a person may read."""

    url: str
    way: HttpSection
    secrets: tuple[str, ...] = ()


class HttpClient:
    """POSTs for every HTTP destination of the process. Made by `app`, opened at first use, closed once."""

    def __init__(self) -> None:
        # Guards the opening: two destinations may want their first attempt at the same moment.
        self._opening = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._trusted: dict[Path, ssl.SSLContext] = {}

    async def post(self, endpoint: Endpoint, body: bytes, headers: Mapping[str, str], now_ms: int) -> Answer:
        """One attempt: the verdict on its status, and what Retry-After wishes as of `now_ms`."""
        session = self._session or await self._open()
        import aiohttp  # noqa: PLC0415 - loaded by `_open`; a daemon without HTTP destinations goes without

        way = endpoint.way
        try:
            async with session.post(
                endpoint.url,
                # Why: above 1 MiB aiohttp wants a file, which it writes in pieces, to keep the loop free.
                data=io.BytesIO(body) if len(body) > _BYTES_IN_ONE_WRITE else body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=way.timeout_s),
                proxy=way.proxy.reveal() if way.proxy else None,
                ssl=await self._trust(way.ca_file) if way.ca_file else True,
            ) as response:
                return await _answer(response, endpoint, now_ms)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            said = str(error) or f"no answer within {way.timeout_s:g} s"
            return Answer(Verdict.RETRY, shown(f"{type(error).__name__}: {said}", endpoint), NO_ANSWER)

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _open(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                # Why in a thread: the import alone takes a tenth of a second, and decisions are being
                # answered.
                await asyncio.to_thread(importlib.import_module, "aiohttp")
                import aiohttp  # noqa: PLC0415 - as above

                self._session = aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers={"User-Agent": f"decision-sidecar/{__version__}"},
                )
            return self._session

    async def _trust(self, ca_file: Path) -> ssl.SSLContext:
        if ca_file not in self._trusted:
            self._trusted[ca_file] = await asyncio.to_thread(ssl.create_default_context, cafile=str(ca_file))
        return self._trusted[ca_file]


def check_url(url: str) -> None:
    """Raise `ValueError` unless this is an http(s) URL with a host. The message does not repeat it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("endpoint is no URL, wanted http:// or https:// and a host")


def shown(text: str, endpoint: Endpoint) -> str:
    """A text for a person: one line, bounded, without the endpoint's URL (but its host) and secrets."""
    proxy = endpoint.way.proxy
    hidden = [
        *endpoint.secrets,
        *([proxy.reveal(), urlsplit(proxy.reveal()).password or ""] if proxy else []),
    ]
    text = text.replace(endpoint.url, urlsplit(endpoint.url).hostname or "…")
    for secret in hidden:
        if len(secret) >= _SECRET_CHARACTERS_MIN:
            text = text.replace(secret, "…")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _DETAIL_CHARACTERS_MAX else text[: _DETAIL_CHARACTERS_MAX - 1] + "…"


async def _answer(response: aiohttp.ClientResponse, endpoint: Endpoint, now_ms: int) -> Answer:
    import aiohttp  # noqa: PLC0415 - as above

    body = b""
    try:
        while len(body) < _ANSWER_BYTES_MAX and (chunk := await response.content.readany()):
            body += chunk
    except (aiohttp.ClientError, OSError):
        # The status line decides: what was answered 2xx is delivered, whatever became of the rest of the
        # answer.
        body += b" (answer cut off)"
    judged = verdict(response.status)
    if judged is Verdict.DELIVERED:
        return Answer(judged, status=response.status)
    detail = f"{response.status} {response.reason or ''}: {body.decode(errors='replace')}"
    if judged is Verdict.PAUSE and "Location" in response.headers:
        detail = f"{response.status}: redirects are not followed"
    wish_s = retry_after_s(response.headers.get("Retry-After"), now_ms)
    return Answer(judged, shown(detail, endpoint), response.status, wish_s)

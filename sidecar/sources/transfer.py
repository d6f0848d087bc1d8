"""One bounded GET: redirects, token, size and time.

Knows nothing of datafiles; imports aiohttp, so load it late.

Environment proxies (HTTPS_PROXY, NO_PROXY) are honoured; cookies are not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from io import BytesIO
from typing import Final, NamedTuple
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from sidecar.config import Secret
from sidecar.errors import SourceUnavailable
from sidecar.limits import DATAFILE_BYTES_MAX

REDIRECTS_MAX: Final = 3
CHUNK_BYTES: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Response(NamedTuple):
    """The last answer. `body` is empty unless the status is 200; absent headers are ""."""

    status: int
    body: bytes
    etag: str
    last_modified: str


class Transfer:
    """Gets one URL, again and again, each time on a fresh connection.

    Why fresh: polls are far apart, and a connection that was idle for a minute is as likely dead as alive.
    """

    def __init__(self, url: str, location: str, token: Secret | None, *, timeout_s: float) -> None:
        """`location` stands for the URL in messages."""
        self._url, self._location, self._token, self._timeout_s = URL(url), location, token, timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def get(self, headers: Mapping[str, str]) -> Response:
        """GET, following at most `REDIRECTS_MAX` redirects.

        Raises `SourceUnavailable` for what is no answer: no connection, time, size, a redirect not followed.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(headers)
        except TimeoutError:
            raise self._unavailable(f"no complete answer in {self._timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Why not its text: that of some of these errors holds the whole URL, and so its secrets.
            raise self._unavailable(f"cannot be fetched ({_cause(error)})") from None

    async def close(self) -> None:
        """Close the session. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _follow(self, headers: Mapping[str, str]) -> Response:
        url = self._url
        for _ in range(REDIRECTS_MAX + 1):
            sent = {**headers, **self._authorization(url)}
            async with self._open().get(url, headers=sent, proxy=_proxy(url), allow_redirects=False) as response:
                target = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not target:
                    body = await self._body(response) if response.status == 200 else b""  # noqa: PLR2004 - the status named OK
                    etag, modified = (
                        response.headers.get("ETag", ""),
                        response.headers.get("Last-Modified", ""),
                    )
                    return Response(response.status, body, etag, modified)
            url = self._redirected(url, target)
        raise self._unavailable(f"got more than {REDIRECTS_MAX} redirects, wanted a datafile")

    def _redirected(self, url: URL, target: str) -> URL:
        onward = url.join(URL(target))
        if onward.scheme not in {"http", "https"} or (url.scheme == "https" and onward.scheme == "http"):
            raise self._unavailable(
                f"got a redirect from {url.scheme} to {onward.scheme} at host `{onward.host}`, wanted https; "
                "not followed"
            )
        # Why without user: a redirect must not make us log in anywhere.
        return onward.with_user(None)

    def _authorization(self, url: URL) -> dict[str, str]:
        """The token, for the configured scheme, host and port alone."""
        if self._token is None or url.origin() != self._url.origin():
            return {}
        return {"Authorization": f"Bearer {self._token.reveal()}"}

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The unpacked body, bounded while it is read: a small packed body can hold a very large one."""
        # Why not a bytearray: it would be copied to bytes, ten megabytes in one step of the loop.
        body = BytesIO()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            body.write(chunk)
            if body.tell() > DATAFILE_BYTES_MAX:
                raise self._unavailable(f"got more than {DATAFILE_BYTES_MAX} bytes, wanted at most that many")
        return body.getvalue()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _unavailable(self, what: str) -> SourceUnavailable:
        return SourceUnavailable(f"datafile `{self._location}` unavailable: {what}")


def _proxy(url: URL) -> str | None:
    # Why not aiohttp's trust_env: it would also log in with what ~/.netrc says, in place of our token.
    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{type(error).__name__}: {error.os_error.strerror or error.os_error}"
    return type(error).__name__

"""The HTTP session behind `http.HttpClient`: the one module that imports aiohttp, and is imported at first use.

Redirects are never followed, cookies never kept, the environment's proxies never used. What an answer means is
in `sidecar.retry`.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from sidecar.destinations.endpoint import USER_AGENT, Endpoint, shown
from sidecar.ports import Answer
from sidecar.retry import NO_ANSWER, Verdict, retry_after_s, verdict

_ANSWER_BYTES_MAX: Final = 64 * 1024
"""How much of an answer is read, so that its connection can be used again; past it, it is closed."""
_BYTES_IN_ONE_WRITE: Final = 2**20
_COMPRESSED_HERE_BYTES_MAX: Final = 32 * 1024
"""A larger body is compressed in a thread: half a megabyte takes milliseconds."""


class Session:
    """One aiohttp session for the process."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT},
        )
        self._trusted: dict[Path, ssl.SSLContext] = {}

    async def post(self, endpoint: Endpoint, body: bytes, headers: Mapping[str, str], now_ms: int) -> Answer:
        """One attempt; see `HttpClient.post`."""
        way = endpoint.way
        if endpoint.compressed:
            body, headers = await _zipped(body), {**headers, "Content-Encoding": "gzip"}
        try:
            async with self._session.post(
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
        """Close every connection."""
        await self._session.close()

    async def _trust(self, ca_file: Path) -> ssl.SSLContext:
        if ca_file not in self._trusted:
            self._trusted[ca_file] = await asyncio.to_thread(ssl.create_default_context, cafile=str(ca_file))
        return self._trusted[ca_file]


async def _zipped(body: bytes) -> bytes:
    # Level 1: two thirds of the gain for a fifth of the time; `mtime` 0 keeps equal bodies equal.
    if len(body) > _COMPRESSED_HERE_BYTES_MAX:
        return await asyncio.to_thread(gzip.compress, body, 1, mtime=0)
    return gzip.compress(body, 1, mtime=0)


async def _answer(response: aiohttp.ClientResponse, endpoint: Endpoint, now_ms: int) -> Answer:
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

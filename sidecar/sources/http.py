"""A datafile behind an HTTP or HTTPS URL, polled.

ETag and Last-Modified are kept only once their body was applied: a body that was rejected is asked for again,
whole, and never answered with 304. Sources of the rule: RFC 9110 section 13.1,
docs/decisions/0020-datafile-reload.md. The request itself is in `sources/transfer.py`, which alone imports
aiohttp.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from sidecar.config import Secret
from sidecar.errors import SourceUnavailable
from sidecar.ports import Fetched
from sidecar.retry import delay_s
from sidecar.values import Pause, content_hash, no_pause

if TYPE_CHECKING:
    from sidecar.sources.transfer import Transfer

POLL_INTERVAL_MIN_S: Final = 0.05
JITTER: Final = 0.1
"""Part of the poll interval by which a poll may come early or late: pods started together drift apart."""

_STATUS_WORDS: Final[Mapping[int, str]] = {
    401: "the token is missing or wrong",
    403: "the token may not read it, or the URL is wrong",
    404: "there is nothing at this URL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSourceSection:
    """A datafile that is fetched from a URL."""

    url: str = field(repr=False)
    """Where the datafile is, http or https. Its query string, user and password are shown nowhere."""

    token: Secret | None = None
    """Sent as `Authorization: Bearer …` to the URL's own scheme, host and port, never to where it redirects.
    """

    poll_interval_s: float = 60.0
    """Seconds between polls, at least 0.05, ± 10 %. A minute, as Optimizely Agent does; unchanged costs a
    304."""

    timeout_s: float = 10.0
    """Seconds for a whole fetch, redirects and body included, above 0."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a field out of its range; the URL itself is not repeated, it may hold secrets."""
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            parts, usable = urlsplit(""), False
        if not usable:
            raise ValueError("url has no http or https scheme, or no host, wanted https://HOST/PATH")
        # Why refused: both are said in one header, and no request could be made.
        if self.token is not None and "@" in parts.netloc:
            raise ValueError("token is given beside a user in url, wanted one way to log in")
        check_pace(self.poll_interval_s, self.timeout_s)


def check_pace(poll_interval_s: float, timeout_s: float) -> None:
    """Raise `ValueError` when one of them is out of its range."""
    if not poll_interval_s >= POLL_INTERVAL_MIN_S:
        raise ValueError(f"poll_interval_s is {poll_interval_s}, wanted at least {POLL_INTERVAL_MIN_S}")
    if not timeout_s > 0:
        raise ValueError(f"timeout_s is {timeout_s}, wanted more than 0")


class _Validators(NamedTuple):
    """What a server said about the version it gave; "" is nothing."""

    version: str = ""
    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        """The request headers that ask for something newer."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


class HttpSource:
    """One URL as a `ports.Source`; version = SHA-256 of the content, whatever the server's ETag says."""

    def __init__(
        self,
        section: HttpSourceSection,
        *,
        jitter: Callable[[], float],
        location: str | None = None,
        words: Mapping[int, str] = _STATUS_WORDS,
        gently: Callable[[], Pause] = lambda: no_pause,
    ) -> None:
        """Nothing is opened before the first `read`.

        `jitter` gives numbers from 0 to 1; `location` stands for the URL where it is shown, `words` explain
        statuses; `gently` makes the pause of a read once a body was applied, since decisions are made beside it.
        """
        self._section, self._jitter, self._words, self._gently = section, jitter, words, gently
        self._location = location or shown(section.url)
        self._applied = _Validators()
        self._offered = _Validators()
        self._transfer: Transfer | None = None

    @property
    def location(self) -> str:
        """The URL without user, password, query and fragment."""
        return self._location

    async def read(self) -> Fetched | None:
        """See `ports.Source.read`; bounded by `timeout_s` and `limits.DATAFILE_BYTES_MAX`, unpacked."""
        response = await self._open().get(self._applied.headers())
        if response.status == 304:  # noqa: PLR2004 - 304 and 200 are clearer than their names
            if self._applied.etag or self._applied.last_modified:
                return None
            raise self._unavailable("got status 304 without having asked for changes only, wanted 200")
        if response.status != 200:  # noqa: PLR2004 - as above
            words = self._words.get(response.status)
            because = f" ({words})" if words else ""
            raise self._unavailable(f"got status {response.status}{because}, wanted 200 or 304")
        if not response.body:
            raise self._unavailable("got status 200 with an empty body, wanted a datafile")
        pause = self._gently() if self._applied.version else no_pause
        version = await asyncio.to_thread(content_hash, response.body, pause)
        offered = _Validators(version, response.etag, response.last_modified)
        if version == self._applied.version:
            self._applied = offered
            return None
        self._offered = offered
        return Fetched(body=response.body, version=version)

    def applied(self, fetched: Fetched) -> None:
        """See `ports.Source.applied`: the next poll asks for something newer than this."""
        if fetched.version == self._offered.version:
            self._applied = self._offered

    async def changed(self, failures: int) -> None:
        """See `ports.Source.changed`: the poll interval, after failures the backoff."""
        await asyncio.sleep(wait_s(self._section.poll_interval_s, failures, self._jitter()))

    async def close(self) -> None:
        """Close connections. Idempotent."""
        transfer, self._transfer = self._transfer, None
        if transfer is not None:
            await transfer.close()

    def _open(self) -> Transfer:
        if self._transfer is None:
            from sidecar.sources.transfer import Transfer  # noqa: PLC0415 - aiohttp costs memory and start-up time

            section = self._section
            self._transfer = Transfer(section.url, self._location, section.token, timeout_s=section.timeout_s)
        return self._transfer

    def _unavailable(self, what: str) -> SourceUnavailable:
        return SourceUnavailable(f"datafile `{self._location}` unavailable: {what}")


def wait_s(poll_interval_s: float, failures: int, jitter: float) -> float:
    """Seconds until the next poll; 0 ≤ `jitter` < 1.

    After a good look the interval, ± 10 %; after failures in a row `retry.delay_s`: a source that is down is
    asked soon at first, and at most once a minute in the end.
    """
    if failures == 0:
        return poll_interval_s * (1 + JITTER * (2 * jitter - 1))
    return delay_s(failures - 1, jitter)


def shown(url: str) -> str:
    """A URL as logs may show it: scheme, host, port and path."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"

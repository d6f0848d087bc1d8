"""`HttpSource` against a real HTTP server on loopback that does as a test says."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from sidecar.config import Secret
from sidecar.errors import SourceUnavailable
from sidecar.retry import delay_s
from sidecar.sources.http import HttpSource, HttpSourceSection, shown, wait_s
from sidecar.sources.optimizely import OptimizelySourceSection, optimizely_source

TOKEN = Secret("the-token")


@dataclass
class Origin:
    """One server. It answers `body` with the validators it has, or `status`, or what `answer` makes."""

    url: str = ""
    body: bytes = b'{"revision": "1"}'
    status: int = 200
    etag: str = ""
    last_modified: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: Callable[[web.Request], web.StreamResponse] | None = None
    delay: asyncio.Event | None = None
    seen: list[web.Request] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        if self.delay is not None:
            await self.delay.wait()
        if self.answer is not None:
            return self.answer(request)
        validators = {"ETag": self.etag, "Last-Modified": self.last_modified}
        headers = {**{name: value for name, value in validators.items() if value}, **self.headers}
        not_modified = (self.etag and request.headers.get("If-None-Match") == self.etag) or (
            self.last_modified and request.headers.get("If-Modified-Since") == self.last_modified
        )
        if not_modified:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers=headers)


async def start(origin: Origin) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", origin.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    origin.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    runner = await start(origin)
    yield origin
    await runner.cleanup()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Origin]:
    """A second server: another port is another origin."""
    elsewhere = Origin(body=b'{"revision": "elsewhere"}')
    runner = await start(elsewhere)
    yield elsewhere
    await runner.cleanup()


@pytest.fixture
async def source(origin: Origin) -> AsyncIterator[HttpSource]:
    source = source_of(origin.url + "/d.json?signature=secret")
    yield source
    await source.close()


def source_of(url: str, timeout_s: float = 5.0) -> HttpSource:
    return HttpSource(HttpSourceSection(url=url, token=TOKEN, timeout_s=timeout_s), jitter=lambda: 0.5)


async def refusal(source: HttpSource) -> str:
    with pytest.raises(SourceUnavailable) as caught:
        await source.read()
    message = str(caught.value)
    assert message.startswith(f"datafile `{source.location}` unavailable: ")
    for secret in ("secret", "the-token"):
        assert secret not in message
    return message


async def apply(source: HttpSource) -> bytes:
    fetched = await source.read()
    assert fetched is not None
    source.applied(fetched)
    return fetched.body


# --- what changed and what did not ------------------------------------------------------------------------


async def test_the_body_is_read_with_the_token(origin: Origin, source: HttpSource) -> None:
    assert await apply(source) == origin.body
    assert origin.seen[0].headers["Authorization"] == "Bearer the-token"
    assert origin.seen[0].query["signature"] == "secret"


@pytest.mark.parametrize(
    ("validator", "value", "header"),
    [
        ("etag", '"v1"', "If-None-Match"),
        ("etag", 'W/"v1"', "If-None-Match"),
        ("last_modified", "Sat, 21 Nov 2026 10:00:00 GMT", "If-Modified-Since"),
    ],
)
async def test_after_it_was_applied_an_unchanged_body_costs_a_304(
    origin: Origin, source: HttpSource, validator: str, value: str, header: str
) -> None:
    setattr(origin, validator, value)
    await apply(source)
    assert await source.read() is None
    assert origin.seen[1].headers[header] == value


async def test_a_body_that_was_not_applied_is_never_answered_by_304(origin: Origin, source: HttpSource) -> None:
    origin.etag, origin.last_modified = '"bad"', "Sat, 21 Nov 2026 10:00:00 GMT"
    for _ in range(3):
        fetched = await source.read()
        assert fetched is not None
    assert all("If-None-Match" not in request.headers for request in origin.seen)
    assert all("If-Modified-Since" not in request.headers for request in origin.seen)


async def test_after_a_rejected_body_the_applied_one_is_still_what_changes_are_asked_against(
    origin: Origin, source: HttpSource
) -> None:
    origin.etag = '"good"'
    await apply(source)
    origin.etag, origin.body = '"bad"', b"bad"
    assert await source.read() is not None
    assert await source.read() is not None
    assert [request.headers.get("If-None-Match") for request in origin.seen] == [None, '"good"', '"good"']


async def test_the_same_content_under_a_new_etag_is_no_change_and_the_etag_is_kept(
    origin: Origin, source: HttpSource
) -> None:
    origin.etag = '"v1"'
    await apply(source)
    origin.etag = '"v2"'
    assert await source.read() is None
    assert await source.read() is None
    assert origin.seen[2].headers["If-None-Match"] == '"v2"'


async def test_the_same_content_without_any_validator_is_no_change(origin: Origin, source: HttpSource) -> None:
    await apply(source)
    assert await source.read() is None


async def test_other_content_is_given(origin: Origin, source: HttpSource) -> None:
    await apply(source)
    origin.body = b'{"revision": "2"}'
    assert await apply(source) == origin.body


async def test_a_packed_body_is_unpacked(origin: Origin, source: HttpSource) -> None:
    plain = origin.body
    origin.body, origin.headers = gzip.compress(plain), {"Content-Encoding": "gzip"}
    assert await apply(source) == plain


# --- what is no answer ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 429, 500, 503])
async def test_a_status_that_brings_no_datafile_is_named(origin: Origin, source: HttpSource, status: int) -> None:
    origin.status = status
    message = await refusal(source)
    assert f"got status {status}" in message
    assert message.endswith(", wanted 200 or 304")


async def test_a_failure_does_not_lose_what_was_applied(origin: Origin, source: HttpSource) -> None:
    origin.etag = '"v1"'
    await apply(source)
    origin.answer = lambda _: web.Response(status=503)
    await refusal(source)
    origin.answer = None
    assert await source.read() is None


async def test_a_304_that_was_not_asked_for_is_an_error(origin: Origin, source: HttpSource) -> None:
    origin.answer = lambda _: web.Response(status=304)
    assert "without having asked" in await refusal(source)


async def test_an_empty_body_is_an_error(origin: Origin, source: HttpSource) -> None:
    origin.body = b""
    assert "empty body" in await refusal(source)


async def test_a_packed_body_that_is_none_is_an_error(origin: Origin, source: HttpSource) -> None:
    origin.headers = {"Content-Encoding": "gzip"}
    assert "cannot be fetched (" in await refusal(source)


async def test_a_server_that_does_not_answer_is_given_up_after_the_timeout(origin: Origin) -> None:
    origin.delay = asyncio.Event()
    source = source_of(origin.url, timeout_s=0.05)
    assert "no complete answer in 0.05 s" in await refusal(source)
    origin.delay.set()
    assert await apply(source) == origin.body
    await source.close()


async def test_a_port_where_nobody_listens_is_an_error() -> None:
    runner = await start(gone := Origin())
    await runner.cleanup()
    source = source_of(gone.url + "/d?secret")
    assert "ClientConnectorError" in await refusal(source)
    await source.close()


@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_above_the_bound_is_not_read_to_its_end(
    origin: Origin, source: HttpSource, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr("sidecar.sources.transfer.DATAFILE_BYTES_MAX", 1000)
    origin.body = b" " * 1001
    if packed:
        origin.body, origin.headers = gzip.compress(origin.body), {"Content-Encoding": "gzip"}
    assert "got more than 1000 bytes" in await refusal(source)


async def test_closing_twice_is_once(source: HttpSource) -> None:
    await source.read()
    await source.close()
    await source.close()


# --- redirects --------------------------------------------------------------------------------------------


def redirect_to(url: str) -> Callable[[web.Request], web.StreamResponse]:
    return lambda _: web.Response(status=302, headers={"Location": url})


async def test_a_redirect_to_another_origin_is_followed_without_the_token(
    origin: Origin, elsewhere: Origin, source: HttpSource
) -> None:
    origin.answer = redirect_to(elsewhere.url + "/moved.json")
    assert await apply(source) == elsewhere.body
    assert "Authorization" in origin.seen[0].headers
    assert "Authorization" not in elsewhere.seen[0].headers


async def test_a_redirect_does_not_log_in_with_the_user_that_it_names(
    origin: Origin, elsewhere: Origin, source: HttpSource
) -> None:
    origin.answer = redirect_to(elsewhere.url.replace("://", "://user:password@"))
    await apply(source)
    assert "Authorization" not in elsewhere.seen[0].headers


async def test_a_redirect_within_the_origin_keeps_the_token(origin: Origin, source: HttpSource) -> None:
    def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/d.json":
            return web.Response(status=307, headers={"Location": "/moved.json"})
        return web.Response(body=b"moved")

    origin.answer = answer
    assert await apply(source) == b"moved"
    assert [("Authorization" in request.headers) for request in origin.seen] == [True, True]


async def test_the_fourth_redirect_is_not_followed(origin: Origin, source: HttpSource) -> None:
    origin.answer = redirect_to("/again?secret")
    assert "more than 3 redirects" in await refusal(source)
    assert len(origin.seen) == 4


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/secret"])
async def test_a_redirect_to_what_is_not_http_is_not_followed(origin: Origin, source: HttpSource, target: str) -> None:
    origin.answer = redirect_to(target)
    assert "not followed" in await refusal(source)


# --- proxies ----------------------------------------------------------------------------------------------


async def test_a_proxy_of_the_environment_is_used(
    origin: Origin, elsewhere: Origin, source: HttpSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", elsewhere.url)
    assert await apply(source) == elsewhere.body
    assert origin.seen == []


# --- when, and in which words -----------------------------------------------------------------------------


@pytest.mark.parametrize(("jitter", "wanted_s"), [(0.0, 54.0), (0.5, 60.0), (1.0, 66.0)])
def test_the_interval_varies_by_a_tenth(jitter: float, wanted_s: float) -> None:
    assert wait_s(60.0, 0, jitter) == pytest.approx(wanted_s)


@pytest.mark.parametrize("failures", [1, 2, 5, 10_000])
def test_after_failures_the_backoff_counts_not_the_interval(failures: int) -> None:
    assert wait_s(300.0, failures, 0.5) == delay_s(failures - 1, 0.5) < 300.0


async def test_changed_returns_after_the_interval() -> None:
    section = HttpSourceSection(url="http://127.0.0.1/", poll_interval_s=0.05)
    async with asyncio.timeout(5):
        await HttpSource(section, jitter=lambda: 0.0).changed(0)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://user:pw@cdn.example/a/d.json?token=x#y", "https://cdn.example/a/d.json"),
        ("http://127.0.0.1:8080/d", "http://127.0.0.1:8080/d"),
        ("http://[::1]:8080/d?x", "http://[::1]:8080/d"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, wanted: str) -> None:
    assert shown(url) == wanted
    assert HttpSource(HttpSourceSection(url=url), jitter=lambda: 0.5).location == wanted


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (lambda: HttpSourceSection(url="ftp://cdn.example/secret"), "wanted https://HOST/PATH"),
        (lambda: HttpSourceSection(url="https:///secret"), "wanted https://HOST/PATH"),
        (lambda: HttpSourceSection(url="https://cdn.example:secret/"), "wanted https://HOST/PATH"),
        (lambda: HttpSourceSection(url="https://u:secret@cdn.example/", token=Secret("t")), "wanted one way to log in"),
        (lambda: HttpSourceSection(url="https://cdn.example/", poll_interval_s=0), "poll_interval_s is 0"),
        (lambda: HttpSourceSection(url="https://cdn.example/", timeout_s=float("nan")), "timeout_s is nan"),
        (lambda: OptimizelySourceSection(sdk_key=""), "sdk_key is empty"),
        (lambda: OptimizelySourceSection(sdk_key="K", url_template="https://x/"), "url_template has no"),
        (
            lambda: OptimizelySourceSection(sdk_key="K", url_template="ftp://u:secret@x/{sdk_key}"),
            "url_template: url has no http or https scheme",
        ),
        (lambda: OptimizelySourceSection(sdk_key="K", timeout_s=0), "timeout_s is 0"),
    ],
)
def test_a_section_out_of_range_is_refused(section: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        section()
    assert "secret" not in str(caught.value)


# --- Optimizely -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "url"),
    [
        (None, "https://cdn.optimizely.com/datafiles/ABCDEFGHIJKLMNOP.json"),
        (TOKEN, "https://config.optimizely.com/datafiles/auth/ABCDEFGHIJKLMNOP.json"),
    ],
)
def test_an_sdk_key_is_read_from_optimizely_by_whether_there_is_a_token(token: Secret | None, url: str) -> None:
    section = OptimizelySourceSection(sdk_key="ABCDEFGHIJKLMNOP", access_token=token)
    source = optimizely_source(section, jitter=lambda: 0.5)
    assert source._section.url == url
    assert source._section.token == token
    assert source.location == url.replace("ABCDEFGHIJKLMNOP", "ABCD…")


async def test_a_wrong_sdk_key_is_said_to_be_one_and_shown_shortened(origin: Origin) -> None:
    section = OptimizelySourceSection(sdk_key="ABCDEFGHIJKLMNOP", url_template=origin.url + "/datafiles/{sdk_key}.json")
    source = optimizely_source(section, jitter=lambda: 0.5)
    for origin.status in (403, 404):
        message = await refusal(source)
        assert "the SDK key may be wrong" in message
        assert "ABCD…" in message
        assert "ABCDE" not in message
    assert origin.seen[0].path == "/datafiles/ABCDEFGHIJKLMNOP.json"
    assert "Authorization" not in origin.seen[0].headers
    await source.close()


async def test_an_access_token_is_sent_as_a_bearer_to_a_mirror(origin: Origin) -> None:
    section = OptimizelySourceSection(sdk_key="KEY", access_token=TOKEN, url_template=origin.url + "/{sdk_key}")
    source = optimizely_source(section, jitter=lambda: 0.5)
    await apply(source)
    assert origin.seen[0].headers["Authorization"] == "Bearer the-token"
    await source.close()

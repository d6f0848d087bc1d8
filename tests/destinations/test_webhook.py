"""The webhook, as its receiver sees it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from sidecar.config import Secret
from sidecar.destinations.http import HttpClient
from sidecar.destinations.webhook import WebhookConfig, WebhookDestination
from sidecar.retry import Verdict
from tests.collector import Answered, Collector
from tests.destinations.batches import a_batch
from tests.events.samples import FACTS, TIME_MS, a_track, one_of_each


def made(collector: Collector, client: HttpClient, **config: Any) -> WebhookDestination:
    return WebhookDestination("hook", WebhookConfig(endpoint=f"{collector.url}/token/s3cr3t", **config), client)


async def test_it_posts_an_array_of_our_events_with_an_idempotency_key(
    collector: Collector, client: HttpClient
) -> None:
    destination = made(collector, client, headers={"X-Team": Secret("shop")})
    batch = a_batch(destination, *one_of_each(), batch_id="b-7")
    assert (await destination.send(batch)).verdict is Verdict.DELIVERED
    [request] = collector.received
    assert [event["schema_version"] for event in request.json()] == [1] * 7
    assert request.headers["Idempotency-Key"] == "b-7"
    assert request.headers["X-Team"] == "shop"
    assert "Sidecar-Signature" not in request.headers
    assert len(request.body) == destination.envelope_bytes(FACTS) + sum(map(len, batch.rendered)) + 6


async def test_the_signature_proves_body_and_time(collector: Collector, client: HttpClient) -> None:
    destination = made(collector, client, secret=Secret("key"))
    await destination.send(a_batch(destination, a_track(), now_ms=TIME_MS))
    [request] = collector.received
    mac = hmac.new(b"key", f"{TIME_MS // 1000}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["Sidecar-Signature"] == f"t={TIME_MS // 1000},v1={mac}"


async def test_secrets_and_url_are_in_no_error(collector: Collector, client: HttpClient) -> None:
    destination = made(collector, client, secret=Secret("hmac-key"), headers={"Authorization": Secret("Bearer t0ken")})
    collector.answers(Answered(500, body="got Bearer t0ken and hmac-key at " + f"{collector.url}/token/s3cr3t"))
    answer = await destination.send(a_batch(destination, a_track()))
    assert answer.detail == "500 Internal Server Error: got … and … at 127.0.0.1"
    await collector.close()
    answer = await destination.send(a_batch(destination, a_track()))
    assert answer.verdict is Verdict.RETRY
    assert "s3cr3t" not in answer.detail
    assert "127.0.0.1" in answer.detail


async def test_an_event_larger_than_a_batch_is_skipped(collector: Collector, client: HttpClient) -> None:
    destination = made(collector, client, batch_bytes_max=2_000)
    small, large = a_track(properties={"t": "x" * 1_000}), a_track(properties={"t": "x" * 2_000})
    assert destination.route(small, FACTS).reason == ""
    assert destination.route(large, FACTS).reason == "TOO_LARGE"


def test_an_endpoint_that_is_no_url_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="endpoint is no URL") as refused:
        WebhookConfig(endpoint="s3cr3t")
    assert "s3cr3t" not in str(refused.value)


def test_a_user_in_the_endpoint_beside_a_header_that_logs_in_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted one way to log in") as refused:
        WebhookConfig(endpoint="https://u:secret@h/", headers={"authorization": Secret("Bearer t")})
    assert "secret" not in str(refused.value)
    WebhookConfig(endpoint="https://u:secret@h/", headers={"X-Team": Secret("a")})

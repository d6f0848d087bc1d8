"""POSTs arrays of our JSON events to a URL of the operator's, with an idempotency key and a signature.

How a receiver checks the signature: docs/events.md "Webhook".
"""

from __future__ import annotations

import hmac
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from sidecar.config import Secret
from sidecar.destinations import outcomes
from sidecar.destinations.http import Endpoint, HttpClient, HttpSection, check_url
from sidecar.errors import Violation
from sidecar.events.model import Event, EventKind, ProjectFacts
from sidecar.events.plain import json_event
from sidecar.events.wire import event_bytes_at_most, switched_off
from sidecar.limits import MESSAGE_BYTES_MAX
from sidecar.ports import Answer, Batch, BatchLimits
from sidecar.values import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig(HttpSection):
    """The section of a destination of type `webhook`."""

    endpoint: str
    """URL that takes the POST. It is treated as a secret: logs and errors show its host alone."""
    secret: Secret | None = None
    """Key of the HMAC-SHA256 signature in `Sidecar-Signature`. None signs nothing."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers to send with each request, such as `Authorization`. Their values are treated as secrets."""
    batch_events_max: int = 100
    """Events of one request, 1 or more."""
    batch_bytes_max: int = MESSAGE_BYTES_MAX
    """Largest body; an event that is larger alone is skipped. 4 MiB, the size of the largest call."""
    batch_age_max_s: float = 1.0
    """How long an event may wait for company."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for an endpoint that is no URL."""
        check_url(self.endpoint)


class WebhookDestination:
    """Every kind, as a JSON array of our events."""

    def __init__(self, name: str, config: WebhookConfig, client: HttpClient) -> None:
        self.name = name
        self.limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=config.batch_bytes_max,
            event_bytes_max=config.batch_bytes_max,
            age_max_s=config.batch_age_max_s,
        )
        self._config = config
        self._client = client
        hidden = (*config.headers.values(), *((config.secret.reveal(),) if config.secret else ()))
        self._endpoint = Endpoint(url=config.endpoint, way=config, secrets=hidden)

    def takes(self, kind: EventKind) -> bool:
        """True: every kind."""
        return True

    def check(self, event: Event, facts: ProjectFacts | None) -> Sequence[Violation]:
        """Nothing: the event goes as it came."""
        return ()

    def route(self, event: Event, facts: ProjectFacts | None) -> Outcome:
        """Queued, unless `integrations` say otherwise or it is larger than a batch may be."""
        if switched_off(event.origin, self.name, by_all=True):
            return outcomes.skipped(self.name, outcomes.INTEGRATIONS)
        if event_bytes_at_most(event) + self.envelope_bytes(facts) > self.limits.bytes_max and (
            len(json_event(event, facts)) + self.envelope_bytes(facts) > self.limits.bytes_max
        ):
            return outcomes.skipped(self.name, outcomes.TOO_LARGE)
        return outcomes.queued(self.name)

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """One for all."""
        return None

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """The brackets of the array."""
        return 2

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """Our JSON event."""
        return json_event(event, facts)

    async def send(self, batch: Batch) -> Answer:
        """POST the array, signed as of this attempt."""
        body = b"[" + b",".join(batch.rendered) + b"]"
        headers = {
            **self._config.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": batch.batch_id,
        }
        if self._config.secret is not None:
            headers["Sidecar-Signature"] = signature(self._config.secret.reveal(), batch.now_ms // 1000, body)
        return await self._client.post(self._endpoint, body, headers, batch.now_ms)

    async def close(self) -> None:
        """Nothing of its own: the client is the process's."""


def signature(secret: str, time_s: int, body: bytes) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 over the time, a full stop and the body.

    The time is inside what is signed, so that a receiver can refuse a request that was recorded and sent
    again.
    """
    mac = hmac.digest(secret.encode(), f"{time_s}.".encode() + body, "sha256")
    return f"t={time_s},v1={mac.hex()}"

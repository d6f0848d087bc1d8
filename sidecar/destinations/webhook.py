"""POSTs arrays of our JSON events to a URL of the operator's, with an idempotency key and a signature.

How a receiver checks the signature: docs/events.md "Webhook".
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from sidecar.config import Secret
from sidecar.destinations.endpoint import Endpoint, HttpSection, check_events_max, check_one_login, check_url, places
from sidecar.destinations.http import HttpClient
from sidecar.destinations.plain import PlainDestination
from sidecar.limits import MESSAGE_BYTES_MAX
from sidecar.ports import Answer, Batch, BatchLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConfig(HttpSection):
    """The section of a destination of type `webhook`."""

    endpoint: str = field(repr=False)
    """URL that takes the POST. It is treated as a secret: logs and errors show its host alone."""
    secret: Secret | None = None
    """Key of the HMAC-SHA256 signature in `Sidecar-Signature`. None signs nothing."""
    headers: dict[str, Secret] = field(default_factory=dict)
    """Headers to send with each request, such as `Authorization`. Their values are treated as secrets."""
    batch_events_max: int = 100
    """Events of one request, 1 or more."""
    batch_bytes_max: int = MESSAGE_BYTES_MAX
    """Largest body; an event that is larger alone is skipped. 4 MiB, the size of the largest call."""
    batch_age_max_s: float = 1.0
    """How long an event may wait for company."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for an endpoint that is no URL, or a bound of nothing."""
        HttpSection.__post_init__(self)
        check_events_max(self.batch_events_max)
        check_url(self.endpoint)
        if any(name.lower() == "authorization" for name in self.headers):
            check_one_login(self.endpoint, "a header `Authorization`")


class WebhookDestination(PlainDestination):
    """Every kind, as a JSON array of our events."""

    def __init__(self, name: str, config: WebhookConfig, client: HttpClient) -> None:
        limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=config.batch_bytes_max,
            event_bytes_max=config.batch_bytes_max,
            age_max_s=config.batch_age_max_s,
        )
        super().__init__(name, limits, envelope=len("[]"))
        self._config = config
        self._client = client
        self._headers = {name: value.reveal() for name, value in config.headers.items()}
        signing = (config.secret.reveal(),) if config.secret else ()
        # A token alone too, without the word before it: `Bearer`, `Basic`.
        tokens = [value.split()[-1] for value in self._headers.values() if value.split()]
        hidden = (*self._headers.values(), *tokens, *signing, *places(config.endpoint))
        self._endpoint = Endpoint(url=config.endpoint, way=config, secrets=hidden)

    async def send(self, batch: Batch) -> Answer:
        """POST the array, signed as of this attempt."""
        body = b"[" + b",".join(batch.rendered) + b"]"
        headers = {
            **self._headers,
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

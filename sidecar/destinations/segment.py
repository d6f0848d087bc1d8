"""Segment's Batch API, and whatever speaks it: RudderStack, Jitsu, another intake."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Hashable
from dataclasses import dataclass, field

from sidecar.config import Secret
from sidecar.destinations import outcomes
from sidecar.destinations.endpoint import (
    Endpoint,
    HttpSection,
    check_currency,
    check_events_max,
    check_one_login,
    check_url,
)
from sidecar.destinations.http import HttpClient
from sidecar.events import segment as wire
from sidecar.events.model import Event, EventKind, Impression, ProjectFacts
from sidecar.limits import (
    EXPOSURES_BYTES_LEAST,
    EXPOSURES_BYTES_MOST,
    EXPOSURES_WINDOW_LEAST_S,
    IMPRESSIONS_WINDOW_BYTES_MAX,
    IMPRESSIONS_WINDOW_S,
    SEGMENT_BATCH_BYTES_MAX,
    SEGMENT_BATCH_EVENTS_MAX,
    SEGMENT_EVENT_BYTES_MAX,
)
from sidecar.ports import Answer, Batch, BatchLimits, EventSort


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentConfig(HttpSection):
    """The section of a destination of type `segment`."""

    write_key: Secret
    """The source's write key. Segment answers 200 to a wrong one: check its debugger, not our metrics."""
    endpoint: str = field(default="https://api.segment.io", repr=False)
    """URL before `/v1/batch`. A workspace in the EU needs `https://events.eu1.segmentapis.com`: the default
    one answers 200 there and loses the events."""
    gzip: bool = True
    """Whether bodies are compressed. Every receiver that we know takes it."""
    impressions: bool = False
    """Whether impressions go there as `Experiment Viewed`. Off: Segment is paid by the event."""
    impressions_window_s: float = IMPRESSIONS_WINDOW_S
    """For how long a user's second impression of the same experiment and variation is not sent again; at least 60 s, or
    0 to send each. Remembered over a restart as of the last five minutes; each process has a memory of its own."""
    impressions_window_bytes_max: int = IMPRESSIONS_WINDOW_BYTES_MAX
    """Memory of that window, and its file's size, from 64 KiB to 256 MiB. Three bytes hold one view; a full window
    forgets its oldest, whose next impression is sent again."""
    currency: str = "USD"
    """ISO 4217 code of an amount in `event_tags.revenue` whose event names no currency."""
    batch_events_max: int = 250
    """Events of one request, 1 to 2,500: Segment answers 200 to more and loses them."""
    batch_age_max_s: float = 1.0
    """How long an event may wait for company."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for an empty key, an endpoint that is no URL, a wrong currency or bound."""
        HttpSection.__post_init__(self)
        check_url(self.endpoint)
        check_one_login(self.endpoint, "write_key")
        if not self.write_key.reveal():
            raise ValueError("write_key is empty, wanted the source's write key")
        check_currency(self.currency)
        check_events_max(self.batch_events_max, SEGMENT_BATCH_EVENTS_MAX)
        if self.impressions_window_s and not EXPOSURES_WINDOW_LEAST_S <= self.impressions_window_s < float("inf"):
            wanted = f"0 or at least {EXPOSURES_WINDOW_LEAST_S} s"
            raise ValueError(f"impressions_window is {self.impressions_window_s:g} s, wanted {wanted}")
        if not EXPOSURES_BYTES_LEAST <= self.impressions_window_bytes_max <= EXPOSURES_BYTES_MOST:
            wanted = f"{EXPOSURES_BYTES_LEAST} to {EXPOSURES_BYTES_MOST}"
            raise ValueError(f"impressions_window_bytes_max is {self.impressions_window_bytes_max}, wanted {wanted}")


class SegmentDestination:
    """The six calls of Segment's specification, and impressions when they are switched on."""

    def __init__(self, name: str, config: SegmentConfig, client: HttpClient) -> None:
        self.name = name
        self.limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=SEGMENT_BATCH_BYTES_MAX,
            event_bytes_max=SEGMENT_EVENT_BYTES_MAX,
            age_max_s=config.batch_age_max_s,
        )
        self._config = config
        self._client = client
        key = config.write_key.reveal()
        # Why Basic alone: a key in the body as well would stand in whatever records bodies.
        token = b64encode(f"{key}:".encode()).decode()
        self._headers = {"Content-Type": "application/json", "Authorization": f"Basic {token}"}
        url = config.endpoint.rstrip("/") + "/v1/batch"
        self._endpoint = Endpoint(url=url, way=config, secrets=(key, token), compressed=config.gzip)
        self._queued = outcomes.queued(name)

    def takes(self, kind: EventKind) -> bool:
        """All but impressions, which are switched on by the config."""
        return kind is not EventKind.IMPRESSION or self._config.impressions

    @property
    def chooses_impressions(self) -> bool:
        """True: not the ones that showed nothing."""
        return True

    def check(self, event: Event, facts: ProjectFacts | None) -> outcomes.Violations:
        """Amounts that contradict each other: one of them would be lost in silence."""
        return wire.contradictions(event)

    def route(self, event: Event, facts: ProjectFacts | None) -> outcomes.Outcome:
        """Queued, or why not.

        `{"All": false}` does not keep an event from here: as in Segment's libraries it means the destinations behind
        Segment, and `{"Segment.io": false}` Segment itself.
        """
        if isinstance(event, Impression):
            if not self._config.impressions:
                return outcomes.skipped(self.name, outcomes.KIND_NOT_TAKEN)
            if not event.variation_key:
                return outcomes.skipped(self.name, outcomes.NO_VARIATION)
        if outcomes.unwanted(self.name, event, by_all=False, alias=wire.SEGMENT_ITSELF):
            return outcomes.skipped(self.name, outcomes.INTEGRATIONS)
        if wire.message_bytes_at_most(event) > SEGMENT_EVENT_BYTES_MAX and (
            len(wire.message(event, self._config.currency)) > SEGMENT_EVENT_BYTES_MAX
        ):
            return outcomes.skipped(self.name, outcomes.TOO_LARGE)
        return self._queued

    def route_alike(self, sort: EventSort, facts: ProjectFacts | None) -> outcomes.Outcome | None:
        """Queued, when the event is surely small enough; amounts in one place alone contradict nothing."""
        # Twice: as in `message_bytes_at_most`.
        surely_fits = 2 * sort.bytes_at_most <= SEGMENT_EVENT_BYTES_MAX
        return self._queued if surely_fits and sort.kind is not EventKind.IMPRESSION else None

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """One for all."""
        return None

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """The frame with `sentAt`."""
        return sum(map(len, wire.envelope(0)))

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """One message."""
        return wire.message(event, self._config.currency)

    async def send(self, batch: Batch) -> Answer:
        """POST the batch with a `sentAt` of now."""
        head, tail = wire.envelope(batch.now_ms)
        body = head + b",".join(batch.rendered) + tail
        # Segment's libraries say so too; it counts the attempts of this process.
        retried = {"X-Retry-Count": str(batch.attempt)} if batch.attempt else {}
        return await self._client.post(self._endpoint, body, self._headers | retried, batch.now_ms)

    async def close(self) -> None:
        """Nothing of its own: the client is the process's."""

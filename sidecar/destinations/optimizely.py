"""Optimizely's Event API: impressions and conversions, in the region of their project."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from sidecar.destinations import outcomes
from sidecar.destinations.endpoint import Endpoint, HttpSection, check_currency, check_events_max, check_url
from sidecar.destinations.http import HttpClient
from sidecar.events import optimizely as wire
from sidecar.events.model import Event, EventKind, Impression, ProjectFacts, Track
from sidecar.limits import KIB, OPTIMIZELY_BATCH_BYTES_MAX
from sidecar.ports import Answer, Batch, BatchLimits, EventSort

ENDPOINTS: Final[Mapping[str, str]] = MappingProxyType(
    {"US": "https://logx.optimizely.com/v1/events", "EU": "https://eu.logx.optimizely.com/v1/events"}
)
"""Event API by region, as the SDKs have them."""

FITS_BYTES: Final = 64 * KIB
"""A request of so many bytes is never too large, whatever it becomes: `events.optimizely.visitor_bytes_at_most`."""
_KINDS: Final = (Impression, Track)
_HEADERS: Final = MappingProxyType({"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizelyConfig(HttpSection):
    """The section of a destination of type `optimizely`."""

    endpoint: str = field(default="", repr=False)
    """URL of the Event API. Empty takes that of the project's region, US or EU, as its datafile says."""
    currency: str = "USD"
    """ISO 4217 code of the project's revenue metrics. Optimizely has no currency: revenue in another one is
    left out and the reply says so."""
    historical: bool = False
    """Whether imported events go there too. Old timestamps distort results, so they do not unless asked."""
    batch_events_max: int = 1_000
    """Events of one request, 1 or more; 3.5 MB bound it too."""
    batch_age_max_s: float = 1.0
    """How long an event may wait for company."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for an endpoint that is no URL, a currency that is none, a bound of nothing."""
        HttpSection.__post_init__(self)
        check_events_max(self.batch_events_max)
        if self.endpoint:
            check_url(self.endpoint)
        check_currency(self.currency)


class OptimizelyDestination:
    """Impressions and Tracks whose event key is in the datafile, with the facts they were accepted under."""

    def __init__(self, name: str, config: OptimizelyConfig, client: HttpClient) -> None:
        self.name = name
        self.limits = BatchLimits(
            events_max=config.batch_events_max,
            bytes_max=OPTIMIZELY_BATCH_BYTES_MAX,
            event_bytes_max=OPTIMIZELY_BATCH_BYTES_MAX,
            age_max_s=config.batch_age_max_s,
        )
        self._config = config
        self._client = client
        self._queued = outcomes.queued(name)

    def takes(self, kind: EventKind) -> bool:
        """Impressions and Tracks; Optimizely knows nothing else."""
        return kind in (EventKind.IMPRESSION, EventKind.TRACK)

    @property
    def chooses_impressions(self) -> bool:
        """False: whatever was decided is counted."""
        return False

    def check(self, event: Event, facts: ProjectFacts | None) -> outcomes.Violations:
        """A `revenue` or `value` that is no amount (R12), and amounts that contradict each other."""
        return wire.violations(event)

    def route(self, event: Event, facts: ProjectFacts | None) -> outcomes.Outcome:
        """Queued, or why not; a Track names the tags and the revenue that Optimizely cannot take."""
        if not isinstance(event, _KINDS):
            return outcomes.skipped(self.name, outcomes.KIND_NOT_TAKEN)
        origin = event.origin
        if (origin.integrations or origin.context) and outcomes.unwanted(self.name, event):
            return outcomes.skipped(self.name, outcomes.INTEGRATIONS)
        if facts is None:
            return outcomes.skipped(self.name, outcomes.NO_DATAFILE)
        if origin.historical and not self._config.historical:
            return outcomes.skipped(self.name, outcomes.HISTORICAL)
        if isinstance(event, Track) and event.event_key not in facts.event_ids:
            return outcomes.skipped(self.name, outcomes.EVENT_KEY_NOT_FOUND)
        if not 0 < origin.request_bytes <= FITS_BYTES and self._too_large(event, facts):
            return outcomes.skipped(self.name, outcomes.TOO_LARGE)
        unsent = wire.unsent_of(event, self._config.currency) if isinstance(event, Track) else ""
        return outcomes.queued(self.name, unsent) if unsent else self._queued

    def route_alike(self, sort: EventSort, facts: ProjectFacts | None) -> outcomes.Outcome | None:
        """Why not, where that does not depend on what the event carries; queued, if it is `simple` and surely fits."""
        if sort.kind not in (EventKind.IMPRESSION, EventKind.TRACK):
            return outcomes.skipped(self.name, outcomes.KIND_NOT_TAKEN)
        if facts is None:
            return outcomes.skipped(self.name, outcomes.NO_DATAFILE)
        if sort.historical and not self._config.historical:
            return outcomes.skipped(self.name, outcomes.HISTORICAL)
        fits = wire.carried_bytes_at_most(sort.bytes_at_most) <= self.limits.bytes_max
        return self._queued if sort.simple and fits and sort.event_key in facts.event_ids else None

    def batch_key(self, facts: ProjectFacts | None) -> Hashable:
        """What the envelope says and where it goes: account, project, revision, anonymise flag, region."""
        return None if facts is None else wire.batch_key(facts)

    def envelope_bytes(self, facts: ProjectFacts | None) -> int:
        """Account, project, revision and our name."""
        return 0 if facts is None else sum(map(len, wire.envelope(facts)))

    def render(self, event: Event, facts: ProjectFacts | None) -> bytes:
        """One visitor object."""
        if facts is None:
            raise ValueError("event has no project facts, wanted those of the datafile it was accepted under")
        match event:
            case Impression():
                return wire.impression(event, facts)
            case Track():
                return wire.conversion(event, facts, self._config.currency)
            case _:
                raise ValueError(f"event is a {type(event).__name__}, wanted an Impression or a Track")

    async def send(self, batch: Batch) -> Answer:
        """POST the batch to the region of its project."""
        assert batch.facts is not None, "render refuses events without facts"
        head, tail = wire.envelope(batch.facts)
        url = self._config.endpoint or ENDPOINTS["EU" if batch.facts.region.upper() == "EU" else "US"]
        endpoint = Endpoint(url=url, way=self._config)
        return await self._client.post(endpoint, head + b",".join(batch.rendered) + tail, _HEADERS, batch.now_ms)

    async def close(self) -> None:
        """Nothing of its own: the client is the process's."""

    def _too_large(self, event: Impression | Track, facts: ProjectFacts) -> bool:
        if wire.visitor_bytes_at_most(event) <= self.limits.bytes_max:
            return False
        return len(self.render(event, facts)) + self.envelope_bytes(facts) > self.limits.bytes_max

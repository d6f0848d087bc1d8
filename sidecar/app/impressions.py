"""Makes what chooses impressions: the windows of the destinations that want no view twice, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from urllib.parse import quote

from prometheus_client.core import Metric

from sidecar.app.configured import destinations_of
from sidecar.app.settings import Settings
from sidecar.destinations.segment import SegmentConfig
from sidecar.events.model import EventKind
from sidecar.exposures import Exposures, ExposuresSection
from sidecar.http.metrics import counter
from sidecar.ports import Clock, Destination


async def impression_windows(settings: Settings, clock: Clock, closing: AsyncExitStack) -> Mapping[str, Exposures]:
    """By the name of each destination that wants a view once in a while: what is remembered of those it got.

    Each is read from its file in the data directory, `viewed-NAME.sketch`, and written there at stop.
    """
    windows: dict[str, Exposures] = {}
    for one in destinations_of(settings):
        section = one.section
        if not isinstance(section, SegmentConfig) or not section.impressions or not section.impressions_window_s:
            continue
        window = Exposures(
            ExposuresSection(
                remember=True,
                window_s=section.impressions_window_s,
                bytes_max=section.impressions_window_bytes_max,
            ),
            directory=settings.data_dir,
            clock=clock,
            file_name=f"viewed-{quote(one.name, safe='')}.sketch",
        )
        await window.open()
        closing.push_async_callback(window.close)
        windows[one.name] = window
    return windows


def window_metrics(windows: Mapping[str, Exposures]) -> Iterator[Metric]:
    """What is counted of the windows; nothing at all where there is none."""
    if windows:
        crowded = [((name,), window.crowded_out) for name, window in windows.items()]
        what = "Views forgotten early for want of room, to be sent again."
        yield counter("views_crowded_out", what, ("destination",), crowded)


def impression_names(takers: Mapping[str, Sequence[Destination]]) -> Mapping[str, Sequence[str]]:
    """The names of the destinations that take each datafile's impressions, in the order of the config."""
    return {name: [one.name for one in some if one.takes(EventKind.IMPRESSION)] for name, some in takers.items()}

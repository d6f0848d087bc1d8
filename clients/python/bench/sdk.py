"""optimizely-sdk, deciding in process: with its events dropped, or sent as its users have it.

Sent is its `BatchEventProcessor`, a thread and batches of 10, and its `EventDispatcher`, a POST for each over a
connection of its own. That favours it: an `Optimizely` that is told nothing sends each event alone, to a server of the
internet, over TLS; here a collector on loopback takes everything at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import requests
from optimizely import logger, optimizely
from optimizely.event.event_processor import BaseEventProcessor, BatchEventProcessor
from optimizely.event_builder import Event
from optimizely.event_dispatcher import EventDispatcher
from optimizely.helpers.sdk_settings import OptimizelySdkSettings
from optimizely.optimizely_user_context import OptimizelyUserContext, UserAttributes

DATAFILE: Final = Path(__file__).parents[3] / "tests" / "vectors" / "datafile_20_flags.json"
BURST: Final = 500
"""Decisions made before their events are waited for: the SDK's queue holds 1,000, and drops what is more."""
SENT_S_MAX: Final = 60.0


class Dropped(BaseEventProcessor):
    """A processor that takes every event and does nothing."""

    def process(self, user_event: object) -> None:
        """Take the event that the SDK made."""


class Redirected:
    """The SDK's own dispatcher, to another URL; counts what it sent."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._changed = threading.Condition()
        self._sent = 0

    def dispatch_event(self, event: Event) -> None:
        """Send one batch."""
        event.url = self._url
        EventDispatcher.dispatch_event(event)
        with self._changed:
            self._sent += len(event.params["visitors"])
            self._changed.notify_all()

    def wait_for(self, events: int) -> None:
        """Until so many were sent, since the start. Raises `RuntimeError` when they are not."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._sent >= events, SENT_S_MAX):
                raise RuntimeError(f"the SDK has sent {self._sent} events, wanted {events}")


def dropping(user_id: str, attributes: UserAttributes, flag_key: str) -> Callable[[int], object]:
    """So many decisions, each with its event made and dropped."""
    user = _user(user_id, attributes, Dropped())

    def decide(calls: int) -> None:
        for _ in range(calls):
            user.decide(flag_key)

    return decide


def sending(user_id: str, attributes: UserAttributes, flag_key: str, url: str) -> Callable[[int], object]:
    """So many decisions, their events sent when it returns. Raises `RuntimeError` when one is not sent."""
    # The SDK logs what it could not send, and goes on: so that is found here.
    requests.post(url, data=b"{}", timeout=SENT_S_MAX).raise_for_status()
    dispatcher = Redirected(url)
    processor = BatchEventProcessor(dispatcher, start_on_init=True)
    user = _user(user_id, attributes, processor)
    made = 0

    def decide(calls: int) -> None:
        nonlocal made
        for start in range(0, calls, BURST):
            burst = min(BURST, calls - start)
            for _ in range(burst):
                user.decide(flag_key)
            made += burst
            processor.flush()
            dispatcher.wait_for(made)

    return decide


def _user(user_id: str, attributes: UserAttributes, processor: BaseEventProcessor) -> OptimizelyUserContext:
    client = optimizely.Optimizely(
        datafile=DATAFILE.read_text(),
        logger=logger.NoOpLogger(),
        event_processor=processor,
        settings=OptimizelySdkSettings(odp_disabled=True),
    )
    user = client.create_user_context(user_id, attributes)
    assert user is not None, "the SDK has the datafile"
    return user

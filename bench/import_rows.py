"""The rows of imports: events of a history through `Import` and `ImportStream`, written, the destination down.

CPU of the whole process, an event; the bound is what one core takes in a second. The events are what Segment's
libraries write: a Track with five properties, an address and a locale. With ids of their own, each is looked up among
those that are remembered, of which there are none at first or as many as there may be, and is remembered itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final, TypeAlias
from uuid import UUID

import grpc

from bench.daemon import DATA_DIR, Configured, Daemon, nobody, running
from bench.remembered import remember
from bench.scale import Scale
from bench.table import Row
from sidecar.limits import REMEMBERED_IDS_MAX
from sidecar.pb import tracking_pb2, value_pb2

EVENTS_PER_S_MIN: Final = 50_000
_SERVICE: Final = "/sidecar.v1.TrackingService/"
_MESSAGE_EVENTS: Final = 500
_EVENTS_PER_CALL: Final = 5
"""Events of a round for each call that other rows make in one."""
_AT_ONCE: Final = 4

Load: TypeAlias = Callable[[grpc.Channel, Sequence[bytes]], float]
"""Sends messages; how long it took, in seconds."""


def unary(scale: Scale) -> Iterator[Row]:
    """`Import` of 500 events, four calls in flight."""
    yield from _rows(scale, "Import", _by_calls)


def stream(scale: Scale) -> Iterator[Row]:
    """`ImportStream`, 500 events a message, as fast as it takes them."""
    yield from _rows(scale, "ImportStream", _by_stream)


def _rows(scale: Scale, method: str, load: Load) -> Iterator[Row]:
    for name, chosen_ids, remembered in (
        ("ids of the server", False, 0),
        ("random ids", True, 0),
        (f"random ids, {REMEMBERED_IDS_MAX:,} remembered", True, REMEMBERED_IDS_MAX),
    ):
        costs, rate = _measured(scale, load, chosen_ids=chosen_ids, remembered=remembered)
        cost_us = median(costs)
        yield Row(
            name=f"{method}, {name}, written",
            ours=f"{cost_us:.1f} µs CPU an event",
            figure=1e6 / cost_us,
            unit="/s",
            bound=EVENTS_PER_S_MIN,
            note=f"{rate:,.0f}/s of wall time; {len(costs)} rounds, {min(costs):.1f} to {max(costs):.1f} µs",
        )


def _measured(scale: Scale, load: Load, *, chosen_ids: bool, remembered: int) -> tuple[Sequence[float], float]:
    """µs of CPU an event in each round, and the median rate. Raises `RuntimeError` unless all of them are counted."""
    costs, rates = [], []
    with tempfile.TemporaryDirectory() as name, nobody() as endpoint:
        segment = {"name": "segment", "type": "segment", "write_key": "key", "endpoint": endpoint}
        configured = Configured(endpoint=endpoint, transport=scale.transport, destination=segment)
        if remembered:
            remember(Path(name) / DATA_DIR, remembered, segment["name"])
        with running(configured, scale.cores, Path(name)) as daemon:
            for number in range(scale.rounds + 1):
                messages = max(_AT_ONCE, scale.calls * _EVENTS_PER_CALL // _MESSAGE_EVENTS)
                bodies = [_message(Random(f"{number}/{each}"), chosen_ids=chosen_ids) for each in range(messages)]
                cost_us, rate = _round(daemon, load, bodies)
                if number:  # The first round warms it.
                    costs.append(cost_us)
                    rates.append(rate)
    return costs, median(rates)


def _round(daemon: Daemon, load: Load, bodies: Sequence[bytes]) -> tuple[float, float]:
    events = len(bodies) * _MESSAGE_EVENTS
    before, cpu_s = daemon.counted(), daemon.process.cpu_s()
    with grpc.insecure_channel(daemon.address) as channel:
        took_s = load(channel, bodies)
    cost_us = (daemon.process.cpu_s() - cpu_s) / events * 1e6
    accepted = daemon.counted().accepted - before.accepted
    if accepted != events:
        raise RuntimeError(f"the daemon counted {accepted:.0f} events, wanted {events}")
    return cost_us, events / took_s


def _by_calls(channel: grpc.Channel, bodies: Sequence[bytes]) -> float:
    call: Any = channel.unary_unary(_SERVICE + "Import")
    began_s = time.perf_counter()
    for start in range(0, len(bodies), _AT_ONCE):
        for answer in [call.future(body, timeout=60) for body in bodies[start : start + _AT_ONCE]]:
            answer.result()
    return time.perf_counter() - began_s


def _by_stream(channel: grpc.Channel, bodies: Sequence[bytes]) -> float:
    call: Any = channel.stream_stream(_SERVICE + "ImportStream")
    began_s = time.perf_counter()
    for _ in call(iter(bodies), timeout=300):
        pass
    return time.perf_counter() - began_s


def _message(random: Random, *, chosen_ids: bool) -> bytes:
    events = (_event(random, chosen_ids=chosen_ids) for _ in range(_MESSAGE_EVENTS))
    return tracking_pb2.ImportRequest(events=events).SerializeToString()


def _event(random: Random, *, chosen_ids: bool) -> tracking_pb2.ImportEvent:
    number = random.randrange(10**6)
    track = tracking_pb2.TrackRequest(
        user_id=f"user-{number}",
        event_key="Order Completed",
        event_id=str(UUID(int=random.getrandbits(128), version=4)) if chosen_ids else "",
        properties={
            "order_id": value_pb2.Value(string_value=f"order-{number}"),
            "total": value_pb2.Value(double_value=number / 100),
            "currency": value_pb2.Value(string_value="USD"),
            "coupon": value_pb2.Value(string_value="SPRING"),
            "items": value_pb2.Value(int_value=number % 10),
        },
        context={
            "ip": value_pb2.Value(string_value="203.0.113.17"),
            "locale": value_pb2.Value(string_value="de-DE"),
        },
    )
    track.timestamp.FromSeconds(1_700_000_000 + number)
    return tracking_pb2.ImportEvent(track=track)

"""What the tests of datafiles share: bodies, a source in memory, and a running `Datafiles`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from sidecar.datafiles import Datafiles, LastGood, NamedSource, Snapshot
from sidecar.decision import CompiledDatafile, Decision, load
from sidecar.errors import SourceUnavailable
from sidecar.events.model import ProjectFacts
from sidecar.ports import EncodedFacts, Fetched, Rendered
from sidecar.values import Pause


def body_of(revision: str, *, sdk_key: str = "", padding: str = "") -> bytes:
    """The smallest datafile of a revision; padding changes the content and nothing else."""
    return json.dumps(
        {
            "version": "4",
            "accountId": "10",
            "projectId": "20",
            "revision": revision,
            "sdkKey": sdk_key,
            "anonymizeIP": True,
            "botFiltering": False,
            "attributes": [{"id": "31", "key": "plan"}],
            "events": [{"id": "41", "key": "purchase", "experimentIds": []}],
            "audiences": [],
            "groups": [],
            "experiments": [],
            "rollouts": [],
            "featureFlags": [{"id": "1", "key": "search", "rolloutId": "", "experimentIds": [], "variables": []}],
            "padding": padding,
        }
    ).encode()


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()


class EmptyCodec:
    """Renders nothing in advance."""

    def render(self, compiled: CompiledDatafile, pause: Pause) -> Mapping[Decision, Rendered]:
        return {}

    def record(  # noqa: PLR0917 - the port's
        self,
        call: bytes,
        decision_id: str,
        received_ms: int,
        datafile: str,
        impressions: Sequence[bytes],
        form: str,
    ) -> bytes:
        raise NotImplementedError


def encode_facts(facts: ProjectFacts) -> EncodedFacts:
    return EncodedFacts(key=facts.revision, body=repr(facts).encode())


@dataclass
class MemorySource:
    """A source that a test tells what to hold: bytes, or the error that a read raises."""

    holds: bytes | SourceUnavailable | Exception
    location: str = "memory:"
    reads: int = 0
    closed: bool = False
    applied_version: str = ""
    failures_seen: list[int] = field(default_factory=list)
    held_back: asyncio.Event | None = None
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    poked: asyncio.Event = field(default_factory=asyncio.Event)
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, holds: bytes | SourceUnavailable | Exception) -> None:
        """Hold something else, and say so."""
        self.holds = holds
        self.look()

    def look(self) -> None:
        """Say that a look is worth it."""
        self.looked.clear()
        self.poked.set()

    async def read(self) -> Fetched | None:
        self.reads += 1
        self.reading.set()
        if self.held_back is not None:
            await self.held_back.wait()
        if isinstance(self.holds, Exception):
            raise self.holds
        version = str(hash(self.holds))
        return None if version == self.applied_version else Fetched(body=self.holds, version=version)

    def applied(self, fetched: Fetched) -> None:
        self.applied_version = fetched.version

    async def changed(self, failures: int) -> None:
        self.failures_seen.append(failures)
        self.looked.set()
        await self.poked.wait()
        self.poked.clear()

    async def close(self) -> None:
        self.closed = True


class Serve(Protocol):
    def __call__(
        self,
        *sources: NamedSource,
        load: Callable[[bytes, Pause], CompiledDatafile] = ...,
        last_good: LastGood | None = None,
        on_applied: Sequence[Callable[[Snapshot], None]] = (),
    ) -> AbstractAsyncContextManager[Datafiles]: ...


@asynccontextmanager
async def _serve(
    *sources: NamedSource,
    load: Callable[[bytes, Pause], CompiledDatafile] = load,
    last_good: LastGood | None = None,
    on_applied: Sequence[Callable[[Snapshot], None]] = (),
) -> AsyncIterator[Datafiles]:
    datafiles = Datafiles(
        sources,
        load=load,
        codec=EmptyCodec(),
        encode_facts=encode_facts,
        clock=SystemClock(),
        last_good=last_good,
        on_applied=on_applied,
    )
    async with asyncio.TaskGroup() as group:
        services = [group.create_task(service()) for service in datafiles.services()]
        try:
            async with asyncio.timeout(20):
                yield datafiles
        finally:
            for service in services:
                service.cancel()
    await datafiles.close()


@pytest.fixture
def serve() -> Serve:
    """Starts `Datafiles` as `app` does, its services in one TaskGroup."""
    return _serve


@pytest.fixture
def last_good(tmp_path: Path) -> LastGood:
    return LastGood(tmp_path / "state" / "datafiles")

"""The service of one datafile: read, build, swap, tell; again when the source says so.

read ──unavailable──▶ keep, stale ──▶ wait        None ──▶ not stale any more ──▶ wait
      └─body─▶ same hash as served? adopt ▶ wait      same hash as last rejected? still stale ▶ wait
               └─no─▶ build ──rejected──▶ keep, stale ──▶ wait
                        └─snapshot─▶ swap ▶ source.applied ▶ copy to disk ▶ wait

One task runs an entry and alone touches its source; everything else reads attributes on the loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog

from sidecar.datafiles.build import Compiler, Slices, take_apart
from sidecar.datafiles.last_good import LastGood
from sidecar.datafiles.reloads import Reloads
from sidecar.datafiles.snapshot import DatafileStats, DatafileStatus, NamedSource, Snapshot
from sidecar.errors import DatafileRejected, SourceUnavailable
from sidecar.ports import Clock, Fetched
from sidecar.values import Pause, content_hash, no_pause, shortened

FIRST_READ_S: Final = 2.0
"""How long the first read may take before a copy on disk, if there is one, is served in the meantime."""

ERRORS_LOGGED_MAX: Final = 16
"""Distinct errors logged between two good looks: failing differently each time must not fill the log."""

P = ParamSpec("P")
T = TypeVar("T")


class Entry:
    """One datafile: its snapshot, if there is one, and the task that keeps it current."""

    def __init__(
        self,
        named: NamedSource,
        *,
        compiler: Compiler,
        clock: Clock,
        worker: Executor,
        last_good: LastGood | None,
        swap: Callable[[Snapshot], None],
    ) -> None:
        self.name = named.name
        self._sdk_key = named.sdk_key
        self.snapshot: Snapshot | None = None
        self.stats = DatafileStats()
        self.first = asyncio.Event()
        self._source = named.source
        self._origin = f"{named.source.location}\n{named.sdk_key}"
        self._compiler, self._clock, self._worker = compiler, clock, worker
        self._last_good, self._swap = last_good, swap
        self._log = structlog.get_logger().bind(datafile=named.name, location=named.source.location)
        self._failures = 0
        self._error: DatafileRejected | SourceUnavailable | None = None
        self._rejection: DatafileRejected | None = None
        self._rejected_hash = ""
        self._from_cache = False
        self._last_checked_ms = 0
        self._logged: set[str] = set()
        self._turn = 0
        self._news = asyncio.Event()
        self._reloads = Reloads()
        self._patience: asyncio.Timeout | None = None

    @property
    def sdk_keys(self) -> tuple[str, ...]:
        """The SDK keys under which it is found: the configured one, and the one that its datafile says."""
        own = self.snapshot.compiled.sdk_key if self.snapshot else ""
        return tuple(key for key in (self._sdk_key, own) if key)

    async def run(self) -> None:
        """Keep the snapshot current until cancelled."""
        try:
            await self._start()
            while True:
                await self._wait()
                asked = len(self._reloads)
                await self._look()
                self._reloads.answer(asked, self._error)
        finally:
            self._reloads.end()

    async def reload(self) -> None:
        """Wait for a look that starts after this call; callers that wait for the same one share it.

        Raises what came of it: `SourceUnavailable`, `DatafileRejected`; `Stopping` when the entry ended.
        """
        reload = self._reloads.ask()
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())
            self._patience = None
        await reload

    async def watch(self) -> AsyncIterator[DatafileStatus]:
        """The status now, then after each change but of `last_checked_ms`; slow readers skip to the last."""
        seen = -1
        while True:
            if self._turn == seen:
                await self._news.wait()
            seen = self._turn
            yield self.status()

    def status(self) -> DatafileStatus:
        """What is known now."""
        snapshot = self.snapshot
        return DatafileStatus(
            name=self.name,
            location=self._source.location,
            sdk_key=shortened(self._sdk_key or (snapshot.compiled.sdk_key if snapshot else "")),
            revision=snapshot.revision if snapshot else "",
            content_hash=snapshot.content_hash if snapshot else "",
            loaded_ms=snapshot.loaded_ms if snapshot else 0,
            last_checked_ms=self._last_checked_ms,
            stale=self._error is not None or self._from_cache,
            last_error=f"{self._error}; {self._kept()}" if self._error else "",
            rejected=isinstance(self._error, DatafileRejected),
            from_cache=self._from_cache,
            warnings=tuple(snapshot.compiled.warnings) if snapshot else (),
        )

    async def close(self) -> None:
        """Close the source. Idempotent."""
        await self._source.close()

    async def _start(self) -> None:
        """The first look; when it fails or takes long, the copy on disk is served meanwhile."""
        if not await self._in_worker(self._has_copy):
            await self._look()
            return
        await self._look(patience_s=FIRST_READ_S)
        if self.snapshot is None:
            await self._serve_copy()
            await self._look()

    async def _wait(self) -> None:
        """Until the source says that a look is worth it, or a reload is asked."""
        if self._reloads:
            return
        try:
            async with asyncio.timeout(None) as self._patience:
                await self._source.changed(self._failures)
        except TimeoutError:
            pass  # a reload moved the deadline: this is how it ends the wait without a task of its own
        finally:
            self._patience = None

    async def _look(self, patience_s: float | None = None) -> None:
        """Read once and do what follows; `patience_s` bounds the read, None leaves that to the source."""
        try:
            async with asyncio.timeout(patience_s):
                fetched = await self._source.read()
        except SourceUnavailable as error:
            self._failed(error)
        except TimeoutError:
            self._failed(
                SourceUnavailable(f"datafile `{self._source.location}` unavailable: no answer yet, still asking")
            )
        except Exception as error:  # noqa: BLE001 - must not end the daemon; told as the error
            self._failed(SourceUnavailable(f"{self._source.location}: {type(error).__name__}: {error}"))
        else:
            self._last_checked_ms = self._clock.now_ms()
            if fetched is None:
                self._unchanged()
            else:
                await self._take(fetched)

    async def _take(self, fetched: Fetched) -> None:
        """Apply a body, unless it is the one that is served or the one that was rejected last."""
        fetched_hash = await self._in_worker(content_hash, fetched.body, self._pause())
        if self.snapshot is not None and fetched_hash == self.snapshot.content_hash:
            self._source.applied(fetched)
            self._unchanged()
            return
        if self._rejection is not None and fetched_hash == self._rejected_hash:
            self._failed(self._rejection)
            return
        started_s = self._clock.monotonic_s()
        try:
            snapshot = await self._in_worker(
                self._compiler.snapshot, self.name, fetched.body, self._clock.now_ms(), self._pause(), fetched_hash
            )
        except DatafileRejected as error:
            self._rejection, self._rejected_hash = error, fetched_hash
            self._failed(error)
            return
        self._rejection, self._from_cache = None, False
        self.stats.applied += 1
        self.stats.took_s = self._clock.monotonic_s() - started_s
        reused = self.snapshot is not None and self.snapshot.revision == snapshot.revision
        self._well()
        retired = self._serve(snapshot)
        self._source.applied(fetched)
        self._log.info(
            "datafile_applied",
            revision=snapshot.revision,
            revision_reused=reused,
            flags=len(snapshot.compiled.flags),
            warnings=len(snapshot.compiled.warnings),
            bytes=snapshot.body_bytes,
            took_ms=round(self.stats.took_s * 1000),
        )
        del snapshot
        await self._in_worker(take_apart, retired, self._pause())
        await self._keep_copy(fetched.body)

    def _pause(self) -> Pause:
        """The worker rests between slices while decisions are made; nobody waits for a start to be gentle."""
        return Slices() if self.snapshot is not None else no_pause

    def _serve(self, snapshot: Snapshot) -> list[Snapshot]:
        """Swap; what was served until now comes back, to be taken apart."""
        retired = [self.snapshot] if self.snapshot is not None else []
        self.snapshot = snapshot
        self._swap(snapshot)
        self.first.set()
        self._tell()
        return retired

    # --- what a look came to --------------------------------------------------------------------------------

    def _unchanged(self) -> None:
        self.stats.unchanged += 1
        if self._error is not None or self._from_cache:
            self._from_cache = False
            self._well()
            self._tell()
            self._log.info("datafile_recovered", revision=self.snapshot.revision if self.snapshot else "")

    def _well(self) -> None:
        self._failures = 0
        self._error = None
        self._logged.clear()

    def _failed(self, error: DatafileRejected | SourceUnavailable) -> None:
        """Keep what is served; say so once for each distinct error since the last good look."""
        rejected = isinstance(error, DatafileRejected)
        self.stats.rejected += rejected
        self.stats.unavailable += not rejected
        self._failures += 1
        self._last_checked_ms = self._clock.now_ms()
        same = str(error) == str(self._error)
        self._error = error
        if same:
            return
        self._tell()
        if str(error) not in self._logged and len(self._logged) < ERRORS_LOGGED_MAX:
            self._logged.add(str(error))
            event = "datafile_rejected" if rejected else "datafile_unavailable"
            self._log.warning(event, error=str(error), kept=self._kept())

    def _kept(self) -> str:
        return f"kept revision `{self.snapshot.revision}`" if self.snapshot else "no datafile is served"

    def _tell(self) -> None:
        self._turn += 1
        news, self._news = self._news, asyncio.Event()
        news.set()

    # --- the copy on disk -----------------------------------------------------------------------------------

    def _has_copy(self) -> bool:
        return self._last_good is not None and self._last_good.holds(self.name, self._origin)

    async def _serve_copy(self) -> None:
        """Serve the copy; one that cannot be read or compiled is only said to be so."""
        try:
            snapshot = await self._in_worker(self._build_copy)
        except (DatafileRejected, OSError) as error:
            self._log.warning("datafile_copy_unusable", error=str(error))
            return
        self._from_cache = True
        self._serve(snapshot)
        self._log.warning("datafile_loaded_from_cache", revision=snapshot.revision, error=str(self._error or ""))

    def _build_copy(self) -> Snapshot:
        assert self._last_good is not None, "called when there is a copy"
        return self._compiler.snapshot(self.name, self._last_good.read(self.name), self._clock.now_ms())

    async def _keep_copy(self, body: bytes) -> None:
        if self._last_good is None:
            return
        try:
            await self._in_worker(self._last_good.keep, self.name, self._origin, body, self._pause())
        except OSError as error:
            self.stats.copies_failed += 1
            self._log.warning("datafile_copy_failed", error=str(error))

    async def _in_worker(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, partial(call, *args, **kwargs))

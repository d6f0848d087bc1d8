"""The act: which snapshot a call reads, and what callers may ask about datafiles.

`current` is on the path of every decision: one look-up in a dictionary that is replaced as a whole at each
swap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sidecar.datafiles.build import Compiler
from sidecar.datafiles.entry import Entry
from sidecar.datafiles.last_good import LastGood
from sidecar.datafiles.snapshot import DatafileStats, DatafileStatus, NamedSource, Snapshot
from sidecar.decision import CompiledDatafile
from sidecar.errors import ConfigInvalid, DatafileNotFound, NoDatafile
from sidecar.events.model import ProjectFacts
from sidecar.ports import Clock, DecisionCodec, EncodedFacts
from sidecar.values import Pause


class Datafiles:
    """Every configured datafile, by name or SDK key. All methods are called on the event loop's thread.

    A name, wherever one is asked for, is a configured name, else an SDK key (configured, or the datafile's
    own), else "" for the default: the datafile named `default`, or the first one. A name wins over an equal
    SDK key, the earlier datafile over the later with the same key.
    """

    def __init__(
        self,
        sources: Sequence[NamedSource],
        *,
        load: Callable[[bytes, Pause], CompiledDatafile],
        codec: DecisionCodec,
        encode_facts: Callable[[ProjectFacts], EncodedFacts],
        clock: Clock,
        last_good: LastGood | None = None,
        on_applied: Sequence[Callable[[Snapshot], None]] = (),
    ) -> None:
        """Nothing is read before `services` run.

        `on_applied` is called on the loop after each swap, and must not raise. Raises `ConfigInvalid`
        when a name is empty or there twice.
        """
        names = Counter(named.name for named in sources)
        problems = [
            f"datafiles: the name `{name}` is there {times} times, wanted it once"
            for name, times in names.items()
            if times > 1
        ]
        if "" in names:
            problems.append("datafiles: a name is empty, wanted at least one character")
        if problems:
            raise ConfigInvalid(problems)
        # One thread: two large compiles at once would hold twice the memory and gain nothing under one lock.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="datafile")
        self._on_applied = tuple(on_applied)
        compiler = Compiler(load=load, codec=codec, encode_facts=encode_facts)
        self._entries = {
            named.name: Entry(
                named,
                compiler=compiler,
                clock=clock,
                worker=self._worker,
                last_good=last_good,
                swap=self._swap,
            )
            for named in sources
        }
        self._default = "default" if "default" in self._entries else next(iter(self._entries), "")
        self._current: Mapping[str, Snapshot] = {}

    def current(self, name: str = "") -> Snapshot:
        """The snapshot that a call uses from beginning to end.

        Raises `DatafileNotFound` when nothing is configured under the name, `NoDatafile` when nothing was
        applied yet (or, for "", nothing is configured at all).
        """
        try:
            return self._current[name]
        except KeyError:
            raise NoDatafile(self._entry(name).name) from None

    @property
    def names(self) -> tuple[str, ...]:
        """The configured names, in the order of the configuration."""
        return tuple(self._entries)

    @property
    def default_name(self) -> str:
        """The name that "" stands for; "" when none is configured."""
        return self._default

    def services(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """One service a datafile, for the one TaskGroup; each runs until it is cancelled.

        `close` comes after they have ended.
        """
        return [entry.run for entry in self._entries.values()]

    def ready(self, name: str = "") -> bool:
        """Whether `current` has an answer for the name.

        Raises `DatafileNotFound`, or `NoDatafile` for "" when nothing is configured.
        """
        return self._entry(name).snapshot is not None

    async def wait_first(self, name: str = "") -> Snapshot:
        """Wait for the first snapshot, from the source or from the copy on disk. Raises as `ready`."""
        entry = self._entry(name)
        await entry.first.wait()
        return self.current(entry.name)

    def status(self, name: str = "") -> DatafileStatus:
        """What is known of one datafile. Raises as `ready`."""
        return self._entry(name).status()

    def stats(self, name: str = "") -> DatafileStats:
        """Its counters, live. Raises as `ready`."""
        return self._entry(name).stats

    async def reload(self, name: str = "") -> DatafileStatus:
        """Look at the source now and return when what it holds is applied, also when that is unchanged.

        Concurrent calls share a look that begins after the last of them. Raises `SourceUnavailable` or
        `DatafileRejected` (what was served before is kept), `Stopping`, and as `ready`.
        """
        entry = self._entry(name)
        await entry.reload()
        return entry.status()

    def watch(self, name: str = "") -> AsyncIterator[DatafileStatus]:
        """The status now, then after each change (applied, failed, recovered), until the reader leaves.

        A slow reader skips to the newest. Raises as `ready`, before the first.
        """
        return self._entry(name).watch()

    async def close(self) -> None:
        """Close sources and the worker, after the services have ended. Idempotent."""
        for entry in self._entries.values():
            await entry.close()
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _entry(self, name: str) -> Entry:
        entry = dict(self._by_key()).get(name)
        if entry is not None:
            return entry
        raise DatafileNotFound(name) if name else NoDatafile("")

    def _swap(self, snapshot: Snapshot) -> None:
        """Make a snapshot the current one of its entry, then tell.

        One assignment, so that no call sees a mixture.
        """
        current: dict[str, Snapshot] = {}
        for key, entry in self._by_key():
            if entry.snapshot is not None:
                current[key] = entry.snapshot
        self._current = current
        for tell in self._on_applied:
            tell(snapshot)

    def _by_key(self) -> Iterator[tuple[str, Entry]]:
        """Every key under which an entry is found now; of equal keys the later one counts."""
        for entry in reversed(self._entries.values()):
            for sdk_key in entry.sdk_keys:
                yield sdk_key, entry
        yield from self._entries.items()
        if self._default:
            yield "", self._entries[self._default]

"""`Datafiles`: what a call reads, and what is told about it, whatever the sources do."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sidecar.datafiles import DatafileStatus, LastGood, NamedSource, Snapshot
from sidecar.decision import CompiledDatafile, CompiledFlag, load
from sidecar.errors import (
    ConfigInvalid,
    DatafileNotFound,
    DatafileRejected,
    NoDatafile,
    SourceUnavailable,
    Stopping,
)
from sidecar.values import Pause
from tests.datafiles.conftest import MemorySource, Serve, body_of

VECTORS = Path(__file__).parent.parent / "vectors"
DOWN = SourceUnavailable("datafile `memory:` unavailable: got status 503, wanted 200 or 304")


async def until(watch: AsyncIterator[DatafileStatus], revision: str) -> DatafileStatus:
    async for status in watch:
        if status.revision == revision:
            return status
    raise AssertionError


# --- what a call reads ------------------------------------------------------------------------------------


async def test_current_is_what_the_source_holds(serve: Serve) -> None:
    body = body_of("41", sdk_key="KEYKEYKEY")
    async with serve(NamedSource(name="default", source=MemorySource(body))) as datafiles:
        snapshot = await datafiles.wait_first()
        assert snapshot is datafiles.current()
        assert (snapshot.name, snapshot.revision, snapshot.body_bytes) == ("default", "41", len(body))
        assert snapshot.body() == body
        assert list(snapshot.compiled.flags) == ["search"]


async def test_project_facts_are_those_of_the_datafile(serve: Serve) -> None:
    async with serve(NamedSource(name="default", source=MemorySource(body_of("41")))) as datafiles:
        project = (await datafiles.wait_first()).project
        assert (project.account_id, project.project_id, project.revision) == ("10", "20", "41")
        assert (project.anonymize_ip, project.bot_filtering) == (True, False)
        assert (dict(project.attribute_ids), dict(project.event_ids)) == ({"plan": "31"}, {"purchase": "41"})


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1000, 1_000_000])
async def test_chunks_join_to_the_body_as_loaded(serve: Serve, chunk_bytes: int) -> None:
    body = body_of("41", padding="ä" * 500)
    async with serve(NamedSource(name="default", source=MemorySource(body))) as datafiles:
        chunks = list((await datafiles.wait_first()).body_chunks(chunk_bytes))
    assert b"".join(chunks) == body
    assert {len(chunk) for chunk in chunks[:-1]} <= {chunk_bytes}
    assert 0 < len(chunks[-1]) <= chunk_bytes


async def test_a_datafile_is_found_by_name_by_configured_sdk_key_and_by_its_own(serve: Serve) -> None:
    source = MemorySource(body_of("1", sdk_key="OWN"))
    async with serve(NamedSource(name="web", source=source, sdk_key="CONFIGURED")) as datafiles:
        snapshot = await datafiles.wait_first("CONFIGURED")
        for name in ("", "web", "CONFIGURED", "OWN"):
            assert datafiles.current(name) is snapshot


async def test_a_name_wins_over_an_equal_sdk_key_and_the_first_over_the_second(serve: Serve) -> None:
    first = NamedSource(name="a", source=MemorySource(body_of("1", sdk_key="SHARED")))
    second = NamedSource(name="b", source=MemorySource(body_of("2", sdk_key="SHARED")), sdk_key="a")
    async with serve(first, second) as datafiles:
        await datafiles.wait_first("a")
        await datafiles.wait_first("b")
        assert datafiles.current("a").revision == "1"
        assert datafiles.current("SHARED").revision == "1"


@pytest.mark.parametrize(
    ("names", "default"), [(("a", "default"), "default"), (("b", "a"), "b"), (("a",), "a"), ((), "")]
)
async def test_the_default_is_the_one_of_that_name_else_the_first(
    serve: Serve, names: tuple[str, ...], default: str
) -> None:
    async with serve(*(NamedSource(name=n, source=MemorySource(body_of(n))) for n in names)) as datafiles:
        assert datafiles.default_name == default
        assert datafiles.names == names
        if names:
            assert (await datafiles.wait_first()).revision == default


async def test_an_unknown_name_is_not_found(serve: Serve) -> None:
    async with serve(NamedSource(name="web", source=MemorySource(body_of("1")))) as datafiles:
        for ask in (datafiles.current, datafiles.ready, datafiles.status, datafiles.stats, datafiles.watch):
            with pytest.raises(DatafileNotFound, match="`mobile`"):
                ask("mobile")


async def test_a_datafile_that_never_loaded_is_no_datafile(serve: Serve) -> None:
    source = MemorySource(DOWN)
    async with serve(NamedSource(name="web", source=source)) as datafiles:
        await source.looked.wait()
        for name in ("", "web"):
            assert not datafiles.ready(name)
            with pytest.raises(NoDatafile, match="`web` is not loaded yet"):
                datafiles.current(name)


async def test_without_any_datafile_the_default_is_no_datafile(serve: Serve) -> None:
    async with serve() as datafiles:
        with pytest.raises(NoDatafile, match="no datafile is loaded"):
            datafiles.current()


@pytest.mark.parametrize("names", [("a", "a"), ("",)])
async def test_names_that_are_empty_or_twice_are_refused(serve: Serve, names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigInvalid, match="datafiles: "):
        async with serve(*(NamedSource(name=name, source=MemorySource(b"")) for name in names)):
            pass


# --- changes ----------------------------------------------------------------------------------------------


async def test_a_change_is_applied_and_what_a_call_holds_stays_as_it_is(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        held = await datafiles.wait_first()
        source.put(body_of("2"))
        await until(datafiles.watch(), "2")
        assert datafiles.current().revision == "2"
        assert (held.revision, list(held.compiled.flags)) == ("1", ["search"])


async def test_the_same_content_again_changes_nothing(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        before = await datafiles.wait_first()
        source.applied_version = "forgotten by the source"
        await datafiles.reload()
        assert datafiles.current() is before
        assert (datafiles.stats().applied, datafiles.stats().unchanged) == (1, 1)


async def test_other_content_of_the_same_revision_is_applied_and_said_so(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        before = await datafiles.wait_first()
        source.holds = body_of("1", padding="other")
        with capture_logs() as logs:
            status = await datafiles.reload()
        assert status.content_hash != before.content_hash
        assert [(log["event"], log["revision_reused"]) for log in logs] == [("datafile_applied", True)]


async def test_who_asked_is_told_of_each_application(serve: Serve) -> None:
    told: list[Snapshot] = []
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source), on_applied=[told.append]) as datafiles:
        await datafiles.wait_first()
        source.holds = body_of("2")
        await datafiles.reload()
    assert [snapshot.revision for snapshot in told] == ["1", "2"]


def flags_alive() -> int:
    return sum(isinstance(thing, CompiledFlag) for thing in gc.get_objects())


async def test_a_replaced_snapshot_is_freed_without_the_collector(serve: Serve) -> None:
    body = (VECTORS / "datafile_20_flags.json").read_bytes()
    source = MemorySource(body)
    gc.collect()
    before = flags_alive()
    gc.disable()
    try:
        async with serve(NamedSource(name="default", source=source)) as datafiles:
            await datafiles.wait_first()
            loaded = flags_alive() - before
            for turn in range(1, 4):
                source.holds = body + b" " * turn
                await datafiles.reload()
            assert datafiles.stats().applied == 4
            assert flags_alive() - before == loaded == 20
    finally:
        gc.enable()


# --- failures ---------------------------------------------------------------------------------------------


async def test_a_bad_body_keeps_the_last_good_one_and_says_so(serve: Serve) -> None:
    source = MemorySource(body_of("41"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        good = await datafiles.wait_first()
        source.holds = b'{"half": '
        with capture_logs() as logs, pytest.raises(DatafileRejected):
            await datafiles.reload()
        status = datafiles.status()
        assert datafiles.current() is good
        assert status.stale
        assert status.last_error.startswith("datafile rejected: ")
        assert status.last_error.endswith("; kept revision `41`")
        assert [(log["event"], log["kept"]) for log in logs] == [("datafile_rejected", "kept revision `41`")]


async def test_the_same_bad_body_is_compiled_and_logged_once_and_counted_each_time(serve: Serve) -> None:
    loads: list[bytes] = []

    def counted_load(body: bytes, pause: Pause) -> CompiledDatafile:
        loads.append(body)
        return load(body, pause)

    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source), load=counted_load) as datafiles:
        await datafiles.wait_first()
        source.holds = b"bad"
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(DatafileRejected):
                    await datafiles.reload()
        assert loads == [body_of("1"), b"bad"]
        assert len(logs) == 1
        assert datafiles.stats().rejected == 3


async def test_a_good_body_after_a_bad_one_ends_the_error(serve: Serve) -> None:
    source = MemorySource(b"bad")
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await source.looked.wait()
        source.holds = body_of("2")
        status = await datafiles.reload()
        assert (status.revision, status.stale, status.last_error) == ("2", False, "")


async def test_the_old_body_after_a_bad_one_ends_the_error_too(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        source.holds = b"bad"
        with pytest.raises(DatafileRejected):
            await datafiles.reload()
        source.holds = body_of("1")
        with capture_logs() as logs:
            status = await datafiles.reload()
        assert (status.stale, status.last_error) == (False, "")
        assert [log["event"] for log in logs] == ["datafile_recovered"]


async def test_an_unavailable_source_keeps_the_last_good_one(serve: Serve) -> None:
    source = MemorySource(body_of("7"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        good = await datafiles.wait_first()
        source.holds = DOWN
        with pytest.raises(SourceUnavailable):
            await datafiles.reload()
        assert datafiles.current() is good
        assert datafiles.status().last_error == f"{DOWN}; kept revision `7`"
        assert datafiles.stats().unavailable == 1


async def test_failures_in_a_row_are_told_to_the_source_and_end_with_a_good_look(serve: Serve) -> None:
    source = MemorySource(DOWN)
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await source.looked.wait()
        for holds in (DOWN, b"bad", body_of("1"), body_of("1")):
            source.put(holds)
            await source.looked.wait()
        assert source.failures_seen == [1, 2, 3, 0, 0]
        assert datafiles.ready()


async def test_a_source_that_fails_differently_each_time_does_not_fill_the_log(serve: Serve) -> None:
    source = MemorySource(DOWN)
    with capture_logs() as logs:
        async with serve(NamedSource(name="default", source=source)) as datafiles:
            for turn in range(40):
                source.holds = SourceUnavailable(f"failure {turn}")
                with pytest.raises(SourceUnavailable, match=f"failure {turn}"):
                    await datafiles.reload()
    assert len(logs) == 16


async def test_a_fault_in_the_compiler_costs_one_reload(serve: Serve) -> None:
    def faulty_load(body: bytes, pause: Pause) -> CompiledDatafile:
        if b'"revision": "2"' in body:
            raise KeyError("variations")
        return load(body)

    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source), load=faulty_load) as datafiles:
        await datafiles.wait_first()
        source.holds = body_of("2")
        with pytest.raises(DatafileRejected, match="KeyError: 'variations'"):
            await datafiles.reload()
        source.holds = body_of("3")
        assert (await datafiles.reload()).revision == "3"


async def test_a_fault_in_a_source_costs_one_look(serve: Serve) -> None:
    source = MemorySource(ZeroDivisionError("fault"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await source.looked.wait()
        assert "memory:: ZeroDivisionError: fault" in datafiles.status().last_error
        source.holds = body_of("1")
        assert (await datafiles.reload()).revision == "1"


async def test_one_datafile_fails_and_the_other_is_untouched(serve: Serve) -> None:
    well, ill = MemorySource(body_of("1")), MemorySource(body_of("9"))
    async with serve(NamedSource(name="a", source=ill), NamedSource(name="b", source=well)) as datafiles:
        await datafiles.wait_first("a")
        await datafiles.wait_first("b")
        ill.holds = b"bad"
        with pytest.raises(DatafileRejected):
            await datafiles.reload("a")
        well.holds = body_of("2")
        assert (await datafiles.reload("b")).revision == "2"
        assert (datafiles.status("a").stale, datafiles.status("b").stale) == (True, False)
        assert (datafiles.current("a").revision, datafiles.current("b").revision) == ("9", "2")


# --- reload and watch -------------------------------------------------------------------------------------


async def test_a_reload_of_unchanged_content_returns(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        reads = source.reads
        assert (await datafiles.reload()).revision == "1"
        assert source.reads == reads + 1


async def test_reloads_during_a_look_share_the_next_one(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        await source.looked.wait()
        reads, source.held_back = source.reads, asyncio.Event()
        source.reading.clear()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(datafiles.reload())
            await source.reading.wait()
            later = [group.create_task(datafiles.reload()) for _ in range(5)]
            await asyncio.sleep(0)
            source.holds = body_of("2")
            source.held_back.set()
        assert {task.result().revision for task in [first, *later]} == {"2"}
        assert source.reads == reads + 2


async def test_a_caller_that_leaves_does_not_stop_its_reload(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        source.holds, source.held_back = body_of("2"), asyncio.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await datafiles.reload()
        watch = datafiles.watch()
        source.held_back.set()
        assert (await until(watch, "2")).stale is False


async def test_reloads_end_with_the_service(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        source.held_back = asyncio.Event()
        waiting = asyncio.ensure_future(datafiles.reload())
        await asyncio.sleep(0)
    with pytest.raises(Stopping):
        await waiting
    with pytest.raises(Stopping):
        await datafiles.reload()
    assert source.closed


async def test_watch_begins_with_the_current_status_even_of_nothing(serve: Serve) -> None:
    source = MemorySource(DOWN)
    async with serve(NamedSource(name="default", source=source, sdk_key="ABCDEFGHIJKLMNOP")) as datafiles:
        await source.looked.wait()
        status = await anext(aiter(datafiles.watch()))
        assert (status.revision, status.stale, status.sdk_key) == ("", True, "ABCD…")
        assert status.last_error == f"{DOWN}; no datafile is served"


async def test_a_slow_watcher_skips_to_the_newest(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        watch = datafiles.watch()
        assert (await anext(watch)).revision == "1"
        for revision in ("2", "3", "4"):
            source.holds = body_of(revision)
            await datafiles.reload()
        assert (await anext(watch)).revision == "4"


async def test_watch_tells_of_an_error_and_of_its_end(serve: Serve) -> None:
    source = MemorySource(body_of("1"))
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        watch = datafiles.watch()
        assert not (await anext(watch)).stale
        source.put(DOWN)
        assert (await anext(watch)).stale
        source.put(body_of("1"))
        assert not (await anext(watch)).stale


# --- the copy on disk -------------------------------------------------------------------------------------


async def served_once(serve: Serve, last_good: LastGood, body: bytes) -> None:
    async with serve(NamedSource(name="web", source=MemorySource(body)), last_good=last_good) as datafiles:
        await datafiles.wait_first()
        await datafiles.reload()


async def test_at_start_the_copy_is_served_while_the_source_is_down(serve: Serve, last_good: LastGood) -> None:
    await served_once(serve, last_good, body_of("5"))
    source = MemorySource(DOWN)
    with capture_logs() as logs:
        async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
            assert (await datafiles.wait_first()).revision == "5"
            status = datafiles.status()
            assert (status.from_cache, status.stale) == (True, True)
            assert "datafile_loaded_from_cache" in [log["event"] for log in logs]
            source.holds = body_of("6")
            status = await datafiles.reload()
            assert (status.revision, status.from_cache, status.stale) == ("6", False, False)


async def test_the_source_that_confirms_the_copy_ends_its_staleness(serve: Serve, last_good: LastGood) -> None:
    await served_once(serve, last_good, body_of("5"))
    source = MemorySource(DOWN)
    async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
        from_copy = await datafiles.wait_first()
        source.holds = body_of("5")
        status = await datafiles.reload()
        assert (status.from_cache, status.stale) == (False, False)
        assert datafiles.current() is from_copy
        assert source.applied_version == str(hash(body_of("5")))


async def test_at_start_the_copy_is_served_when_the_body_is_bad(serve: Serve, last_good: LastGood) -> None:
    await served_once(serve, last_good, body_of("5"))
    source = MemorySource(b"bad")
    async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
        assert (await datafiles.wait_first()).revision == "5"


async def test_at_start_a_source_that_takes_long_is_waited_for_behind_the_copy(
    serve: Serve, last_good: LastGood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.datafiles.entry.FIRST_READ_S", 0.02)
    await served_once(serve, last_good, body_of("5"))
    source = MemorySource(body_of("6"), held_back=asyncio.Event())
    async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
        assert (await datafiles.wait_first()).revision == "5"
        assert source.held_back is not None
        source.held_back.set()
        assert (await until(datafiles.watch(), "6")).stale is False


async def test_the_source_wins_over_the_copy_at_start(serve: Serve, last_good: LastGood) -> None:
    await served_once(serve, last_good, body_of("5"))
    source = MemorySource(body_of("4"))
    async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
        assert (await datafiles.wait_first()).revision == "4"


@pytest.mark.parametrize("bad", [b"bad", b"{}", DOWN])
async def test_what_is_not_applied_is_not_kept(
    serve: Serve, last_good: LastGood, bad: bytes | SourceUnavailable
) -> None:
    source = MemorySource(body_of("5"))
    async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
        await datafiles.wait_first()
        source.holds = bad
        with pytest.raises((DatafileRejected, SourceUnavailable)):
            await datafiles.reload()
    assert last_good.read("web") == body_of("5")


async def test_the_copy_of_another_source_is_not_served(serve: Serve, last_good: LastGood) -> None:
    await served_once(serve, last_good, body_of("5"))
    source = MemorySource(DOWN)
    moved = NamedSource(name="web", source=source, sdk_key="ANOTHER")
    async with serve(moved, last_good=last_good) as datafiles:
        await source.looked.wait()
        assert not datafiles.ready()


async def test_a_copy_that_cannot_be_kept_is_counted_and_the_datafile_served(serve: Serve, last_good: LastGood) -> None:
    last_good._directory.parent.write_bytes(b"a file where the directory should be")
    source = MemorySource(body_of("5"))
    async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
        with capture_logs() as logs:
            await datafiles.reload()
        assert datafiles.current().revision == "5"
        assert datafiles.stats().copies_failed == 1
        assert "datafile_copy_failed" in [log["event"] for log in logs]


async def test_a_copy_that_no_longer_compiles_is_said_and_passed_over(serve: Serve, last_good: LastGood) -> None:
    await served_once(serve, last_good, body_of("5"))
    last_good._paths("web")[0].write_bytes(b"bit rot")
    source = MemorySource(DOWN)
    with capture_logs() as logs:
        async with serve(NamedSource(name="web", source=source), last_good=last_good) as datafiles:
            await source.looked.wait()
            assert not datafiles.ready()
    assert "datafile_copy_unusable" in [log["event"] for log in logs]

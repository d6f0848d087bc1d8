"""`FileSource` on real files with the real watches.

The poll interval is an hour where an event must do, so that only the event can; each wait is bounded.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.errors import SourceUnavailable
from sidecar.limits import DATAFILE_BYTES_MAX
from sidecar.sources.file import FileSource, FileSourceSection, watch_points
from sidecar.sources.watching import DirectoryWatches
from sidecar.values import PIECE_BYTES

HOUR_S = 3600.0
EVENT_S = 5.0
"""Far above what an event takes, far below the poll interval."""


def source_of(path: Path, watches: DirectoryWatches | None, poll_interval_s: float = HOUR_S) -> FileSource:
    return FileSource(FileSourceSection(path=path, poll_interval_s=poll_interval_s), watches=watches)


async def apply(source: FileSource) -> bytes:
    fetched = await source.read()
    assert fetched is not None
    source.applied(fetched)
    return fetched.body


async def next_body(source: FileSource) -> bytes:
    """The next body that differs from the applied one; looks again whenever the source says so."""
    async with asyncio.timeout(EVENT_S):
        while True:
            await source.changed(0)
            try:
                fetched = await source.read()
            except SourceUnavailable:
                continue
            if fetched is not None:
                source.applied(fetched)
                return fetched.body


async def next_error(source: FileSource) -> str:
    """The message of the next read that fails; looks again whenever the source says so."""
    async with asyncio.timeout(EVENT_S):
        while True:
            await source.changed(0)
            try:
                await source.read()
            except SourceUnavailable as error:
                return str(error)


def replace(path: Path, body: bytes) -> None:
    fresh = path.with_name(path.name + ".tmp")
    fresh.write_bytes(body)
    fresh.replace(path)


class ConfigMap:
    """A volume as the kubelet writes it: `..data` points at a directory of its own for each revision."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.turn = directory, 0
        directory.mkdir()

    def write(self, body: bytes) -> None:
        self.turn += 1
        fresh = self.directory / f"..2026_{self.turn}"
        fresh.mkdir()
        (fresh / "datafile.json").write_bytes(body)
        data = self.directory / "..data"
        old = data.resolve() if data.is_symlink() else None
        link = self.directory / "..data_tmp"
        link.symlink_to(fresh.name)
        link.replace(data)
        visible = self.directory / "datafile.json"
        if not visible.is_symlink():
            visible.symlink_to("..data/datafile.json")
        if old is not None:
            shutil.rmtree(old)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mount" / "datafile.json"
    path.parent.mkdir()
    path.write_bytes(b"one")
    return path


async def test_a_body_that_was_applied_is_not_given_again(path: Path) -> None:
    source = source_of(path, None)
    assert await apply(source) == b"one"
    assert await source.read() is None


async def test_a_body_that_was_not_applied_is_given_again(path: Path) -> None:
    source = source_of(path, None)
    first, second = await source.read(), await source.read()
    assert first == second
    assert first is not None


def test_a_poll_without_pause_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"poll_interval_s is 0.0, wanted at least 0.05"):
        FileSourceSection(path=path, poll_interval_s=0.0)


async def test_location_is_the_absolute_path(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert source_of(Path("datafile.json"), None).location == str(path)


async def test_an_atomic_rename_is_seen(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    replace(path, b"two")
    assert await next_body(source) == b"two"


async def test_a_rename_from_another_directory_is_seen(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    elsewhere = path.parent.parent / "elsewhere.json"
    elsewhere.write_bytes(b"two")
    elsewhere.replace(path)
    assert await next_body(source) == b"two"


async def test_a_write_in_place_is_seen(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    path.write_bytes(b"two")
    assert await next_body(source) == b"two"


async def test_a_file_written_in_two_halves_is_seen_whole_in_the_end(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    with path.open("wb") as file:
        file.write(b"first half, ")
        file.flush()
        assert await next_body(source) == b"first half, "
        file.write(b"second half")
    assert await next_body(source) == b"first half, second half"


async def test_a_change_between_read_and_wait_is_seen(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    fetched = await source.read()
    path.write_bytes(b"two")
    assert fetched is not None
    source.applied(fetched)
    assert await next_body(source) == b"two"


async def test_config_map_swaps_are_seen(tmp_path: Path, watches: DirectoryWatches) -> None:
    config_map = ConfigMap(tmp_path / "mount")
    config_map.write(b"1")
    source = source_of(tmp_path / "mount" / "datafile.json", watches)
    assert await apply(source) == b"1"
    for body in (b"2", b"3", b"4"):
        config_map.write(body)
        assert await next_body(source) == body


async def test_config_map_swaps_are_seen_through_the_path_of_the_data_directory(
    tmp_path: Path, watches: DirectoryWatches
) -> None:
    config_map = ConfigMap(tmp_path / "mount")
    config_map.write(b"1")
    source = source_of(tmp_path / "mount" / "..data" / "datafile.json", watches)
    await apply(source)
    config_map.write(b"2")
    assert await next_body(source) == b"2"


async def test_a_file_mounted_by_sub_path_is_seen_by_the_poll(tmp_path: Path, watches: DirectoryWatches) -> None:
    # A second name of one inode in another directory: as with the bind mount of a subPath, the mounted directory has no
    # event of a write to it.
    (tmp_path / "volume").mkdir()
    (tmp_path / "mount").mkdir()
    volume, mounted = tmp_path / "volume" / "d.json", tmp_path / "mount" / "d.json"
    volume.write_bytes(b"one")
    mounted.hardlink_to(volume)
    source = source_of(mounted, watches, poll_interval_s=0.1)
    await apply(source)
    volume.write_bytes(b"two")
    assert await next_body(source) == b"two"


async def test_a_write_behind_a_symbolic_link_is_seen(tmp_path: Path, watches: DirectoryWatches) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "d.json"
    target.write_bytes(b"one")
    link = tmp_path / "link.json"
    link.symlink_to(target)
    source = source_of(link, watches)
    await apply(source)
    target.write_bytes(b"two")
    assert await next_body(source) == b"two"


async def test_another_target_of_a_linked_directory_is_seen(tmp_path: Path, watches: DirectoryWatches) -> None:
    for name in ("blue", "green"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "d.json").write_bytes(name.encode())
    current = tmp_path / "current"
    current.symlink_to("blue")
    source = source_of(current / "d.json", watches)
    assert await apply(source) == b"blue"
    fresh = tmp_path / "fresh"
    fresh.symlink_to("green")
    fresh.replace(current)
    assert await next_body(source) == b"green"


async def test_deletion_and_recreation_are_seen(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    path.unlink()
    assert "it does not exist, wanted a readable file" in await next_error(source)
    path.write_bytes(b"two")
    assert await next_body(source) == b"two"


async def test_a_directory_in_place_of_the_file_is_an_error_until_the_file_is_back(
    path: Path, watches: DirectoryWatches
) -> None:
    source = source_of(path, watches)
    await apply(source)
    path.unlink()
    path.mkdir()
    assert "it is a directory" in await next_error(source)
    path.rmdir()
    path.write_bytes(b"two")
    assert await next_body(source) == b"two"


@contextmanager
def unprivileged() -> Iterator[None]:
    """Tests may run as root, whom no mode stops."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_file_made_unreadable_is_an_error_until_it_is_readable(path: Path, watches: DirectoryWatches) -> None:
    ours = Path(tempfile.gettempdir())
    for directory in path.parents:
        if directory != ours and directory.is_relative_to(ours):
            directory.chmod(directory.stat().st_mode | 0o055)
    source = source_of(path, watches)
    with unprivileged():
        await apply(source)
    path.chmod(0o000)
    with unprivileged():
        assert "it cannot be read (Permission denied)" in await next_error(source)
    path.chmod(0o644)
    with unprivileged():
        async with asyncio.timeout(EVENT_S):
            await source.changed(1)
            assert await source.read() is None


async def test_a_directory_missing_at_start_is_seen_when_it_is_made(tmp_path: Path, watches: DirectoryWatches) -> None:
    path = tmp_path / "not" / "yet" / "datafile.json"
    source = source_of(path, watches)
    with pytest.raises(SourceUnavailable, match=f"its directory `{tmp_path}/not` does not exist"):
        await source.read()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"one")
    assert await next_body(source) == b"one"


async def test_a_directory_deleted_and_made_again_is_watched_again(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    for body in (b"two", b"three"):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        path.write_bytes(body)
        assert await next_body(source) == body
    replace(path, b"four")
    assert await next_body(source) == b"four"


async def test_the_poll_alone_recovers_what_no_event_told(path: Path) -> None:
    source = source_of(path, None, poll_interval_s=0.05)
    await apply(source)
    path.unlink()
    assert "does not exist" in await next_error(source)
    path.write_bytes(b"two")
    assert await next_body(source) == b"two"


async def test_other_files_of_the_directory_cause_no_look(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    busy = source_of(path.with_name("busy.json"), watches)
    with pytest.raises(SourceUnavailable):
        await busy.read()
    path.with_name("busy.json").write_bytes(b"x")
    # The event of the other file has arrived, and events come in order: ours would have been here.
    assert await next_body(busy) == b"x"
    assert not source._changed.is_set()


async def test_our_own_reads_cause_no_look(path: Path, watches: DirectoryWatches) -> None:
    source, other = source_of(path, watches), source_of(path.with_name("other.json"), watches)
    await apply(source)
    await source.read()
    with pytest.raises(SourceUnavailable):
        await other.read()
    path.with_name("other.json").write_bytes(b"x")
    assert await next_body(other) == b"x"
    assert not source._changed.is_set()


async def test_two_sources_of_one_directory_share_its_watch_and_both_see_their_file(
    path: Path, watches: DirectoryWatches
) -> None:
    second = path.with_name("second.json")
    second.write_bytes(b"x")
    sources = source_of(path, watches), source_of(second, watches)
    for source in sources:
        await apply(source)
    assert len(watches._watches) == 1
    await sources[0].close()
    second.write_bytes(b"y")
    assert await next_body(sources[1]) == b"y"


async def test_closing_the_last_source_leaves_no_watch(path: Path, watches: DirectoryWatches) -> None:
    source = source_of(path, watches)
    await apply(source)
    await source.close()
    await source.close()
    assert watches._watches == {}
    assert not watches._observer.emitters


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def make_large(path: Path) -> None:
    os.truncate(path, DATAFILE_BYTES_MAX + 1)


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing")


def make_directory_a_file(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_empty, "it is empty"),
        (make_large, f"it has {DATAFILE_BYTES_MAX + 1} bytes"),
        (make_fifo, "it is no regular file"),
        (link_to_itself, "it cannot be read (Too many levels of"),
        (link_to_nothing, "it links to nothing"),
        (make_directory_a_file, "its directory `"),
    ],
)
async def test_what_is_no_datafile_is_named(path: Path, make: Callable[[Path], None], words: str) -> None:
    make(path)
    with pytest.raises(SourceUnavailable) as caught:
        await source_of(path, None).read()
    assert words in str(caught.value)
    assert f"datafile `{path}` unavailable: " in str(caught.value)
    assert f"wanted a readable file of 1 to {DATAFILE_BYTES_MAX} bytes" in str(caught.value)


def test_every_link_on_the_way_is_watched(tmp_path: Path) -> None:
    ConfigMap(tmp_path / "mount").write(b"1")
    real = tmp_path.resolve()
    assert watch_points(real / "mount" / "datafile.json") == {
        str(real / "mount"): frozenset({"datafile.json", "..data"}),
        str(real / "mount" / "..2026_1"): frozenset({"datafile.json"}),
    }


async def test_a_file_is_read_in_pieces_with_pauses_once_it_was_applied(tmp_path: Path) -> None:
    path = tmp_path / "datafile.json"
    path.write_bytes(b"a" * (3 * PIECE_BYTES + 1))
    pauses: list[int] = []
    section = FileSourceSection(path=path, poll_interval_s=HOUR_S)
    source = FileSource(section, watches=None, gently=lambda: lambda: pauses.append(1))
    assert await apply(source) == path.read_bytes()
    assert not pauses
    path.write_bytes(b"b" * (3 * PIECE_BYTES + 1))
    assert await apply(source) == path.read_bytes()
    # Four pieces, each read and hashed.
    assert len(pauses) == 8
    await source.close()

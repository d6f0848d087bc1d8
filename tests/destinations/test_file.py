"""JSON lines in a file: rotation, torn tails, disks that refuse."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from sidecar.destinations.file import FileConfig, FileDestination
from sidecar.events.model import Event
from sidecar.retry import Verdict
from tests.destinations.batches import a_batch
from tests.events.samples import a_track, one_of_each


class Shelf:
    """Makes file destinations on one path and closes them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: list[FileDestination] = []

    def open(self, **config: Any) -> FileDestination:
        self._made.append(FileDestination("file", FileConfig(path=self.path, **config)))
        return self._made[-1]

    async def close(self) -> None:
        for destination in self._made:
            await destination.close()

    def ids(self, path: Path | None = None) -> list[str]:
        return [json.loads(line)["event_id"] for line in (path or self.path).read_bytes().splitlines()]


@pytest_asyncio.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    made = Shelf(tmp_path / "events.jsonl")
    yield made
    await made.close()


def tracks(*names: str) -> Iterable[Event]:
    return [a_track(event_id=name) for name in names]


async def test_each_event_is_a_line(shelf: Shelf) -> None:
    destination = shelf.open()
    assert (await destination.send(a_batch(destination, *one_of_each()))).verdict is Verdict.DELIVERED
    lines = shelf.path.read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == [
        "impression",
        "track",
        "identify",
        "page",
        "screen",
        "group",
        "alias",
    ]


async def test_it_rotates_between_batches_and_keeps_so_many_files(shelf: Shelf) -> None:
    destination = shelf.open(file_bytes_max=800, files_max=3)
    for number in range(9):
        await destination.send(a_batch(destination, *tracks(f"a{number}", f"b{number}")))
    names = sorted(path.name for path in shelf.path.parent.iterdir())
    assert names == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"]
    oldest_first = [shelf.path.with_name(name) for name in ("events.jsonl.2", "events.jsonl.1", "events.jsonl")]
    kept = [name for path in oldest_first for name in shelf.ids(path)]
    assert kept == [f"{letter}{number}" for number in range(9) for letter in "ab"][-len(kept) :]
    assert all(path.stat().st_size <= 800 for path in oldest_first)
    assert len(kept) >= 6


async def test_one_file_is_kept_when_one_is_wanted(shelf: Shelf) -> None:
    destination = shelf.open(file_bytes_max=500, files_max=1)
    for name in ("a", "b", "c", "d"):
        await destination.send(a_batch(destination, *tracks(name)))
    assert [path.name for path in shelf.path.parent.iterdir()] == ["events.jsonl"]
    assert shelf.ids()[-1] == "d"


@pytest.mark.parametrize("cut", [1, 2, 100, 10_000])
async def test_a_torn_tail_is_cut_away_at_open_and_its_batch_comes_again(shelf: Shelf, cut: int) -> None:
    first = shelf.open()
    await first.send(a_batch(first, *tracks("a", "b")))
    whole = shelf.path.read_bytes()
    big = a_batch(first, *[a_track(event_id="c", properties={"t": "x" * 100_000})]).rendered[0]
    # What a kill in the middle of a write leaves.
    shelf.path.write_bytes(whole + big[:-cut])
    again = shelf.open()
    with capture_logs() as logs:
        await again.send(a_batch(again, *tracks("c", "d")))
    assert shelf.ids() == ["a", "b", "c", "d"]
    assert not logs or logs[0]["event"] == "file_tail_repaired"


async def test_a_file_that_is_one_torn_line_becomes_empty(shelf: Shelf) -> None:
    shelf.path.write_bytes(b'{"schema_version":1,"kind":"tr' + b"x" * 200_000)
    destination = shelf.open()
    await destination.send(a_batch(destination, *tracks("a")))
    assert shelf.ids() == ["a"]


async def test_a_full_disk_leaves_no_half_line_and_is_tried_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = shelf.open()
    await destination.send(a_batch(destination, *tracks("a")))
    write, room = os.write, 30

    def until_full(file: int, lines: Any) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        taken = write(file, lines[:room])
        room -= taken
        return taken

    monkeypatch.setattr("sidecar.destinations.lines.os.write", until_full)
    answer = await destination.send(a_batch(destination, *tracks("b")))
    assert (answer.verdict, "No space left" in answer.detail) == (Verdict.RETRY, True)
    assert shelf.ids() == ["a"]
    monkeypatch.undo()
    await destination.send(a_batch(destination, *tracks("b")))
    assert shelf.ids() == ["a", "b"]


async def test_a_disk_that_does_not_take_the_half_line_back_merges_no_lines(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = shelf.open()
    await destination.send(a_batch(destination, *tracks("a")))
    write = os.write

    def torn(file: int, lines: Any) -> int:
        write(file, lines[:30])
        raise OSError(5, "Input/output error")

    def stuck(file: int, size: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("sidecar.destinations.lines.os.write", torn)
    monkeypatch.setattr("sidecar.destinations.lines.os.ftruncate", stuck)
    assert (await destination.send(a_batch(destination, *tracks("b")))).verdict is Verdict.RETRY
    monkeypatch.undo()
    with capture_logs() as logs:
        assert (await destination.send(a_batch(destination, *tracks("b")))).verdict is Verdict.DELIVERED
    assert shelf.ids() == ["a", "b"]
    assert [line["event"] for line in logs] == ["file_tail_repaired"]


async def test_a_file_moved_away_is_made_anew(shelf: Shelf) -> None:
    destination = shelf.open()
    await destination.send(a_batch(destination, *tracks("a")))
    moved = shelf.path.rename(shelf.path.with_name("moved"))
    await destination.send(a_batch(destination, *tracks("b")))
    assert (shelf.ids(moved), shelf.ids()) == (["a"], ["b"])


async def test_a_missing_directory_is_tried_again(shelf: Shelf) -> None:
    shelf.path = shelf.path.parent / "later" / "events.jsonl"
    destination = shelf.open()
    answer = await destination.send(a_batch(destination, *tracks("a")))
    assert (answer.verdict, "No such file" in answer.detail) == (Verdict.RETRY, True)
    shelf.path.parent.mkdir()
    assert (await destination.send(a_batch(destination, *tracks("a")))).verdict is Verdict.DELIVERED


async def test_a_batch_is_on_the_disk_before_it_is_delivered_unless_told_otherwise(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = 0

    def count(_file: int) -> None:
        nonlocal synced
        synced += 1

    monkeypatch.setattr("sidecar.destinations.lines.os.fdatasync", count)
    for fsync, expected in ((True, 1), (False, 0)):
        synced = 0
        destination = shelf.open(fsync=fsync)
        await destination.send(a_batch(destination, *tracks("a")))
        assert synced == expected


async def test_after_close_nothing_is_written(shelf: Shelf) -> None:
    destination = shelf.open()
    await destination.send(a_batch(destination, *tracks("a")))
    await destination.close()
    await destination.close()
    answer = await destination.send(a_batch(destination, *tracks("b")))
    assert (answer.verdict, shelf.ids()) == (Verdict.RETRY, ["a"])

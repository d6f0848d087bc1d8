"""The copy on disk: whole, durable, and never another source's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sidecar.datafiles import LastGood
from sidecar.values import PIECE_BYTES


def files_of(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_what_was_kept_is_read(last_good: LastGood) -> None:
    last_good.keep("web", "origin", b"body")
    assert last_good.holds("web", "origin")
    assert last_good.read("web") == b"body"


def test_the_newest_is_read(last_good: LastGood) -> None:
    last_good.keep("web", "origin", b"one")
    last_good.keep("web", "origin", b"two")
    assert last_good.read("web") == b"two"


@pytest.mark.parametrize("name", ["../../escape", "a/b", "..", "ümlaut", "with space"])
def test_any_name_is_a_file_of_the_directory(tmp_path: Path, name: str) -> None:
    last_good = LastGood(tmp_path / "datafiles")
    last_good.keep(name, "origin", b"body")
    assert last_good.read(name) == b"body"
    assert files_of(tmp_path) == {"datafiles"}
    assert len(files_of(tmp_path / "datafiles")) == 2


def test_the_name_of_the_file_is_the_name_of_the_datafile(tmp_path: Path) -> None:
    LastGood(tmp_path).keep("default", "origin", b"body")
    assert (tmp_path / "default.json").read_bytes() == b"body"


def test_the_copy_of_another_origin_is_not_held(last_good: LastGood) -> None:
    last_good.keep("web", "one project", b"body")
    assert not last_good.holds("web", "another project")


def test_an_empty_copy_is_not_held(last_good: LastGood) -> None:
    last_good.keep("web", "origin", b"body")
    os.truncate(last_good._paths("web")[0], 0)
    assert not last_good.holds("web", "origin")


@pytest.mark.parametrize("replacements", [0, 1])
def test_a_crash_on_the_way_to_another_origin_leaves_no_copy_of_the_wrong_one(
    last_good: LastGood, monkeypatch: pytest.MonkeyPatch, replacements: int
) -> None:
    last_good.keep("web", "old", b"old body")
    replace = Path.replace
    left = replacements

    def crash(path: Path, target: Path) -> Path:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        last_good.keep("web", "new", b"new body")
    assert not last_good.holds("web", "old")
    assert not last_good.holds("web", "new")


def test_a_crash_before_the_rename_leaves_the_copy_as_it_was(
    last_good: LastGood, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_good.keep("web", "origin", b"one")

    def crash(path: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        last_good.keep("web", "origin", b"two")
    assert last_good.holds("web", "origin")
    assert last_good.read("web") == b"one"


def test_a_copy_and_its_directory_are_for_us_alone(tmp_path: Path) -> None:
    LastGood(tmp_path / "datafiles").keep("web", "origin", b"body")
    assert (tmp_path / "datafiles").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "datafiles" / "web.json").stat().st_mode & 0o777 == 0o600


def test_a_large_copy_is_written_in_pieces(tmp_path: Path) -> None:
    body, pauses = b"x" * (2 * PIECE_BYTES + 1), list[int]()
    last_good = LastGood(tmp_path)
    last_good.keep("web", "origin", b"")
    last_good.keep("web", "origin", body, lambda: pauses.append(1))
    assert last_good.read("web") == body
    assert len(pauses) == 3

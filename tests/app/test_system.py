"""The machine's own parts: the token file, ids, and the lock of the data directory."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from sidecar.app.system import RandomIds, SystemClock, TokenFile, locked
from sidecar.errors import ConfigInvalid, DataDirectoryLocked
from tests.support.daemon import ROOT


class SteppedClock(SystemClock):
    """The machine's clock, but its seconds pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_s(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


def rotate(file: Path, text: str) -> None:
    """Write another token, with a time of change that differs however coarse the file system's clock is."""
    file.write_text(text)
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1_000_000))


# --- the token ----------------------------------------------------------------------------------------------------


def test_token_is_the_file_s_without_blanks_around_it(file: Path, clock: SteppedClock) -> None:
    assert TokenFile(file, clock)() == "first"


def test_rotated_token_counts_within_two_seconds(file: Path, clock: SteppedClock) -> None:
    token = TokenFile(file, clock)
    rotate(file, "second")
    assert token() == "first"
    clock.seconds = 2.0
    assert token() == "second"


@pytest.mark.parametrize("damage", ["gone", "empty", "no text"])
def test_last_token_is_kept_when_the_file_says_none(file: Path, clock: SteppedClock, damage: str) -> None:
    token = TokenFile(file, clock)
    if damage == "gone":
        file.unlink()
    elif damage == "empty":
        rotate(file, " \n")
    else:
        file.write_bytes(b"\xff\xfe")
        os.utime(file, ns=(0, 1))
    clock.seconds = 2.0
    assert token() == "first"
    rotate(file, "third")
    clock.seconds = 4.0
    assert token() == "third"


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_token_file_must_hold_one_at_the_start(tmp_path: Path, clock: SteppedClock, text: str | None) -> None:
    file = tmp_path / "token"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigInvalid, match=r"token_file `.*token` cannot be used: "):
        TokenFile(file, clock)


# --- ids ----------------------------------------------------------------------------------------------------------


def test_ids_are_version_4_uuids_and_never_the_same() -> None:
    ids = RandomIds()
    made = [ids.new() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    for text in made:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)


# --- the data directory -------------------------------------------------------------------------------------------


def test_data_directory_is_made_for_its_user_alone(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "data"
    with locked(directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(DataDirectoryLocked) as refused, locked(tmp_path):
        pass
    assert refused.value.holder.startswith(f"pid {os.getpid()}, since 20")
    with locked(tmp_path):
        pass


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from sidecar.app.system import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False)
    assert ran.returncode == -9
    assert (tmp_path / "LOCK").read_text().startswith("pid ")
    with locked(tmp_path):
        pass


def test_full_disk_costs_the_lock_its_holder_s_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with locked(tmp_path), pytest.raises(DataDirectoryLocked, match="another process"), locked(tmp_path):
        pass


def test_directory_that_cannot_be_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigInvalid, match=r"data_dir `.*` cannot be used: Not a directory"),
        locked(tmp_path / "file" / "d"),
    ):
        pass

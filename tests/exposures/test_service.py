"""Exposures over time and over restarts: the window, the file, and what happens when the file is damaged or refused."""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sidecar.exposures import Exposures, ExposuresSection
from sidecar.exposures.service import FILE_NAME

DAY_S = 24 * 3600.0


class TurnedClock:
    """Time that tests turn by hand."""

    def __init__(self) -> None:
        self.wall_ms, self.passed_s = 1_700_000_000_000, 1_000.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic_s(self) -> float:
        return self.passed_s

    def pass_s(self, seconds: float) -> None:
        self.passed_s += seconds
        self.wall_ms += int(seconds * 1_000)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


def section(**changed: float) -> ExposuresSection:
    small: dict[str, Any] = {"remember": True, "bytes_max": 65_536, "window_s": 30 * DAY_S}
    return ExposuresSection(**{**small, **changed})


async def opened(directory: Path, clock: TurnedClock, **changed: float) -> Exposures:
    exposures = Exposures(section(**changed), directory=directory, clock=clock)
    await exposures.open()
    return exposures


async def left_by_another_process(directory: Path, clock: TurnedClock, **changed: float) -> Path:
    """The file of a process that recorded one exposure and stopped."""
    exposures = await opened(directory, clock, **changed)
    exposures.record("ada", "exp")
    await exposures.close()
    return directory / FILE_NAME


async def test_a_conversion_of_any_experiment_of_an_event_counts(tmp_path: Path, clock: TurnedClock) -> None:
    exposures = await opened(tmp_path, clock)
    exposures.record("ada", "exp-2")
    assert exposures.seen("ada", ("exp-1", "exp-2"))
    assert not exposures.seen("ada", ("exp-1", "exp-3"))
    assert not exposures.seen("bob", ("exp-1", "exp-2"))
    assert not exposures.seen("ada", ())


async def test_an_impression_of_no_experiment_is_not_recorded(tmp_path: Path, clock: TurnedClock) -> None:
    exposures = await opened(tmp_path, clock)
    exposures.record("ada", "")
    assert exposures.recorded == 0
    assert not exposures.seen("ada", ("",))


async def test_an_exposure_is_remembered_for_the_window_and_little_longer(tmp_path: Path, clock: TurnedClock) -> None:
    exposures = await opened(tmp_path, clock)
    exposures.record("ada", "exp")
    clock.pass_s(30 * DAY_S)
    assert exposures.seen("ada", ("exp",))
    clock.pass_s(0.3 * DAY_S)
    assert not exposures.seen("ada", ("exp",))


async def test_a_wall_clock_that_steps_changes_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    exposures = await opened(tmp_path, clock)
    exposures.record("ada", "exp")
    clock.wall_ms += 10 * 365 * 24 * 3_600_000
    assert exposures.seen("ada", ("exp",))
    clock.wall_ms = 0
    assert exposures.seen("ada", ("exp",))


# --- restarts -----------------------------------------------------------------------------------------------------


async def test_exposures_survive_a_restart(tmp_path: Path, clock: TurnedClock) -> None:
    await left_by_another_process(tmp_path, clock)
    clock.passed_s = 5.0
    with capture_logs() as logs:
        exposures = await opened(tmp_path, clock)
    assert exposures.seen("ada", ("exp",))
    assert not exposures.seen("bob", ("exp",))
    assert [(one["event"], one.get("remembered")) for one in logs] == [("exposures_restored", 1)]


async def test_the_window_goes_on_while_nothing_runs(tmp_path: Path, clock: TurnedClock) -> None:
    await left_by_another_process(tmp_path, clock)
    clock.pass_s(20 * DAY_S)
    exposures = await opened(tmp_path, clock)
    assert exposures.seen("ada", ("exp",))
    clock.pass_s(9.9 * DAY_S)
    assert exposures.seen("ada", ("exp",))
    clock.pass_s(0.5 * DAY_S)
    assert not exposures.seen("ada", ("exp",))


async def test_many_restarts_make_the_window_no_longer(tmp_path: Path, clock: TurnedClock) -> None:
    await left_by_another_process(tmp_path, clock)
    for _ in range(60):
        exposures = await opened(tmp_path, clock)
        assert exposures.seen("ada", ("exp",))
        clock.pass_s(0.5 * DAY_S - 60)
        exposures.record("bob", "exp")
        await exposures.close()
        clock.pass_s(60)
    exposures = await opened(tmp_path, clock)
    clock.pass_s(0.4 * DAY_S)
    assert not exposures.seen("ada", ("exp",))
    assert exposures.seen("bob", ("exp",))


async def test_a_wall_clock_that_was_set_back_makes_no_exposure_younger(tmp_path: Path, clock: TurnedClock) -> None:
    await left_by_another_process(tmp_path, clock)
    clock.wall_ms = 0
    exposures = await opened(tmp_path, clock)
    assert exposures.seen("ada", ("exp",))
    clock.pass_s(30.5 * DAY_S)
    assert not exposures.seen("ada", ("exp",))


async def test_a_shorter_window_applies_to_what_was_kept(tmp_path: Path, clock: TurnedClock) -> None:
    await left_by_another_process(tmp_path, clock)
    clock.pass_s(2 * DAY_S)
    assert (await opened(tmp_path, clock, window_s=3 * DAY_S)).seen("ada", ("exp",))
    assert not (await opened(tmp_path, clock, window_s=1 * DAY_S)).seen("ada", ("exp",))


async def test_another_size_begins_empty_and_says_so(tmp_path: Path, clock: TurnedClock) -> None:
    await left_by_another_process(tmp_path, clock)
    with capture_logs() as logs:
        exposures = await opened(tmp_path, clock, bytes_max=2 * 65_536)
    assert not exposures.seen("ada", ("exp",))
    assert [one["event"] for one in logs] == ["exposures_forgotten"]


async def test_the_file_is_written_now_and_then_and_only_when_something_changed(
    tmp_path: Path, clock: TurnedClock
) -> None:
    exposures = await opened(tmp_path, clock, save_interval_s=1.0)
    await exposures.save()
    assert not (tmp_path / FILE_NAME).exists()
    exposures.record("ada", "exp")
    (service,) = exposures.services()
    running = asyncio.ensure_future(service())
    async with asyncio.timeout(5):
        while not (tmp_path / FILE_NAME).exists():
            await asyncio.sleep(0.01)
    running.cancel()
    assert (await opened(tmp_path, clock)).seen("ada", ("exp",))


async def test_the_file_is_as_large_as_the_memory_and_names_nobody(tmp_path: Path, clock: TurnedClock) -> None:
    file = await left_by_another_process(tmp_path, clock)
    body = file.read_bytes()
    assert 65_536 - 48 < len(body) < 65_536 + 512
    assert b"ada" not in body
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [FILE_NAME]


# --- damage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: b"",
        lambda body: b"x",
        lambda body: body[:-1],
        lambda body: body[: len(body) // 2],
        lambda body: body + b"x",
        lambda body: bytes([body[0] ^ 1]) + body[1:],
        lambda body: body[:9_000] + bytes([body[9_000] ^ 1]) + body[9_001:],
    ],
    ids=["empty", "one byte", "a byte short", "half", "a byte more", "first bit", "a bit of a slot"],
)
async def test_a_damaged_file_is_set_aside_and_nothing_else_happens(
    tmp_path: Path, clock: TurnedClock, damage: object
) -> None:
    file = await left_by_another_process(tmp_path, clock)
    assert callable(damage)
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    with capture_logs() as logs:
        exposures = await opened(tmp_path, clock)
    assert [one["event"] for one in logs] == ["exposures_damaged"]
    assert not exposures.seen("ada", ("exp",))
    assert (tmp_path / f"{FILE_NAME}.damaged").read_bytes() == damaged
    assert not file.exists()
    exposures.record("bob", "exp")
    await exposures.close()
    assert (await opened(tmp_path, clock)).seen("bob", ("exp",))


async def test_a_file_of_another_format_is_set_aside(tmp_path: Path, clock: TurnedClock) -> None:
    for line in (b"[]", b"{}", b'{"format": "sidecar exposures 9"}', b"\xff"):
        body = line + b"\n"
        (tmp_path / FILE_NAME).write_bytes(body + zlib.crc32(body).to_bytes(4))
        with capture_logs() as logs:
            await opened(tmp_path, clock)
        assert [one["event"] for one in logs] == ["exposures_damaged"], line


async def test_a_disk_that_refuses_is_said_once_and_costs_nothing_else(tmp_path: Path, clock: TurnedClock) -> None:
    directory = tmp_path / "gone"
    directory.mkdir()
    exposures = await opened(directory, clock)
    directory.rmdir()
    exposures.record("ada", "exp")
    with capture_logs() as logs:
        await exposures.save()
        await exposures.save()
    assert [one["event"] for one in logs] == ["exposures_unsaved"]
    assert exposures.seen("ada", ("exp",))
    directory.mkdir()
    await exposures.save()
    assert (await opened(directory, clock)).seen("ada", ("exp",))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bytes_max": 1_000}, "bytes_max is 1000, wanted 65536 to 268435456"),
        ({"window_s": 1}, "window_s is 1, wanted at least 60"),
        ({"window_s": float("nan")}, "window_s is nan"),
        ({"save_interval_s": 0}, "save_interval_s is 0, wanted at least 1"),
    ],
)
def test_a_setting_out_of_range_is_refused(changed: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        section(**changed)

"""`profiles.db`: what survives, what is forgotten, and what a bad file does."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.errors import ProfilesUnavailable, ProfilesUnopened
from sidecar.ports import ForcedVariation
from sidecar.profiles.file import FILE_NAME, ProfileFile
from sidecar.profiles.sqlite import SqliteForcedVariations, SqliteProfiles

SAVE_AND_HANG = """
import asyncio, sys
from pathlib import Path
from sidecar.profiles.file import ProfileFile
from sidecar.profiles.sqlite import SqliteProfiles

async def main():
    store = SqliteProfiles(await ProfileFile.open(Path(sys.argv[1])), 1000)
    for number in range(50):
        await store.save("p", f"user-{number}", {"e": str(number)})
        print(number, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def saved(directory: Path, *, entries_max: int = 1_000, **profiles: dict[str, str]) -> None:
    file = await ProfileFile.open(directory)
    store = SqliteProfiles(file, entries_max)
    for user_id, changed in profiles.items():
        await store.save("p", user_id, changed)
    await file.close()


async def found(directory: Path, *user_ids: str) -> list[dict[str, str]]:
    file = await ProfileFile.open(directory)
    store = SqliteProfiles(file, 1_000)
    profiles = [dict(await store.lookup("p", user_id)) for user_id in user_ids]
    await file.close()
    return profiles


async def test_profiles_survive_a_restart(tmp_path: Path) -> None:
    await saved(tmp_path, u={"e": "v"})
    assert await found(tmp_path, "u") == [{"e": "v"}]


def saves_until_killed(directory: Path) -> None:
    """A process that saves fifty users one after another, killed once it has said so."""
    process = subprocess.Popen([sys.executable, "-c", SAVE_AND_HANG, str(directory)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "49":
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


async def test_saved_profiles_survive_kill_9(tmp_path: Path) -> None:
    await asyncio.to_thread(saves_until_killed, tmp_path)
    users = [f"user-{number}" for number in range(50)]
    assert await found(tmp_path, *users) == [{"e": str(number)} for number in range(50)]


async def test_past_the_bound_the_entries_changed_longest_ago_are_forgotten(tmp_path: Path) -> None:
    await saved(tmp_path, entries_max=2, a={"e": "v"}, b={"e": "v"})
    await saved(tmp_path, entries_max=2, a={"e": "w"}, c={"e": "v"})
    assert await found(tmp_path, "a", "b", "c") == [{"e": "w"}, {}, {"e": "v"}]


async def test_damaged_file_is_set_aside_and_a_fresh_one_made(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 100)
    await saved(tmp_path, u={"e": "v"})
    assert await found(tmp_path, "u") == [{"e": "v"}]
    assert len(list(tmp_path.glob(f"{FILE_NAME}.damaged-*"))) == 1


async def test_file_of_a_newer_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    await saved(tmp_path, u={"e": "v"})
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE meta SET value = 99")
    connection.close()
    with pytest.raises(ProfilesUnopened, match="schema version is 99, wanted at most 1"):
        await ProfileFile.open(tmp_path)


async def test_directory_that_is_not_there_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(ProfilesUnopened, match="unable to open database file"):
        await ProfileFile.open(tmp_path / "missing")


async def test_fault_of_one_act_is_its_own_and_not_of_those_beside_it(tmp_path: Path) -> None:
    file = await ProfileFile.open(tmp_path)
    store = SqliteProfiles(file, 10)
    asked = [store.save("p", user_id, {"e": "v"}) for user_id in ("a", "\ud800", "b")]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [type(None), ProfilesUnavailable, type(None)]
    assert [await store.lookup("p", user_id) for user_id in "ab"] == [{"e": "v"}] * 2
    await file.close()


async def test_full_disk_refuses_saves_and_answers_lookups(tmp_path: Path) -> None:
    file = await ProfileFile.open(tmp_path)
    store = SqliteProfiles(file, 10_000)
    await store.save("p", "before", {"e": "v"})
    # What SQLite says of a full disk, it says of a file that has all the pages it may have.
    await file.ask(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())
    saves = [store.save("p", f"user-{number}", {"e": "v" * 1_000}) for number in range(100)]
    *refused, found = await asyncio.gather(*saves, store.lookup("p", "before"), return_exceptions=True)
    assert any(isinstance(one, ProfilesUnavailable) and "full" in str(one) for one in refused)
    assert found == {"e": "v"}
    await file.close()


async def test_fault_of_an_act_leaves_the_thread_serving(tmp_path: Path) -> None:
    file = await ProfileFile.open(tmp_path)
    with pytest.raises(ProfilesUnavailable, match="no such table"):
        await file.ask(lambda connection: connection.execute("SELECT * FROM absent"))
    with pytest.raises(ProfilesUnavailable, match="surrogates not allowed"):
        await SqliteProfiles(file, 10).save("p", "\ud800", {"e": "v"})
    assert await SqliteProfiles(file, 10).lookup("p", "u") == {}
    await file.close()


async def test_closed_file_refuses_and_loses_nothing_that_was_asked_before(tmp_path: Path) -> None:
    file = await ProfileFile.open(tmp_path)
    store = SqliteProfiles(file, 10)
    saving = asyncio.ensure_future(store.save("p", "u", {"e": "v"}))
    await asyncio.sleep(0)
    await file.close()
    await saving
    with pytest.raises(ProfilesUnavailable, match="it is closed"):
        await store.lookup("p", "u")
    assert await found(tmp_path, "u") == [{"e": "v"}]


async def test_forced_variations_are_loaded_in_the_order_in_which_they_were_set(tmp_path: Path) -> None:
    file = await ProfileFile.open(tmp_path)
    store = SqliteForcedVariations(file)
    await store.write([ForcedVariation("d", user, "e", "v") for user in ("a", "b", "c")])
    await store.write([ForcedVariation("d", "b", "e", None), ForcedVariation("d", "a", "e", "w")])
    await file.close()
    again = await ProfileFile.open(tmp_path)
    assert await SqliteForcedVariations(again).load() == [
        ForcedVariation("d", "c", "e", "v"),
        ForcedVariation("d", "a", "e", "w"),
    ]
    await again.close()

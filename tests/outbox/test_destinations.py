"""Destinations that come, go and are renamed between two starts: nobody loses what the others need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from sidecar.outbox import DestinationBounds, Durability, SqliteOutbox
from sidecar.ports import DestinationCounts
from tests.outbox.records import TurnedClock, bodies, deliver, kill, record

BOTH = (("a", 1), ("b", 1))
Starts: TypeAlias = Callable[..., Awaitable[SqliteOutbox]]


@pytest.fixture
async def start(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[Starts]:
    """Closes the outbox and opens it again with these destinations."""
    opened: list[SqliteOutbox] = []

    async def restart(*names: str, former_names: Mapping[str, str] | None = None) -> SqliteOutbox:
        if opened:
            await opened[-1].close()
        outbox = await SqliteOutbox.open(
            tmp_path,
            durability=Durability.PROCESS,
            destinations=dict.fromkeys(names, DestinationBounds()),
            clock=clock,
            former_names=former_names,
        )
        opened.append(outbox)
        return outbox

    yield restart
    if opened:
        await opened[-1].close()


async def counts(outbox: SqliteOutbox) -> dict[str, DestinationCounts]:
    found = {one.destination: one for one in await outbox.counts()}
    assert all(one.conserved for one in found.values()), found
    return found


async def test_a_new_destination_gets_what_comes_after_it(start: Starts) -> None:
    outbox = await start("a")
    await outbox.append(record(b"before"))
    outbox = await start("a", "b")
    await outbox.append(record(b"after", routes=BOTH))
    assert await bodies(outbox, "a") == [b"before", b"after"]
    assert await bodies(outbox, "b") == [b"after"]


async def test_what_a_removed_destination_waited_for_is_dead_and_the_other_keeps_its_own(start: Starts) -> None:
    outbox = await start("a", "b")
    await outbox.append(record(b"1", routes=BOTH))
    outbox = await start("b")
    assert await bodies(outbox, "b") == [b"1"]
    (letter,) = await outbox.dead_letters("a", 0, 10)
    assert (letter.reason, letter.record.body) == ("DESTINATION_REMOVED", b"1")
    assert await deliver(outbox, "b") == 1
    assert (await counts(outbox))["a"].dead == 1


async def test_a_removed_destination_requeues_nothing_until_it_is_configured_again(start: Starts) -> None:
    outbox = await start("a", "b")
    await outbox.append(record(b"1", routes=BOTH))
    outbox = await start("b")
    assert await outbox.requeue("a", None) == 0
    outbox = await start("a", "b")
    assert await outbox.requeue("a", None) == 1
    assert await bodies(outbox, "a") == [b"1"]


async def test_dead_letters_of_a_removed_destination_can_be_purged(start: Starts) -> None:
    outbox = await start("a", "b")
    await outbox.append(record(b"1", routes=BOTH))
    outbox = await start("b")
    assert await outbox.purge("a", None) == 1
    assert (await counts(outbox))["a"].dropped == {"PURGED": 1}


async def test_a_renamed_destination_takes_along_its_place_its_counts_and_its_dead_letters(start: Starts) -> None:
    outbox = await start("a", "b")
    for body in (b"1", b"2", b"3"):
        await outbox.append(record(body, routes=BOTH))
    await deliver(outbox, "a", 1)
    await kill(outbox)
    before = (await counts(outbox))["a"]

    outbox = await start("new", "b", former_names={"a": "new"})

    found = await counts(outbox)
    assert set(found) == {"new", "b"}
    assert (found["new"].delivered, found["new"].dead, found["new"].accepted) == (1, 1, before.accepted)
    assert await bodies(outbox, "new") == [b"3"]
    await outbox.append(record(b"4", routes=(("new", 1),)))
    assert await outbox.requeue("new", None) == 1
    assert await bodies(outbox, "new") == [b"3", b"4", b"2"]


async def test_a_former_name_does_nothing_once_it_was_followed(start: Starts) -> None:
    outbox = await start("a")
    await outbox.append(record(b"1"))
    for _ in range(2):
        outbox = await start("new", former_names={"a": "new"})
        assert await bodies(outbox, "new") == [b"1"]


async def test_a_name_that_has_a_past_of_its_own_is_not_taken_over(start: Starts) -> None:
    outbox = await start("a", "b")
    await outbox.append(record(b"1", routes=BOTH))
    outbox = await start("b", former_names={"a": "b"})
    assert await bodies(outbox, "b") == [b"1"]
    assert (await counts(outbox))["a"].dead == 1

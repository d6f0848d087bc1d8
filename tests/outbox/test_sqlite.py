"""What only the file can show: reopening, space, damage, versions, and the group commit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sidecar.errors import OutboxUnopened
from sidecar.limits import FACTS_UNUSED_MAX, OFFERED_BYTES_MAX
from sidecar.outbox import FILE_NAME, DestinationBounds, read_counts
from sidecar.outbox.rows import event_bytes
from sidecar.ports import EncodedFacts
from tests.outbox.conftest import Opens
from tests.outbox.records import TurnedClock, bodies, deliver, kill, record, sql

BOTH = (("a", 1), ("b", 1))


# --- reopening --------------------------------------------------------------------------------------------


async def test_reopening_finds_what_was_pending_dead_and_remembered(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"1", routes=BOTH, facts=EncodedFacts("k", b"facts"), ids=("id",)))
    await outbox.append(record(b"2", routes=BOTH))
    await kill(outbox)
    counts = list(await outbox.counts())
    await outbox.close()
    again = await opened()
    assert (again.pending("a"), again.pending("b")) == (1, 2)
    await again.arrival("a")
    assert list(await again.counts()) == counts
    assert await bodies(again) == [b"2"]
    assert [letter.record.facts for letter in await again.dead_letters("a", 0, 9)] == [EncodedFacts("k", b"facts")]
    assert list(await again.append(record(b"x", ids=("id",)))) != [None]


async def test_closing_commits_what_was_offered(opened: Opens) -> None:
    outbox = await opened()
    for number in range(100):
        assert outbox.offer(record(b"%d" % number))
    await outbox.close()
    assert (await opened()).pending("a") == 100


async def test_a_drained_queue_never_uses_an_id_again(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"1"))
    await deliver(outbox)
    before = await outbox.position()
    await outbox.close()
    again = await opened()
    await again.append(record(b"2"))
    assert await again.position() == before + 1
    assert await bodies(again) == [b"2"]


async def test_a_new_destination_starts_at_the_end(opened: Opens) -> None:
    outbox = await opened(a=DestinationBounds())
    await outbox.append(record(b"1"))
    await outbox.close()
    again = await opened(a=DestinationBounds(), b=DestinationBounds())
    assert (again.pending("a"), again.pending("b")) == (1, 0)
    await again.append(record(b"2", routes=BOTH))
    assert await bodies(again, "b") == [b"2"]


async def test_what_a_removed_destination_had_pending_becomes_dead_letters(opened: Opens) -> None:
    outbox = await opened()
    for body in (b"1", b"2"):
        await outbox.append(record(body, routes=BOTH))
    await outbox.close()
    without_b = await opened(a=DestinationBounds())
    assert [letter.reason for letter in await without_b.dead_letters("b", 0, 9)] == ["DESTINATION_REMOVED"] * 2
    assert await without_b.requeue("b", None) == 0
    assert all(counts.conserved for counts in await without_b.counts())
    await without_b.close()
    again = await opened()
    assert await again.requeue("b", None) == 2
    assert await bodies(again, "b") == [b"1", b"2"]


async def test_counts_can_be_read_from_outside_while_it_runs_and_after(opened: Opens, tmp_path: Path) -> None:
    outbox = await opened()
    await outbox.append(record(b"1", routes=BOTH, received_ms=7))
    running = list(await asyncio.to_thread(read_counts, tmp_path / FILE_NAME, TurnedClock()))
    assert running == list(await outbox.counts())
    assert running[0].oldest_pending_ms == 7
    await outbox.close()
    assert list(await asyncio.to_thread(read_counts, tmp_path / FILE_NAME, TurnedClock())) == running


def test_counts_of_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutboxUnopened, match=r"nothing\.db"):
        read_counts(tmp_path / "nothing.db", TurnedClock())


# --- space ------------------------------------------------------------------------------------------------


async def test_a_record_is_deleted_when_its_last_destination_has_it(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"1", routes=BOTH))
    await outbox.append(record(b"2", routes=BOTH))
    await deliver(outbox, "a")
    assert await sql(outbox, "SELECT record_id FROM records") == [(1,), (2,)]
    await deliver(outbox, "b", events_max=1)
    assert await sql(outbox, "SELECT record_id FROM records") == [(2,)]


async def test_a_destination_that_stands_still_keeps_only_its_own_records(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"stays", routes=BOTH))
    for number in range(50):
        await outbox.append(record(b"%d" % number))
    await deliver(outbox, "a")
    assert await sql(outbox, "SELECT body FROM records") == [(b"stays",)]


async def test_a_dead_letter_keeps_its_record_until_it_is_purged(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"1"))
    await kill(outbox)
    assert await sql(outbox, "SELECT count(*) FROM records") == [(1,)]
    await outbox.purge("a", None)
    assert await sql(outbox, "SELECT count(*) FROM records") == [(0,)]


async def test_facts_are_written_once_kept_while_needed_and_deleted_after(opened: Opens) -> None:
    outbox = await opened()
    revisions = [EncodedFacts(f"r{number}", b"facts") for number in range(FACTS_UNUSED_MAX + 3)]
    await outbox.append(record(b"dead", facts=revisions[0]))
    await kill(outbox)
    for facts in revisions[1:]:
        await outbox.append(record(b"x", facts=facts))
        await outbox.append(record(b"y", facts=facts))
    kept = "SELECT key, records FROM facts ORDER BY facts_id"
    assert await sql(outbox, kept) == [("r0", 1)] + [(facts.key, 2) for facts in revisions[1:]]
    await deliver(outbox)
    unused = [(facts.key, 0) for facts in revisions[-FACTS_UNUSED_MAX:]]
    assert await sql(outbox, kept) == [("r0", 1), *unused]
    await outbox.append(record(b"z", facts=revisions[1]))
    assert [one.facts for one in await outbox.read("a", None, 9)] == [revisions[1]]


async def test_the_file_stays_small_over_many_cycles_and_shrinks_after_a_backlog(opened: Opens, tmp_path: Path) -> None:
    outbox = await opened()
    path = tmp_path / FILE_NAME
    for number in range(5_000):
        assert outbox.offer(record(b"b" * 4000, received_ms=number))
    await outbox.position()
    await sql(outbox, "PRAGMA wal_checkpoint(TRUNCATE)")
    peak = path.stat().st_size
    for _ in range(60):
        while await deliver(outbox, events_max=200):
            pass
        for _ in range(20):
            assert outbox.offer(record(b"b" * 4000))
        await outbox.position()
    await sql(outbox, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert peak > 20_000_000
    assert path.stat().st_size < peak / 2


# --- offers and the group commit --------------------------------------------------------------------------


async def test_offers_of_one_interval_share_a_commit(opened: Opens) -> None:
    outbox = await opened()
    before = outbox.stats.commits
    for number in range(500):
        assert outbox.offer(record(b"%d" % number))
    await outbox.arrival("a")
    assert outbox.pending("a") == 500
    assert outbox.stats.commits == before + 1


async def test_appends_that_arrive_during_a_commit_share_the_next(opened: Opens) -> None:
    outbox = await opened()
    await asyncio.gather(*(outbox.append(record(b"%d" % number)) for number in range(300)))
    assert outbox.stats.commits <= 2
    assert outbox.stats.commit_seconds > 0


async def test_offers_past_their_bound_are_refused_and_counted(opened: Opens) -> None:
    outbox = await opened()
    large = record(b"x" * (OFFERED_BYTES_MAX // 4))
    assert [outbox.offer(large) for _ in range(5)] == [True, True, True, False, False]
    await outbox.position()
    assert outbox.offer(large)
    assert outbox.stats.offered_refused == {"OFFERS_FULL": 2}


async def test_offers_for_a_full_destination_are_counted_as_refused(opened: Opens) -> None:
    outbox = await opened(a=DestinationBounds(bytes_max=event_bytes(1, 1)))
    assert [outbox.offer(record(body)) for body in (b"1", b"2", b"3")] == [True, True, True]
    await outbox.position()
    assert await bodies(outbox) == [b"1"]
    assert outbox.stats.offered_refused == {"OUTBOX_FULL": 2}


async def test_a_cancelled_append_disturbs_nobody(opened: Opens) -> None:
    outbox = await opened()
    cancelled = asyncio.ensure_future(outbox.append(record(b"1")))
    await asyncio.sleep(0)
    cancelled.cancel()
    await outbox.append(record(b"2"))
    assert (await bodies(outbox))[-1] == b"2"


async def test_dead_letters_of_one_record_share_its_body(opened: Opens) -> None:
    outbox = await opened()
    await outbox.append(record(b"x" * 100_000, events=500, routes=(("a", (1 << 500) - 1),)))
    await kill(outbox, events_max=500)
    letters = await outbox.dead_letters("a", 0, 1_000)
    assert len(letters) == 500
    assert len({id(letter.record.body) for letter in letters}) == 1, "500 letters, one record in memory"


async def test_a_page_of_dead_letters_ends_early_when_its_records_are_large(
    opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.outbox.letters.READ_BYTES_MAX", 2_500)
    outbox = await opened()
    for body in (b"1", b"2", b"3"):
        await outbox.append(record(body * 1_000, events=2, routes=(("a", 3),)))
        await kill(outbox, events_max=2)
    pages: list[list[bytes]] = []
    after = 0
    while page := await outbox.dead_letters("a", after, 100):
        after = page[-1].dead_id
        pages.append([letter.record.body[:1] for letter in page])
    assert pages == [[b"1", b"1", b"2", b"2"], [b"3", b"3"]]

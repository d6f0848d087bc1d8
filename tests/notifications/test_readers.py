"""Notifications: who is told what, what a slow reader loses, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sidecar import limits
from sidecar.decision import Decision, Reason
from sidecar.errors import SubscribersFull
from sidecar.notifications import (
    DatafileUpdated,
    DecisionKind,
    DecisionMade,
    DeliveryDone,
    DeliveryState,
    EventTracked,
    Kind,
    Notification,
    Notifications,
    Subscription,
)
from tests.events.samples import a_track


class FixedClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000

    def monotonic_s(self) -> float:
        return 0.0


def made(user_id: str = "u", datafile: str = "shop", **attributes: Any) -> DecisionMade:
    return DecisionMade(
        user_id=user_id,
        kind=DecisionKind.FLAG,
        decision=Decision(flag_key="search", reason=Reason.NO_RULE_MATCHED),
        revision="1",
        datafile=datafile,
        attributes=attributes,
    )


TRACKED = EventTracked(event=a_track(), outcomes=(), datafile="shop")
DELIVERED = DeliveryDone(destination="hook", state=DeliveryState.DELIVERED, event_count=1, attempt=1)
UPDATED = DatafileUpdated(datafile="shop", revision="2", previous_revision="1")
ALL: dict[Kind, Notification] = {
    Kind.DECISION: made(),
    Kind.TRACKED: TRACKED,
    Kind.DELIVERY: DELIVERED,
    Kind.DATAFILE_UPDATE: UPDATED,
}


@pytest.fixture
def notifications() -> Notifications:
    return Notifications(FixedClock())


async def queued(subscription: Subscription, number: int) -> list[Notification]:
    async with asyncio.timeout(2):
        return [(await anext(subscription)).notification for _ in range(number)]


def publish(notifications: Notifications, these: Iterable[Notification]) -> None:
    for one in these:
        notifications.publish(one)


# --- who is told --------------------------------------------------------------------------------------------------


def test_nothing_is_wanted_or_counted_while_nobody_listens(notifications: Notifications) -> None:
    publish(notifications, ALL.values())
    assert not any(notifications.wants(kind, "shop") for kind in Kind)
    assert (notifications.published, notifications.lost) == (0, 0)


async def test_a_reader_of_all_kinds_gets_all_in_order_with_their_time(notifications: Notifications) -> None:
    with notifications.subscribe((), "shop") as reader:
        publish(notifications, ALL.values())
        told = [await anext(reader) for _ in ALL]
    assert [one.notification for one in told] == list(ALL.values())
    assert {(one.lost, one.time_ms) for one in told} == {(0, 1_700_000_000_000)}


@pytest.mark.parametrize("kind", Kind)
async def test_a_reader_gets_the_kinds_it_asked_for(notifications: Notifications, kind: Kind) -> None:
    with notifications.subscribe([kind], "shop") as reader:
        assert [one for one in Kind if notifications.wants(one, "shop")] == [kind]
        publish(notifications, [*ALL.values(), *ALL.values()])
        assert await queued(reader, 2) == [ALL[kind], ALL[kind]]
    assert notifications.published == 2


async def test_a_reader_gets_its_datafile_and_every_delivery(notifications: Notifications) -> None:
    with notifications.subscribe((), "other") as reader:
        assert not notifications.wants(Kind.DECISION, "shop")
        assert notifications.wants(Kind.DECISION, "other")
        assert notifications.wants(Kind.DELIVERY)
        publish(notifications, [*ALL.values(), made(datafile="other")])
        assert [type(one) for one in await queued(reader, 2)] == [DeliveryDone, DecisionMade]


async def test_readers_do_not_take_from_each_other(notifications: Notifications) -> None:
    with notifications.subscribe((), "shop") as one, notifications.subscribe((), "shop") as other:
        notifications.publish(UPDATED)
        assert await queued(one, 1) == await queued(other, 1) == [UPDATED]


async def test_a_reader_that_waits_is_woken(notifications: Notifications) -> None:
    with notifications.subscribe((), "shop") as reader:
        waiting = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        assert not waiting.done()
        notifications.publish(UPDATED)
        async with asyncio.timeout(2):
            assert (await waiting).notification == UPDATED


async def test_who_left_is_told_nothing_and_makes_room(notifications: Notifications) -> None:
    with notifications.subscribe([Kind.DECISION], "shop") as left, notifications.subscribe([Kind.DECISION], "shop"):
        left.close()
        left.close()
        assert notifications.wants(Kind.DECISION, "shop")
        assert notifications.readers == 1
    assert notifications.readers == 0
    assert not notifications.wants(Kind.DECISION, "shop")


def test_readers_are_bounded_with_a_time_to_wait(notifications: Notifications) -> None:
    readers = [notifications.subscribe((), "shop") for _ in range(limits.SUBSCRIBERS_MAX)]
    with pytest.raises(SubscribersFull, match="16 readers listen to notifications") as full:
        notifications.subscribe((), "shop")
    assert full.value.retry_after_s == limits.SUBSCRIBERS_RETRY_AFTER_S
    readers.pop().close()
    notifications.subscribe((), "shop")


async def test_a_datafile_update_names_the_revision_before(notifications: Notifications) -> None:
    notifications.datafile_applied("shop", "1")
    with notifications.subscribe((), "shop") as reader:
        for revision in ("2", "3"):
            notifications.datafile_applied("shop", revision)
            notifications.datafile_applied("other", "9")
        told = await queued(reader, 2)
    assert told == [
        DatafileUpdated(datafile="shop", revision="2", previous_revision="1"),
        DatafileUpdated(datafile="shop", revision="3", previous_revision="2"),
    ]


# --- the slow reader ----------------------------------------------------------------------------------------------


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many(notifications: Notifications) -> None:
    bound = limits.NOTIFICATIONS_QUEUED_MAX
    with notifications.subscribe((), "shop") as reader:
        publish(notifications, (made(f"u{number}") for number in range(bound + 7)))
        first, second = await anext(reader), await anext(reader)
        assert (first.notification, first.lost) == (made_like(first, "u7"), 7)
        assert (second.notification, second.lost) == (made_like(second, "u8"), 0)
        publish(notifications, (made("late") for _ in range(5)))
        assert (await anext(reader)).lost == 3
    assert notifications.lost == 10


def made_like(told: Any, user_id: str) -> Notification:
    """What was told, if it is of that user: decisions are equal by identity alone."""
    assert told.notification.user_id == user_id
    notification: Notification = told.notification
    return notification


async def test_a_reader_that_keeps_up_loses_nothing_for_another(notifications: Notifications) -> None:
    with notifications.subscribe((), "shop") as quick, notifications.subscribe((), "shop"):
        for number in range(limits.NOTIFICATIONS_QUEUED_MAX + 50):
            notifications.publish(made(f"u{number}"))
            told = await anext(quick)
            assert told.lost == 0
            made_like(told, f"u{number}")
    assert notifications.lost == 50


@pytest.mark.parametrize(
    "large",
    [
        lambda text: made(text=text),
        lambda text: made(nested={"list": [text]}),
        lambda text: EventTracked(event=a_track(properties={"text": text}), outcomes=(), datafile="shop"),
        lambda text: EventTracked(event=a_track(context={"text": text}), outcomes=(), datafile="shop"),
    ],
    ids=["attribute", "nested attribute", "property", "context"],
)
async def test_what_waits_for_a_reader_is_bounded_in_bytes(
    notifications: Notifications, large: Callable[[str], Notification]
) -> None:
    text_bytes = 512 * limits.KIB
    with notifications.subscribe((), "shop") as reader:
        publish(notifications, (large("x" * text_bytes) for _ in range(100)))
        room = limits.NOTIFICATIONS_QUEUED_BYTES_MAX // text_bytes
        assert (await anext(reader)).lost in {100 - room, 100 - room + 1}


async def test_the_newest_is_kept_whatever_its_size(notifications: Notifications) -> None:
    with notifications.subscribe((), "shop") as reader:
        notifications.publish(made("small"))
        notifications.publish(made("huge", text="x" * (2 * limits.NOTIFICATIONS_QUEUED_BYTES_MAX)))
        huge = await anext(reader)
        assert huge.lost == 1
        made_like(huge, "huge")
        publish(notifications, [made("a"), made("b")])
        assert [(await anext(reader)).lost for _ in "ab"] == [0, 0]


def test_a_stuck_reader_takes_no_more_of_a_decision_s_time_than_one_that_reads(notifications: Notifications) -> None:
    bound = limits.NOTIFICATIONS_QUEUED_MAX

    def took_s(*, stuck: bool) -> float:
        with notifications.subscribe((), "shop"):
            if stuck:
                publish(notifications, (made() for _ in range(bound)))
            these = [made() for _ in range(bound - 1)]
            began_s = time.perf_counter()
            publish(notifications, these)
            return time.perf_counter() - began_s

    # In turns, and the least of each, so that a busy machine is busy for both.
    rounds = [(took_s(stuck=False), took_s(stuck=True)) for _ in range(7)]
    with_room_s, stuck_s = (min(each) for each in zip(*rounds, strict=True))
    assert stuck_s < 3 * with_room_s

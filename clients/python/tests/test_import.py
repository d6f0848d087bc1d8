"""Imports: drafts of each kind, in batches; what is refused is told, what is unavailable waited for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sidecar_client import AccessDenied, Draft, Imported, RequestRefused, SidecarError, Unavailable, User
from sidecar_client._importing import BATCH_BYTES_MAX, PATIENCE_S, Importing
from sidecar_client.errors import Fault, error_for
from sidecar_client.pb import tracking_pb2
from sidecar_client.settings import Settings
from sidecar_client.testing import FakeSidecar

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def six(user: User) -> list[Draft]:
    drafts = user.drafts
    return [
        drafts.track("purchase", timestamp=LONG_AGO, revenue=Decimal("5.00"), currency="USD"),
        drafts.identify({"plan": "pro"}, timestamp=LONG_AGO),
        drafts.page("Home", timestamp=LONG_AGO),
        drafts.screen("Cart", timestamp=LONG_AGO),
        drafts.group("acme", {"employees": 12}, timestamp=LONG_AGO),
        drafts.alias("anon", timestamp=LONG_AGO),
    ]


def test_each_kind_arrives_in_order_with_its_time() -> None:
    fake = FakeSidecar()
    with fake.client() as client:
        assert client.import_events(six(client.user("u1"))) == Imported(accepted=6, repeated=0, refused=(), outcomes={})
    assert [event.kind for event in fake.events] == ["track", "identify", "page", "screen", "group", "alias"]
    assert {event.timestamp for event in fake.events} == {LONG_AGO}


def test_nothing_is_no_call() -> None:
    fake = FakeSidecar()
    fake.fail()
    with fake.client() as client:
        assert client.import_events([]).accepted == 0


def test_the_same_events_again_are_repeats() -> None:
    fake = FakeSidecar()
    with fake.client() as client:
        drafts = six(client.user("u1"))
        client.import_events(drafts)
        assert client.import_events(drafts).repeated == 6
    assert len(fake.events) == 6


def test_a_generator_is_read_no_further_than_what_is_sent() -> None:
    fake, made = FakeSidecar(), []

    def history(user: User) -> Iterator[Draft]:
        for number in range(7):
            assert len(fake.events) >= number - 3
            made.append(number)
            yield user.drafts.track(f"e{number}")

    with fake.client() as client:
        assert client.import_events(history(client.user("u1")), batch_events_max=2).accepted == 7
    assert len(made) == 7


@pytest.mark.parametrize("bound", [0, 501])
def test_a_batch_is_bounded(bound: int) -> None:
    with FakeSidecar().client() as client, pytest.raises(ValueError, match="batch_events_max"):
        client.import_events([], batch_events_max=bound)


# --- the walk over batches, without a transport ------------------------------------------------------------------


def importing(batch_events_max: int = 2) -> Importing:
    return Importing(Settings(datafile="shop"), include_optimizely=True, batch_events_max=batch_events_max)


def drafts(count: int, size: int = 1) -> list[Draft]:
    with FakeSidecar().client() as client:
        user = client.user("u1")
        return [user.drafts.track("e", properties={"x": "x" * size}) for _ in range(count)]


def failed(code: str, retry_after_s: float | None = None) -> SidecarError:
    return error_for(Fault(code=code, message="", reason=code, retry_after_s=retry_after_s), method="/m")


def refused() -> RequestRefused:
    error = failed("INVALID_ARGUMENT")
    assert isinstance(error, RequestRefused)
    return error


def test_batches_carry_the_datafile_and_whether_optimizely_wants_them() -> None:
    [call] = importing().calls(drafts(1))
    request = tracking_pb2.ImportRequest.FromString(call.request)
    assert (request.datafile, request.include_optimizely) == ("shop", True)


def test_batches_are_bounded_in_bytes() -> None:
    third = BATCH_BYTES_MAX // 3
    calls = list(importing(500).calls(drafts(4, third)))
    assert [len(tracking_pb2.ImportRequest.FromString(call.request).events) for call in calls] == [2, 2]
    assert all(len(call.request) <= BATCH_BYTES_MAX for call in calls)


def test_a_refused_batch_is_told_by_its_place_and_the_next_one_accepted() -> None:
    walk = importing()
    for place, _ in enumerate(walk.calls(drafts(5))):
        if place == 1:
            walk.refused(refused())
        else:
            walk.accepted(tracking_pb2.ImportResponse(repeated_events=1))
    report = walk.report()
    assert (report.accepted, report.repeated) == (3, 2)
    assert [(each.first_index, each.events) for each in report.refused] == [(2, 2)]


def test_outcomes_are_added_up() -> None:
    walk = importing(1)
    for _ in walk.calls(drafts(2)):
        response = tracking_pb2.ImportResponse()
        response.outcomes.add(events=1).outcome.destination = "events"
        walk.accepted(response)
    assert [(each.destination, count) for each, count in walk.report().outcomes.items()] == [("events", 2)]


def test_the_sidecar_says_how_long_to_wait() -> None:
    assert importing().pause_s(failed("RESOURCE_EXHAUSTED", 2.0), jitter=0) == 2.0


def test_patience_ends_and_the_error_says_what_was_imported() -> None:
    walk = importing()
    walk_calls = walk.calls(drafts(4))
    next(walk_calls)
    walk.accepted(tracking_pb2.ImportResponse())
    next(walk_calls)
    waited_s = 0.0
    while waited_s < PATIENCE_S:
        waited_s += walk.pause_s(failed("UNAVAILABLE"), jitter=0)
    with pytest.raises(Unavailable) as raised:
        walk.pause_s(failed("UNAVAILABLE"), jitter=0)
    assert raised.value.imported is not None
    assert raised.value.imported.accepted == 2


def test_what_waiting_does_not_mend_ends_an_import_at_once() -> None:
    with pytest.raises(AccessDenied):
        importing().pause_s(failed("UNAUTHENTICATED"), jitter=0)


async def test_the_asyncio_client_imports_alike() -> None:
    fake = FakeSidecar()
    async with fake.async_client() as client:
        user = client.user("u1")
        report = await client.import_events([user.drafts.track("a"), user.drafts.page("b")], batch_events_max=1)
    assert report.accepted == 2
    assert [event.name for event in fake.events] == ["a", "b"]

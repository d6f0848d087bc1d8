"""Many users in one call, and explanations: over the real connection and the fake."""

from __future__ import annotations

import pytest

from sidecar_client import Decision, Reason, RequestRefused, Unavailable
from sidecar_client._calls import Counters
from sidecar_client._decide import defaults_for
from sidecar_client._many import _reader
from sidecar_client.pb import decision_pb2
from sidecar_client.testing import FakeSidecar

FLAG = Decision.default("checkout", variation_key="on", enabled=True)


def test_each_user_has_its_decisions_in_order() -> None:
    fake = FakeSidecar([FLAG])
    with fake.client() as client:
        users = [client.user("a"), client.user("b", {"plan": "pro"}).with_segments(["vip"])]
        answered = client.decide_many(users, ["checkout"], decision_ids=["d-1", "d-2"])
    assert [each.decision_id for each in answered] == ["d-1", "d-2"]
    assert all(each["checkout"].variation_key == "on" for each in answered)
    assert [each.user_id for each in fake.decided] == ["a", "b"]


def test_nobody_is_no_call() -> None:
    fake = FakeSidecar()
    fake.fail()
    with fake.client(strict=True) as client:
        assert client.decide_many([]) == []


def test_without_an_answer_each_user_has_the_defaults() -> None:
    fake = FakeSidecar()
    fake.fail()
    with fake.client() as client:
        answered = client.decide_many(
            [client.user("a"), client.user("b")], ["checkout"], {"checkout": FLAG}, timeout_s=0.05
        )
        assert [each["checkout"].variation_key for each in answered] == ["on", "on"]
        assert {each.error_reason for each in answered} == {"UNAVAILABLE"}
        assert client.counters.decisions_defaulted == 1
        with pytest.raises(Unavailable):
            client.decide_many([client.user("a")], strict=True, timeout_s=0.05)


def test_users_of_two_datafiles_are_refused() -> None:
    with FakeSidecar().client() as client, pytest.raises(ValueError, match=r"\['', 'other'\]"):
        client.decide_many([client.user("a"), client.user("b", datafile="other")])


def test_more_users_than_one_call_takes_are_refused() -> None:
    with FakeSidecar().client() as client, pytest.raises(ValueError, match="1001"):
        client.decide_many([client.user("a")] * 1001)


def test_ids_are_one_for_each_user() -> None:
    with FakeSidecar().client() as client, pytest.raises(ValueError, match="1 for 2 users"):
        client.decide_many([client.user("a"), client.user("b")], decision_ids=["d"])


def test_one_user_that_is_refused_has_the_defaults_and_is_counted() -> None:
    response, counters = decision_pb2.DecideManyResponse(), Counters()
    response.results.add().decided.revision = "41"
    response.results.add().error.code = 3
    first, second = _reader(defaults_for(["checkout"], None), counters)(response.SerializeToString())
    assert (first.revision, first.error_reason) == ("41", "")
    assert (second["checkout"].reason, second.error_reason) == (Reason.SIDECAR_UNAVAILABLE, "INVALID_ARGUMENT")
    assert counters.decisions_defaulted == 1
    with pytest.raises(RequestRefused):
        _reader(None, counters)(response.SerializeToString())


async def test_the_asyncio_client_decides_for_many_and_explains() -> None:
    async with FakeSidecar([FLAG]).async_client() as client:
        [answered] = await client.decide_many([client.user("a")])
        assert list(answered) == ["checkout"]
        assert (await client.user("a").explain("checkout")).decision.variation_key == "on"
        assert await client.wait_ready(1.0)


def test_an_explanation_has_the_decision_and_whom_it_is_about() -> None:
    with FakeSidecar([FLAG]).client() as client:
        explained = client.user("a").explain("checkout")
    assert (explained.decision.variation_key, explained.bucketing_id, explained.rules) == ("on", "a", ())


def test_an_explanation_has_no_default() -> None:
    fake = FakeSidecar()
    fake.fail()
    with fake.client() as client, pytest.raises(Unavailable):
        client.user("a").explain("checkout", timeout_s=0.05)

"""A stored record is what its pieces say, joined."""

from __future__ import annotations

from sidecar.pb import decision_pb2, record_pb2

IMPRESSION = record_pb2.StoredImpression(
    flag_key="flag",
    rule_key="rule",
    rule_type="feature-test",
    variation_key="on",
    enabled=True,
    campaign_id="1",
    experiment_id="2",
    variation_id="3",
)
CALL = record_pb2.StoredCall(
    received_time_ms=1_700_000_000_123,
    call_id="decision-1",
    datafile="shop",
    decide=decision_pb2.DecideRequest(user_id="ada", decision_id="decision-1").SerializeToString(),
    impressions=[IMPRESSION, record_pb2.StoredImpression(flag_key="other", rule_type="rollout")],
    queued_for=["optimizely", "archive"],
)


def pieces(call: record_pb2.StoredCall) -> list[bytes]:
    """Each field of `call` alone, with its tag, as it would be kept rendered."""
    return [
        *(record_pb2.StoredCall(impressions=[impression]).SerializeToString() for impression in call.impressions),
        *(record_pb2.StoredCall(queued_for=[name]).SerializeToString() for name in call.queued_for),
        record_pb2.StoredCall(decide=call.decide).SerializeToString(),
        record_pb2.StoredCall(received_time_ms=call.received_time_ms, call_id=call.call_id).SerializeToString(),
        record_pb2.StoredCall(datafile=call.datafile).SerializeToString(),
    ]


def test_a_call_joined_from_rendered_pieces_reads_as_the_call_built_whole() -> None:
    assert record_pb2.StoredCall.FromString(b"".join(pieces(CALL))) == CALL


def test_a_record_joined_from_rendered_calls_keeps_their_order() -> None:
    calls = [record_pb2.StoredCall(call_id=f"event-{n}", historical=True) for n in range(500)]
    rendered = [record_pb2.StoredRecord(calls=[call]).SerializeToString() for call in calls]
    assert list(record_pb2.StoredRecord.FromString(b"".join(rendered)).calls) == calls


def test_the_request_comes_back_as_the_bytes_that_were_received() -> None:
    # Bytes that no serialiser would write: the last of two values for one field counts.
    received = decision_pb2.DecideRequest(user_id="bob").SerializeToString() + CALL.decide
    stored = record_pb2.StoredCall.FromString(record_pb2.StoredCall(decide=received).SerializeToString())
    assert stored.decide == received
    assert decision_pb2.DecideRequest.FromString(stored.decide).user_id == "ada"


def test_bot_filtering_that_the_datafile_does_not_mention_differs_from_false() -> None:
    absent, false = record_pb2.StoredFacts(), record_pb2.StoredFacts(bot_filtering=False)
    facts = [record_pb2.StoredFacts.FromString(each.SerializeToString()) for each in (absent, false)]
    assert [each.HasField("bot_filtering") for each in facts] == [False, True]

"""Every shared vector through the wire: the reply, and the impressions as they stand in the outbox."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from sidecar.errors import DatafileRejected
from sidecar.events.model import Impression, Track
from sidecar.events.money import revenue_of, value_of
from sidecar.pb import decision_pb2
from sidecar.rpc.wire_values import trusted_mapping
from tests.support.refusals import said
from tests.support.served import DECIDE, OPTIMIZELY, Served, decide_request, serving

pytestmark = pytest.mark.usefixtures("wire")

VECTORS = Path(__file__).parents[1] / "vectors"
Case = dict[str, Any]


def cases(name: str) -> list[Case]:
    """The cases of a file that an answer or a refusal is expected of, not those whose datafile is rejected."""
    return [case for case in all_cases(name) if case["expect"] != "datafile rejected"]


def all_cases(name: str) -> list[Case]:
    with gzip.open(VECTORS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def datafiles(directory: Path, chosen: list[Case]) -> Iterator[tuple[str, Any]]:
    """One configured datafile for each different one; `case["served"]` is its name."""
    named: dict[str, str] = {}
    for case in chosen:
        text = json.dumps(case["datafile"])
        if text not in named:
            named[text] = f"d{len(named)}"
            path = directory / f"{named[text]}.json"
            path.write_text(text)
            yield named[text], {"path": str(path)}
        case["served"] = named[text]


async def check(served: Served, case: Case) -> None:
    request = {
        "user_id": case["user_id"],
        "attributes": case["attributes"],
        "flag_keys": [case["flag_key"]],
        "datafile": case["served"],
        "options": [decision_pb2.DecideOption.Value(f"DECIDE_OPTION_{name}") for name in case["options"]],
        "forced_decisions": [
            decision_pb2.ForcedDecision(
                flag_key=one["flag"], rule_key=one.get("rule") or "", variation_key=one["variation"]
            )
            for one in case["forced_decisions"]
        ],
    }
    if case["qualified_segments"] is not None:
        request["qualified_segments"] = decision_pb2.QualifiedSegments(keys=case["qualified_segments"])
    if case["expect"] == "request rejected":
        with pytest.raises(aio.AioRpcError) as refused:
            await served.decide(**request)
        assert said(refused.value).fields == ["user_id"]
        return
    reply = await served.decide(**request)
    (decision,) = reply.decisions
    case["decision_id"] = reply.decision_id
    got = {
        "variation_key": decision.variation_key,
        "enabled": decision.enabled,
        "rule_key": decision.rule_key,
        "variables": trusted_mapping(decision.variables),
    }
    assert got == {key: case["expect"][key] for key in got}, case["name"]


@pytest.mark.parametrize("name", ["conditions", "bucketing", "decisions"])
async def test_server_decides_and_records_what_the_vectors_say(tmp_path: Path, name: str) -> None:
    chosen = cases(name)
    assert len(chosen) > 100
    configuration = {"datafiles": dict(datafiles(tmp_path, chosen)), "destinations": [dict(OPTIMIZELY)]}
    async with serving(tmp_path, configuration) as served:
        for case in chosen:
            await check(served, case)
        made: dict[str, list[dict[str, Any]]] = {}
        for event in await served.events("optimizely"):
            assert isinstance(event, Impression)
            made.setdefault(event.decision_id, []).append(
                {
                    "enabled": event.enabled,
                    "flag_key": event.flag_key,
                    "rule_key": event.rule_key,
                    "rule_type": event.rule_type,
                    "variation_key": event.variation_key,
                }
            )
    for case in chosen:
        if "decision_id" in case:
            assert made.pop(case["decision_id"], []) == case["expect"]["impressions"], case["name"]
    assert not made


async def test_server_rejects_the_datafiles_that_the_vectors_say(tmp_path: Path) -> None:
    chosen = [case for case in all_cases("decisions") if case["expect"] == "datafile rejected"]
    assert len(chosen) == 2
    configuration = {"datafiles": dict(datafiles(tmp_path, chosen)), "destinations": [dict(OPTIMIZELY)]}
    async with serving(tmp_path, configuration, loaded=False) as served:
        for case in chosen:
            with pytest.raises(DatafileRejected):
                await served.parts.datafiles.reload(case["served"])
            refused = await served.refused(DECIDE, decide_request(datafile=case["served"]))
            assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "NO_DATAFILE"), case["name"]


async def test_server_tracks_and_refuses_tags_as_the_vectors_say(tmp_path: Path) -> None:
    chosen = cases("event_tags")
    assert len(chosen) == 12
    configuration = {"datafiles": dict(datafiles(tmp_path, chosen)), "destinations": [dict(OPTIMIZELY)]}
    async with serving(tmp_path, configuration) as served:
        for case in chosen:
            request = {
                "user_id": case["user_id"],
                "event_key": case["track"]["key"],
                "event_tags": case["track"]["tags"] or {},
                "datafile": case["served"],
            }
            if isinstance(case["expect"], dict):
                reply = await served.track(**request)
                event = (await served.events("optimizely"))[-1]
                assert isinstance(event, Track)
                assert event.origin.event_id == reply.event_id
                out = {"revenue": revenue_of(event.event_tags), "value": value_of(event.event_tags)}
                assert {key: number for key, number in out.items() if number is not None} == case["expect"]
                continue
            with pytest.raises(aio.AioRpcError) as refused:
                await served.track(**request)
            what = said(refused.value)
            if case["expect"] == "unknown event key":
                assert (what.code, what.reason) == ("NOT_FOUND", "EVENT_KEY_NOT_FOUND")
            else:
                assert case["expect"] == "rejected"
                assert (what.code, what.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
                assert what.fields in (["event_tags.revenue"], ["event_tags.value"]), case["name"]

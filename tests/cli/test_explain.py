"""`sidecar explain`: the walk as a tree, from a file and from a running sidecar alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.decision import User, bucket
from sidecar.decision.bucketing import hash_of
from tests.cli.conftest import Run, Write
from tests.decision.building import build, everyone_else, exact, flag, holdout, rule, variation
from tests.support.daemon import Daemon

RICH = {
    "typedAudiences": [
        {"id": "1", "name": "grown", "conditions": ["and", exact("x", "s"), {**exact("age", 18), "match": "ge"}]},
        {"id": "2", "name": "member", "conditions": {**exact("", "vip"), "match": "qualified"}},
    ],
    "holdouts": [holdout(trafficAllocation=[])],
    "localHoldouts": [holdout("510", "local", audienceIds=["2"], includedRules=["700"])],
    "groups": [
        {
            "id": "g1",
            "policy": "random",
            "trafficAllocation": [{"entityId": "710", "endOfRange": 10_000}],
            "experiments": [rule("710", "grouped", trafficAllocation=[])],
        }
    ],
    "experiments": [
        rule(audienceIds=["1"], trafficAllocation=[{"entityId": "701", "endOfRange": 5000}]),
        rule("720", "paused", status="Paused", variations=[variation("721", "never")]),
    ],
    "rollouts": [{"id": "ro", "experiments": [everyone_else()]}],
    "featureFlags": [flag(experimentIds=["710", "720", "700"])],
}


def line(out: str, part: str) -> str:
    (found,) = [one for one in out.splitlines() if part in one]
    return found


def explained(run: Run, path: str, *arguments: str, user: str = "u") -> str:
    ran = run("explain", "--user", user, "--flag", "f", "--datafile", path, *arguments)
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def test_the_walk_names_every_rule_and_what_became_of_it(run: Run, write: Write) -> None:
    out = explained(run, write(**RICH), "--attr", "x=s", "--attr", "age=17")
    assert out.splitlines()[0] == "flag `f` gives variation `rest` by rule `ee`: enabled, ROLLOUT"
    assert line(out, "holdout `ho`").endswith("passes, its traffic does not hold the user")
    assert line(out, "experiment `grouped`").endswith("passes, its traffic does not hold the user")
    assert line(out, "experiment `paused`").endswith("does not run, its status is `Paused`")
    assert line(out, "holdout `local`").endswith("passes, the user is not in its audience")
    assert line(out, "experiment `exp`").endswith("passes, the user is not in its audience")
    assert line(out, "delivery `ee`").endswith("gives variation `rest`: ROLLOUT")
    assert "revision `7`" in out


def test_each_condition_has_the_value_that_it_saw(run: Run, write: Write) -> None:
    out = explained(run, write(**RICH), "--attr", "x=s", "--attr", "age=17")
    assert line(out, '`x` exact "s"').endswith('is true: saw "s"')
    assert line(out, "`age` ge 18").endswith("is false: saw 17")
    assert line(out, "audience `grown`").endswith("is false")


def test_unknown_says_why(run: Run, write: Write) -> None:
    out = explained(run, write(**RICH), "--attr", 'age="18"')
    assert "is unknown: saw no value (the user has no attribute `x`)" in line(out, '`x` exact "s"')
    assert '`age` ge 18 is unknown: saw "18"' in line(out, "`age` ge 18")


def test_hash_bucket_and_range_are_those_of_the_draw(run: Run, write: Write) -> None:
    path = write(**RICH)
    lucky = next(f"u{n}" for n in range(100) if bucket(f"u{n}", "700") < 5000)
    out = explained(run, path, "--attr", "x=s", "--attr", "age=18", user=lucky)
    said = f"`{lucky}` in `700` has hash {hash_of(lucky, '700')}, bucket {bucket(lucky, '700')}, in the range 0 to 5000"
    assert line(out, "in `700`").endswith(said)
    assert line(out, "0 to 5000: `on`").endswith("←")


def test_a_forced_decision_is_followed(run: Run, write: Write) -> None:
    out = explained(run, write(**RICH), "--force", "f=off")
    assert out.startswith("flag `f` gives variation `off`: disabled, FLAG_FORCED")
    out = explained(run, write(**RICH), "--force", "f/exp=off")
    assert "variation `off` by rule `exp`: disabled, RULE_FORCED" in out


def test_segments_are_the_users_own(run: Run, write: Write) -> None:
    out = explained(run, write(**RICH), "--segments", "vip,other")
    assert "variation `held` by rule `local`" in out
    assert line(out, 'qualified "vip"').endswith("is true")


def test_a_holdout_that_leaves_the_answer_to_others_says_so(run: Run, write: Write) -> None:
    out = explained(run, write(holdouts=[holdout(excludeTargetedDeliveries=True)]))
    assert "holds the user with `held` and lets targeted deliveries" in line(out, "holdout `ho`")
    assert "stands back for a holdout" in line(out, "experiment `exp`")
    assert line(out, "delivery `ee`").endswith("gives variation `rest`: ROLLOUT")


def test_json_holds_the_walk(run: Run, write: Write) -> None:
    ran = run("explain", "--user", "u", "--flag", "f", "--datafile", write(**RICH), "--attr", "x=5", "--json")
    answer = ran.json
    decided = build(**RICH).decide(User("u", {"x": 5}), "f")
    assert answer["decision"]["variation_key"] == decided.variation_key
    rules = {one["rule_key"]: one for one in answer["rules"]}
    assert list(rules) == ["ho", "grouped", "paused", "exp", "ee"]
    assert rules["exp"]["result"] == "AUDIENCE_MISSED"
    assert rules["ee"]["bucketing"]["bucket"] == bucket("u", "900")


def test_an_unknown_flag_is_a_decision_and_says_why(run: Run, write: Write) -> None:
    ran = run("explain", "--user", "u", "--flag", "nope", "--datafile", write())
    assert (ran.code, "there is no flag `nope`" in ran.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--user", ""), "--user is empty"),
        (("--force", "f"), "--force is `f`, wanted FLAG=VARIATION or FLAG/RULE=VARIATION"),
        (("--address", "x:1"), "--datafile is given with --address or --name"),
    ],
)
def test_a_wrong_call_is_named(run: Run, write: Write, arguments: tuple[str, ...], said: str) -> None:
    ran = run("explain", "--user", "u", "--flag", "f", "--datafile", write(), *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_running_sidecar_says_the_same_as_its_file(run: Run, write: Write, tmp_path: Path) -> None:
    path = write(**RICH)
    asked = ["explain", "--user", "u", "--flag", "f", "--attr", "x=s", "--attr", "age=18", "--segments", "a"]
    with Daemon(tmp_path, {"datafile": path}) as daemon:
        daemon.start()
        remote = run(*asked, "--address", daemon.addresses[0], "--timeout", "10", "--json")
        assert (remote.code, remote.err) == (0, "")
        forced = run(*asked, "--address", daemon.addresses[0], "--timeout", "10", "--force", "f/exp=off")
        nobody = run(*asked, "--address", daemon.addresses[0], "--timeout", "10", "--name", "nope")
    assert remote.json == run(*asked, "--datafile", path, "--json").json
    assert "RULE_FORCED" in forced.out
    assert (nobody.code, "NOT_FOUND" in nobody.err) == (1, True)


def test_nobody_there_is_no_answer(run: Run) -> None:
    ran = run("explain", "--user", "u", "--flag", "f", "--address", "unix:/nowhere/socket", "--timeout", "1")
    assert (ran.code, ran.out) == (1, "")
    assert "no answer from unix:/nowhere/socket" in ran.err

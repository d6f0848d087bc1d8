import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, type Decision, RequestRefused, Unavailable } from "@decision-sidecar/client";
import { status } from "@grpc/grpc-js";

import { DecideRequest } from "#internal/pb/sidecar/v1/decision.js";

import { Scripted } from "./scripted.js";

/** Generous: the machine may be busy. */
const PATIENT = { decideTimeoutMs: 10_000, eventTimeoutMs: 10_000 };

test("a decision has what the sidecar said", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const decision = await client.user("u", { attributes: { n: 1 } }).decide("a", { decisionId: "d-1" });
  const { variables, ...rest } = decision;
  assert.deepEqual(rest, {
    flagKey: "a",
    variationKey: "on",
    enabled: true,
    ruleKey: "rule",
    ruleType: "FEATURE_TEST",
    reason: "BUCKETED",
    experimentId: "",
    variationId: "",
    reasons: [],
    revision: "41",
    decisionId: "d-1",
    errorReason: "",
  } satisfies Omit<Decision, "variables">);
  assert.equal(variables.bigint("integer"), 2n ** 53n + 1n);
  assert.equal(variables.integer("n"), 1);
});

test("a retry sends the same bytes", async () => {
  using sidecar = await Scripted.start();
  sidecar.fail(status.UNAVAILABLE, {}, 2);
  await using client = connect(sidecar.address, PATIENT);
  const decision = await client.user("u").decide("a");
  assert.equal(decision.errorReason, "");
  const [first, ...others] = sidecar.seen.map(({ request }) => request.toString("hex"));
  assert.deepEqual(others, [first, first]);
  assert.match(decision.decisionId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(client.counters.retries, 2);
});

test("only UNAVAILABLE is tried again", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  for (const code of [status.INTERNAL, status.RESOURCE_EXHAUSTED, status.FAILED_PRECONDITION, status.UNKNOWN]) {
    sidecar.fail(code);
    assert.equal((await client.user("u").decide("a")).errorReason, status[code]);
  }
  assert.equal(sidecar.seen.length, 4);
});

test("a decision gives up after three tries", async () => {
  using sidecar = await Scripted.start();
  sidecar.fail(status.UNAVAILABLE, {}, 5);
  await using client = connect(sidecar.address, PATIENT);
  await assert.rejects(client.user("u").decide("a", { strict: true }), Unavailable);
  assert.equal(sidecar.seen.length, 3);
});

test("no try goes past the deadline, though the sidecar stands still", async () => {
  using sidecar = await Scripted.start();
  sidecar.holding = true;
  await using client = connect(sidecar.address);
  const decision = await client.user("u").decide("a", { timeoutMs: 50 });
  assert.equal(decision.errorReason, "DEADLINE_EXCEEDED");
  assert.ok(sidecar.seen.length <= 1);
});

test("without an answer the default stands in, says why, and is counted", async () => {
  await using client = connect("127.0.0.1:9", PATIENT);
  const user = client.user("u");
  const decision = await user.decide("a", { default: { variationKey: "mine", variables: { steps: 4 } } });
  assert.equal(decision.reason, "SIDECAR_UNAVAILABLE");
  assert.equal(decision.errorReason, "UNAVAILABLE");
  assert.equal(decision.variables.integer("steps"), 4);
  assert.match(decision.reasons[0] ?? "", /DecisionService\/Decide failed: UNAVAILABLE/);
  const several = await user.decideForKeys(["b", "c"], { defaults: { c: { enabled: true } } });
  assert.deepEqual(
    Array.from(several.values(), ({ flagKey, enabled }) => [flagKey, enabled]),
    [
      ["b", false],
      ["c", true],
    ],
  );
  assert.deepEqual([...(await user.decideAll({ defaults: { z: {} } })).keys()], ["z"]);
  assert.equal(client.counters.decisionsDefaulted, 3);
});

test("strict throws instead, of a client and of a call", async () => {
  await using client = connect("127.0.0.1:9", { ...PATIENT, strict: true });
  await assert.rejects(client.user("u").decide("a"), Unavailable);
  assert.equal((await client.user("u").decide("a", { strict: false })).reason, "SIDECAR_UNAVAILABLE");
});

test("a reason of a newer sidecar is UNSPECIFIED", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  assert.equal((await client.user("u").decide("newer")).reason, "UNSPECIFIED");
});

test("a flag that ENABLED_FLAGS_ONLY leaves out is off", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const decision = await client.user("u").decide("off", { options: ["ENABLED_FLAGS_ONLY"] });
  assert.deepEqual([decision.enabled, decision.errorReason, decision.revision], [false, "", "41"]);
});

test("several flags come in their order, none asked for is none answered", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const user = client.user("u");
  assert.deepEqual([...(await user.decideForKeys(["b", "a"])).keys()], ["b", "a"]);
  assert.deepEqual([...(await user.decideAll()).keys()], ["first", "second"]);
  assert.equal((await user.decideForKeys([])).size, 0);
  assert.equal(sidecar.seen.length, 2);
});

test("a handle is immutable, and carries segments and forced decisions", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const plain = client.user("u", { attributes: { a: 1, b: 2 }, datafile: "other" });
  const other = plain
    .withAttributes({ b: undefined, c: "x" })
    .withSegments([])
    .withForcedDecision("f", "old")
    .withForcedDecision("f", "new")
    .withForcedDecision("f", "v", "rule")
    .withForcedDecision("g", "v")
    .withoutForcedDecision("g");
  await plain.decide("f");
  await other.decide("f");
  const [first, second] = sidecar.requests("Decide", DecideRequest);
  assert.deepEqual([...(first?.attributes.keys() ?? [])], ["a", "b"]);
  assert.deepEqual(first?.qualifiedSegments, undefined);
  assert.deepEqual([...(second?.attributes.keys() ?? [])], ["a", "c"]);
  assert.deepEqual(second?.qualifiedSegments, { keys: [] });
  assert.deepEqual(second.forcedDecisions, [
    { flagKey: "f", ruleKey: "", variationKey: "new" },
    { flagKey: "f", ruleKey: "rule", variationKey: "v" },
  ]);
  assert.equal(second.datafile, "other");
});

test("of many users one that is refused has the default, the others their decisions", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const users = ["a", "", "b"].map((userId) => client.user(userId));
  const answered = await client.decideMany(users, { flagKeys: ["f"], decisionIds: ["1", "2", "3"] });
  assert.deepEqual(
    answered.map(({ errorReason, decisionId }) => [errorReason, decisionId]),
    [
      ["", "1"],
      ["INVALID_ARGUMENT", ""],
      ["", "3"],
    ],
  );
  assert.equal(answered[1]?.get("f")?.reason, "SIDECAR_UNAVAILABLE");
  assert.equal(client.counters.decisionsDefaulted, 1);
  await assert.rejects(client.decideMany(users, { strict: true }), RequestRefused);
});

test("many users are bounded, of one datafile, and have an id each", async () => {
  await using client = connect("127.0.0.1:9", PATIENT);
  const user = client.user("u");
  await assert.rejects(client.decideMany(Array.from({ length: 1_001 }, () => user)), RangeError);
  await assert.rejects(client.decideMany([user, client.user("v", { datafile: "other" })]), /datafiles/);
  await assert.rejects(client.decideMany([user], { decisionIds: ["1", "2"] }), /decisionIds are 2 for 1/);
  assert.deepEqual(await client.decideMany([]), []);
});

test("an option that does not exist is named", async () => {
  await using client = connect("127.0.0.1:9", PATIENT);
  const options = ["EVERYTHING" as "INCLUDE_REASONS"];
  await assert.rejects(client.user("u").decide("a", { options }), /option is `EVERYTHING`, wanted one of/);
});

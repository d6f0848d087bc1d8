import assert from "node:assert/strict";
import { test } from "node:test";

import type { Unavailable } from "@decision-sidecar/client";
import { FakeSidecar } from "@decision-sidecar/client/testing";

test("the fake answers what it was told, and records what was asked", async () => {
  const fake = new FakeSidecar({ f: { variationKey: "on", enabled: true, ruleType: "ROLLOUT", reason: "ROLLOUT" } });
  await using client = fake.client();
  const user = client.user("u", { attributes: { plan: "pro" } });
  const decision = await user.decide("f");
  assert.deepEqual([decision.variationKey, decision.ruleType, decision.reason], ["on", "ROLLOUT", "ROLLOUT"]);
  assert.equal((await user.decide("unknown")).reason, "FLAG_NOT_FOUND");
  fake.decideAs("g", { enabled: true });
  const [many] = await client.decideMany([user]);
  assert.deepEqual([...(many?.keys() ?? [])], ["f", "g"]);
  assert.equal((await user.explain("f")).decision.variationKey, "on");
  assert.deepEqual(fake.decided[0], { userId: "u", flagKey: "f", attributes: { plan: "pro" } });
  assert.equal(fake.decided.length, 4);
});

test("the fake records the six events, and a repeated id once", async () => {
  const fake = new FakeSidecar();
  await using client = fake.client();
  const user = client.user("u", { anonymousId: "anon" });
  const revenue = { amount: "1.00", currency: "USD" };
  await user.track("t", { eventId: "1", revenue, tags: { value: 0.5 } });
  await user.track("t", { eventId: "1" });
  await user.identify({ traits: { age: 36 } });
  await user.page("p", { category: "c" });
  await user.screen("s");
  await user.group("g");
  await user.alias("old");
  const report = await client.importEvents([user.drafts.track("h"), user.drafts.track("t", { eventId: "1" })]);
  assert.deepEqual([report.accepted, report.repeated], [2, 1]);
  assert.deepEqual(
    fake.events.map(({ kind, name, previousId, category }) => [kind, name, previousId, category]),
    [
      ["track", "t", "", ""],
      ["identify", "", "", ""],
      ["page", "p", "", "c"],
      ["screen", "s", "", ""],
      ["group", "g", "", ""],
      ["alias", "", "old", ""],
      ["track", "h", "", ""],
    ],
  );
  assert.deepEqual(fake.events[0]?.revenue, revenue);
  assert.deepEqual(fake.events[1]?.traits, { age: 36n });
});

test("the fake fails until it recovers", async () => {
  const fake = new FakeSidecar();
  await using client = fake.client({ eventTimeoutMs: 20 });
  fake.fail("UNAVAILABLE", { reason: "STOPPING" });
  await assert.rejects(client.user("u").track("e"), (error: Unavailable) => error.reason === "STOPPING");
  fake.recover();
  assert.equal(await client.waitReady(), true);
  await client.user("u").track("e");
});

/** A unit test of code that decides and tracks, without a sidecar: `node --test testing.js`. */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Client } from "@decision-sidecar/client";
import { FakeSidecar } from "@decision-sidecar/client/testing";

/** The code under test. */
async function checkout(client: Client): Promise<string> {
  const user = client.user("user-1");
  const { variables } = await user.decide("checkout_redesign");
  await user.track("purchase", { revenue: { amount: "19.90", currency: "USD" } });
  return `${variables.integer("steps", 4)} steps`;
}

void test("express checkout has one step", async () => {
  const fake = new FakeSidecar({ checkout_redesign: { enabled: true, variables: { steps: 1 } } });
  await using client = fake.client();
  assert.equal(await checkout(client), "1 steps");
  assert.deepEqual(
    fake.events.map((event) => event.name),
    ["purchase"],
  );
});

void test("checkout survives an outage", async () => {
  const fake = new FakeSidecar();
  fake.fail();
  await using client = fake.client({ bufferEventsMax: 10, eventTimeoutMs: 100 });
  assert.equal(await checkout(client), "4 steps");
  fake.recover();
  await client.flush();
  assert.deepEqual(
    fake.events.map((event) => event.name),
    ["purchase"],
  );
});

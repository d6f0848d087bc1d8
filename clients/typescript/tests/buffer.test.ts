import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, RequestRefused } from "@decision-sidecar/client";
import { FakeSidecar } from "@decision-sidecar/client/testing";

test("a buffer keeps order, drops its oldest, and is sent when the sidecar is back", async () => {
  const fake = new FakeSidecar();
  fake.fail();
  await using client = fake.client({ bufferEventsMax: 3, eventTimeoutMs: 100 });
  const user = client.user("u");
  for (const name of ["a", "b", "c", "d", "e"]) {
    const accepted = await user.track(name, { eventId: name });
    assert.deepEqual([accepted.buffered, accepted.eventId, accepted.outcomes], [true, name, []]);
  }
  assert.deepEqual([client.counters.eventsBuffered, client.counters.eventsDropped], [3, 2]);
  fake.recover();
  assert.equal((await client.flush(10_000)).complete, true);
  assert.deepEqual(
    // `a` was on its way when it was dropped, and may arrive nevertheless.
    fake.events.map(({ name }) => name).filter((name) => name !== "a"),
    ["c", "d", "e"],
  );
  assert.equal(client.counters.eventsBuffered, 0);
  assert.equal((await user.track("f")).buffered, false);
});

test("a buffer is bounded in bytes", async () => {
  await using client = connect("127.0.0.1:9", { bufferEventsMax: 100, bufferBytesMax: 1_000, eventTimeoutMs: 50 });
  for (let made = 0; made < 3; made += 1) await client.user("u").track("e", { properties: { x: "x".repeat(400) } });
  assert.deepEqual([client.counters.eventsBuffered, client.counters.eventsDropped], [2, 1]);
});

test("what is wrong with a request still throws, and one refused late is dropped, counted", async () => {
  const fake = new FakeSidecar();
  await using client = fake.client({ bufferEventsMax: 3, eventTimeoutMs: 100 });
  fake.fail("INVALID_ARGUMENT");
  await assert.rejects(client.user("u").track("e"), RequestRefused);
  fake.fail("RESOURCE_EXHAUSTED", { reason: "OUTBOX_FULL" });
  assert.equal((await client.user("u").track("e")).buffered, true);
  fake.fail("INVALID_ARGUMENT");
  while (client.counters.eventsBuffered > 0) await new Promise(setImmediate);
  assert.equal(client.counters.eventsDropped, 1);
});

test("close gives the buffer as long as one event has, then gives it up", async () => {
  const fake = new FakeSidecar();
  fake.fail();
  const client = fake.client({ bufferEventsMax: 3, eventTimeoutMs: 20 });
  await client.user("u").track("e");
  await client.close();
  assert.deepEqual([client.counters.eventsBuffered, client.counters.eventsDropped], [0, 1]);
});

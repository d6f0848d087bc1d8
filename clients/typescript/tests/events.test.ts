import assert from "node:assert/strict";
import { test } from "node:test";

import {
  AccessDenied,
  connect,
  NotReady,
  Refused,
  RequestRefused,
  SidecarError,
  SidecarFault,
} from "@decision-sidecar/client";
import { status } from "@grpc/grpc-js";

import { ImportRequest, TrackRequest } from "#internal/pb/sidecar/v1/tracking.js";

import { Scripted } from "./scripted.js";

const PATIENT = { decideTimeoutMs: 10_000, eventTimeoutMs: 10_000 };

test("a retry sends the same id and time, and money is exact", async () => {
  using sidecar = await Scripted.start();
  sidecar.fail(status.UNAVAILABLE, {}, 3);
  await using client = connect(sidecar.address, PATIENT);
  const before = Date.now();
  const accepted = await client
    .user("u")
    .track("e", { revenue: { amount: "12345678901234567890.10", currency: "EUR" } });
  const sent = sidecar.requests("Track", TrackRequest);
  assert.equal(sent.length, 4);
  assert.equal(new Set(sidecar.seen.map(({ request }) => request.toString("hex"))).size, 1);
  assert.equal(sent[0]?.eventId, accepted.eventId);
  assert.ok((sent[0].timestamp?.getTime() ?? 0) >= before);
  assert.deepEqual(sent[0].revenue, { amount: "12345678901234567890.10", currency: "EUR" });
  assert.deepEqual(accepted.outcomes, [
    { destination: "console", state: "QUEUED", reason: "" },
    { destination: "shop", state: "SKIPPED", reason: "TOO_LARGE" },
  ]);
  assert.equal(accepted.exposureSeenHere, true);
});

test("money that is not exact text is refused at once", () => {
  const { drafts } = connect("127.0.0.1:9").user("u");
  const made = (amount: unknown, currency = "EUR") =>
    drafts.track("e", { revenue: { amount: amount as string, currency } });
  assert.throws(() => made(19.9), /revenue amount is number `19.9`, wanted text/);
  assert.throws(() => made("1e3"), /revenue amount is `1e3`, wanted digits/);
  assert.throws(() => made("1", "euro"), /revenue currency is `euro`/);
  assert.throws(() => drafts.track("e", { timestamp: new Date(NaN) }), /invalid Date/);
});

test("every violation is listed, and the error is the client's own", async () => {
  using sidecar = await Scripted.start();
  const violations = [
    { field: "user_id", description: "is empty" },
    { field: "event_tags[revenue]", description: "is text" },
  ];
  sidecar.fail(status.INVALID_ARGUMENT, { reason: "INVALID_ARGUMENT", violations });
  await using client = connect(sidecar.address, PATIENT);
  await assert.rejects(client.user("").track("e", { eventId: "e-1" }), (error: RequestRefused) => {
    assert.ok(error instanceof RequestRefused);
    assert.deepEqual(error.violations, violations);
    assert.deepEqual(
      [error.kind, error.name, error.retryable, error.eventId],
      ["RequestRefused", "RequestRefused", false, "e-1"],
    );
    assert.equal(error.method, "/sidecar.v1.TrackingService/Track");
    assert.match(error.message, /Track failed: INVALID_ARGUMENT: told to fail; user_id: is empty; event_tags/);
    assert.match(error.stack ?? "", /^RequestRefused: /);
    return true;
  });
});

test("an error says whose fault it is, and whether and when a retry helps", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const failed = async (code: status, details = {}): Promise<SidecarError> => {
    sidecar.fail(code, details);
    try {
      await client.user("u").track("e");
    } catch (error) {
      if (error instanceof SidecarError) return error;
    }
    throw new Error("the event was accepted, wanted an error");
  };
  const full = await failed(status.RESOURCE_EXHAUSTED, { reason: "OUTBOX_FULL", retryAfterMs: 2_500 });
  assert.ok(full instanceof Refused);
  assert.deepEqual([full.reason, full.retryable, full.retryAfterMs], ["OUTBOX_FULL", true, 2_500]);
  assert.ok((await failed(status.UNAUTHENTICATED)) instanceof AccessDenied);
  assert.ok((await failed(status.FAILED_PRECONDITION)) instanceof NotReady);
  assert.ok((await failed(status.DATA_LOSS)) instanceof SidecarFault);
});

test("an import goes in batches, reports one that is refused, and goes on after UNAVAILABLE", async () => {
  using sidecar = await Scripted.start();
  sidecar.fail(status.INVALID_ARGUMENT, { reason: "INVALID_ARGUMENT" });
  sidecar.fail(status.UNAVAILABLE, {}, 2);
  await using client = connect(sidecar.address, PATIENT);
  async function* drafts() {
    for (let number = 0; number < 5; number += 1) {
      yield await Promise.resolve(client.user("u").drafts.track("e", { eventId: `h-${number}` }));
    }
  }
  const report = await client.importEvents(drafts(), { batchEventsMax: 2, includeOptimizely: true });
  assert.equal(report.accepted, 3);
  assert.deepEqual(
    report.refused.map(({ firstIndex, events, error }) => [firstIndex, events, error.reason]),
    [[0, 2, "INVALID_ARGUMENT"]],
  );
  const sent = sidecar.requests("Import", ImportRequest).map(({ events }) => events.length);
  assert.deepEqual(sent, [2, 2, 2, 2, 1]);
});

test("an import that breaks off says how far it came", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const { drafts } = client.user("u");
  const rows = (function* () {
    yield drafts.track("e");
    sidecar.fail(status.PERMISSION_DENIED);
    yield drafts.track("e");
  })();
  await assert.rejects(client.importEvents(rows, { batchEventsMax: 1 }), (error: SidecarError) => {
    assert.deepEqual([error.kind, error.imported?.accepted], ["AccessDenied", 0]);
    return true;
  });
  await assert.rejects(client.importEvents([], { batchEventsMax: 501 }), /batchEventsMax is 501, wanted 1 to 500/);
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { AccessDenied, ClientClosed, connect } from "@decision-sidecar/client";
import { status } from "@grpc/grpc-js";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { context, trace, TraceFlags } from "@opentelemetry/api";

import { Scripted } from "./scripted.js";

const PATIENT = { decideTimeoutMs: 10_000, eventTimeoutMs: 10_000 };

test("a restart of the sidecar is found, on TCP and on a Unix socket", async () => {
  const directory = mkdtempSync(join(tmpdir(), "client-"));
  for (const address of ["127.0.0.1:0", `unix:${join(directory, "s.sock")}`]) {
    using sidecar = await Scripted.start(address);
    await using client = connect(sidecar.address, { ...PATIENT, strict: true });
    await client.user("u").decide("a");
    sidecar.stop();
    assert.equal((await client.user("u").decide("a", { strict: false })).reason, "SIDECAR_UNAVAILABLE");
    await sidecar.start();
    await client.user("u").track("e");
    await client.user("u").decide("a");
  }
  rmSync(directory, { recursive: true });
});

test("many calls at once share one client", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  const answered = await Promise.all(
    numbers.map(async (n) => (await client.user(`u${n}`, { attributes: { n } }).decide("a")).variables.integer("n")),
  );
  assert.deepEqual(answered, numbers);
});

test("a call after close, and one during it, is ClientClosed", async () => {
  using sidecar = await Scripted.start();
  sidecar.holding = true;
  const client = connect(sidecar.address, PATIENT);
  const during = client.user("u").track("e", { eventId: "e-1" });
  const refused = assert.rejects(during, (error: ClientClosed) => {
    assert.deepEqual([error.kind, error.reason, error.eventId], ["ClientClosed", "CLIENT_CLOSED", "e-1"]);
    return error instanceof ClientClosed;
  });
  while (sidecar.seen.length === 0) await new Promise(setImmediate);
  await client.close();
  await refused;
  await client.close();
  await assert.rejects(client.status(), ClientClosed);
  assert.equal((await client.user("u").decide("a")).errorReason, "CLIENT_CLOSED");
});

test("the token is sent, and asked anew before every try", async () => {
  using sidecar = await Scripted.start();
  let asked = 0;
  const token = (): Promise<string> => Promise.resolve(`t-${(asked += 1)}`);
  await using client = connect(sidecar.address, { ...PATIENT, token });
  await client.user("u").track("e");
  await client.user("u").track("e");
  assert.deepEqual(
    sidecar.seen.map(({ metadata }) => metadata.get("authorization")[0]),
    ["Bearer t-1", "Bearer t-2"],
  );
});

test("a function that reads the token and fails, or never ends, costs a caller its deadline at most", async () => {
  const failing = (): Promise<string> => Promise.reject(new Error("no such file"));
  await using denied = connect("127.0.0.1:9", { ...PATIENT, token: failing });
  await assert.rejects(denied.user("u").track("e"), (error: AccessDenied) => error.message.includes("no such file"));
  assert.equal((await denied.user("u").decide("a")).errorReason, "UNAUTHENTICATED");
  await using hanging = connect("127.0.0.1:9", { token: () => new Promise(() => undefined) });
  assert.equal((await hanging.user("u").decide("a", { timeoutMs: 20 })).errorReason, "DEADLINE_EXCEEDED");
  await using split = connect("127.0.0.1:9", { ...PATIENT, token: "a\nb" });
  assert.equal((await split.user("u").decide("a")).errorReason, "UNAUTHENTICATED");
});

test("the traceparent of the current span is sent, and nothing without one", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  await client.user("u").track("e");
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  const spanContext = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: TraceFlags.SAMPLED,
  };
  await context.with(trace.setSpanContext(context.active(), spanContext), () => client.user("u").track("e"));
  context.disable();
  assert.deepEqual(
    sidecar.seen.map(({ metadata }) => metadata.get("traceparent")[0]),
    [undefined, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  );
});

test("a watch tells each change once, over a restart", async () => {
  using sidecar = await Scripted.start();
  sidecar.change("41");
  await using client = connect(sidecar.address, PATIENT);
  const changes = client.watch();
  const next = async (): Promise<string> => ((await changes.next()).value as { revision: string }).revision;
  assert.equal(await next(), "41");
  sidecar.change("42");
  assert.equal(await next(), "42");
  sidecar.stop();
  await sidecar.start();
  const told = next();
  while (sidecar.seen.filter(({ method }) => method === "Watch").length < 2) await new Promise(setImmediate);
  sidecar.change("43");
  assert.equal(await told, "43");
});

test("a watch ends when the client is closed, or its signal aborted", async () => {
  using sidecar = await Scripted.start();
  sidecar.change("41");
  const client = connect(sidecar.address, PATIENT);
  const stopped = new AbortController();
  const revisions: string[] = [];
  for await (const { revision } of client.watch({ signal: stopped.signal })) {
    revisions.push(revision);
    stopped.abort();
  }
  for await (const { revision } of client.watch()) {
    revisions.push(revision);
    setImmediate(() => void client.close());
  }
  assert.deepEqual(revisions, ["41", "41"]);
});

test("an address and a bound that cannot be are refused", () => {
  for (const address of ["", "localhost", "unix:", ":1", "h:0", "h:65536", "h:x"]) {
    assert.throws(() => connect(address), /wanted `HOST:PORT` or `unix:PATH`/, address);
  }
  assert.throws(() => connect("h:1", { decideTimeoutMs: 0 }), /decideTimeoutMs is 0/);
  assert.throws(() => connect("h:1", { bufferEventsMax: -1 }), /bufferEventsMax is -1/);
  assert.throws(() => connect("h:1", { tls: { certificate: "x" } }), /wanted both or neither/);
});

test("ready is true for a sidecar that decides, false when the time runs out, an error when waiting does not mend", async () => {
  using sidecar = await Scripted.start();
  await using client = connect(sidecar.address, PATIENT);
  assert.equal(await client.waitReady(10_000), true);
  const told = await client.status();
  assert.deepEqual([told.revision, told.loadedTime?.getTime()], ["41", 1_700_000_000_250]);
  assert.deepEqual(await client.flush(0), {
    complete: false,
    buffered: 0,
    remainders: [{ destination: "shop", events: 3, pauseReason: "401" }],
  });
  await using nowhere = connect("127.0.0.1:9");
  assert.equal(await nowhere.waitReady(50), false);
  sidecar.fail(status.UNAUTHENTICATED);
  await assert.rejects(client.waitReady(), AccessDenied);
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { status } from "@grpc/grpc-js";

import { TrackRequest } from "#internal/pb/sidecar/v1/tracking.js";

import { Scripted } from "./scripted.js";

const SAMPLES = fileURLToPath(new URL("../samples/", import.meta.url));

/** What a sample prints, line by line, run as a reader would: a process of its own, the address as argument. */
async function run(sample: string, ...rest: string[]): Promise<string[]> {
  const environment = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { stdout } = await promisify(execFile)(process.execPath, [`${SAMPLES}${sample}.js`, ...rest], {
    env: environment,
    timeout: 30_000,
  });
  return stdout.trimEnd().split("\n");
}

test("the samples are those of every language", () => {
  const names = readdirSync(SAMPLES).filter((name) => name.endsWith(".js"));
  assert.deepEqual(names.sort(), ["errors.js", "first_decision.js", "first_event.js", "testing.js", "watch.js"]);
});

test("first_decision decides", async () => {
  using sidecar = await Scripted.start();
  assert.deepEqual(await run("first_decision", sidecar.address), [
    "checkout_redesign: on, layout classic, because BUCKETED",
  ]);
});

test("first_event identifies and tracks", async () => {
  using sidecar = await Scripted.start();
  assert.deepEqual(await run("first_event", sidecar.address), ["console: QUEUED", "shop: SKIPPED TOO_LARGE"]);
  const [tracked] = sidecar.requests("Track", TrackRequest);
  assert.deepEqual(tracked?.revenue, { amount: "19.90", currency: "USD" });
  assert.deepEqual(
    sidecar.seen.map(({ method }) => method),
    ["Identify", "Track"],
  );
});

test("errors shows violations and a default", async () => {
  using sidecar = await Scripted.start();
  sidecar.fail(status.INVALID_ARGUMENT, { violations: [{ field: "user_id", description: "is empty" }] });
  const [violation, unanswered] = await run("errors", sidecar.address);
  assert.equal(violation, "user_id: is empty");
  // Why not the error's word: on a busy machine the deadline may pass before the refusal is seen.
  assert.match(unanswered ?? "", /^control, because SIDECAR_UNAVAILABLE: /);
});

test("testing holds", async () => {
  assert.ok((await run("testing")).join("\n").includes("pass 2"));
});

test("watch tells each revision", async () => {
  using sidecar = await Scripted.start();
  sidecar.change("41");
  const told = run("watch", sidecar.address, "2");
  while (sidecar.seen.length === 0) await new Promise(setImmediate);
  sidecar.change("42");
  assert.deepEqual(await told, ["revision 41 from file:/shop.json", "revision 42 from file:/shop.json"]);
});

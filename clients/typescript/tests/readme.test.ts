import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { ImportRequest, TrackRequest } from "#internal/pb/sidecar/v1/tracking.js";

import { Scripted } from "./scripted.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const SNIPPETS = Array.from(README.matchAll(/^```ts\n(.*?)^```$/gms), ([, snippet]) => snippet ?? "");
const run = promisify(execFile);

test("the page has the sections that every client has", () => {
  for (const heading of ["First decision", "First event", "When something fails", "Testing your code"]) {
    assert.ok(README.includes(`\n## ${heading}\n`), heading);
  }
});

test("the snippets compile and run, in the order of the page", async () => {
  using sidecar = await Scripted.start();
  // Why inside the package: its own name resolves there, as it does where it is installed.
  const directory = mkdtempSync(join(ROOT, "build", "readme-"));
  try {
    const page = [...SNIPPETS, "await client.close();\n"].join("\n").replace("127.0.0.1:8013", sidecar.address);
    writeFileSync(join(directory, "page.ts"), page);
    const options = {
      extends: join(ROOT, "tsconfig.base.json"),
      compilerOptions: { composite: false },
      include: ["."],
    };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(options));
    const environment = { ...process.env, NODE_TEST_CONTEXT: undefined };
    await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", directory]).catch(
      (error: unknown) => {
        assert.fail((error as { stdout: string }).stdout);
      },
    );
    const { stdout } = await run(process.execPath, [join(directory, "page.js")], { env: environment });
    assert.match(stdout, /2 0 \[\]/);
  } finally {
    rmSync(directory, { recursive: true });
  }
  const revenues = sidecar.requests("Track", TrackRequest).map(({ revenue }) => revenue?.amount);
  assert.deepEqual(revenues, ["19.90", undefined]);
  const imported = sidecar
    .requests("Import", ImportRequest)
    .flatMap(({ events }) => events.map(({ event }) => event?.value.eventId));
  assert.deepEqual(imported, ["order-1", "order-2"]);
});

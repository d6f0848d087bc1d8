/**
 * What a decision costs its caller: 20,000 (or BENCH_CALLS) one after another and with 64 in flight, against
 * SIDECAR_ADDRESS, and, where Optimizely's SDK is installed beside this file (`npm ci` in bench/), in process on the same
 * datafile. One JSON line a mode; CPU is this process's own.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { connect, DEFAULT_ADDRESS } from "@decision-sidecar/client";

const CALLS = Number(process.env["BENCH_CALLS"] ?? 20_000);
const WARMING = Math.min(CALLS, 2_000);
const IN_FLIGHT = 64;
const ATTRIBUTES = { country: "us", age: 42 };
const DATAFILE = process.env["SIDECAR_DATAFILE"] ?? "tests/vectors/datafile_20_flags.json";

async function measure(mode: string, calls: number, run: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await run();
  const wallUs = (performance.now() - started) * 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const perCall = (us: number): number => Math.round((us / calls) * 10) / 10;
  const figures = { us_per_call: perCall(wallUs), client_cpu_us_per_call: perCall(user + system) };
  console.log(JSON.stringify({ language: "typescript", mode, calls, ...figures }));
}

async function sidecar(): Promise<void> {
  await using client = connect(process.env["SIDECAR_ADDRESS"] ?? DEFAULT_ADDRESS, {
    strict: true,
    decideTimeoutMs: 30_000,
  });
  await client.waitReady();
  const some = async (calls: number): Promise<void> => {
    for (let made = 0; made < calls; made += 1) {
      await client.user(`user-${made}`, { attributes: ATTRIBUTES }).decide("flag_0");
    }
  };
  await some(WARMING); // The compiler of the engine has its fill.
  await measure("one after another", CALLS, () => some(CALLS));
  await measure("64 in flight", CALLS, async () => {
    let begun = 0;
    const worker = async (): Promise<void> => {
      while (begun < CALLS) {
        begun += 1;
        await client.user(`user-${begun}`, { attributes: ATTRIBUTES }).decide("flag_0");
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  });
}

/** What is used of Optimizely's SDK; it is a dependency of this program alone, and may be absent. */
interface Optimizely {
  createStaticProjectConfigManager(options: { datafile: string }): unknown;
  createInstance(options: object): {
    onReady(): Promise<unknown>;
    createUserContext(id: string, attributes: object): { decide(flag: string, options: string[]): unknown };
    close(): unknown;
  };
}

async function sdk(): Promise<void> {
  const name = "@optimizely/optimizely-sdk";
  let optimizely: Optimizely;
  try {
    const require = createRequire(new URL("../../bench/package.json", import.meta.url));
    optimizely = require(name) as Optimizely;
  } catch {
    console.error(`SKIPPED: ${name} is not installed; run npm ci in clients/typescript/bench`);
    return;
  }
  const projectConfigManager = optimizely.createStaticProjectConfigManager({
    datafile: readFileSync(DATAFILE, "utf8"),
  });
  const instance = optimizely.createInstance({ projectConfigManager });
  await instance.onReady();
  const some = (calls: number): Promise<void> => {
    for (let made = 0; made < calls; made += 1) {
      instance.createUserContext(`user-${made}`, ATTRIBUTES).decide("flag_0", ["DISABLE_DECISION_EVENT"]);
    }
    return Promise.resolve();
  };
  await some(WARMING);
  await measure("sdk", CALLS, () => some(CALLS));
  await instance.close();
}

await sidecar();
await sdk();

/** A sidecar for tests: a real gRPC server over TCP or a Unix socket, scripted by the test. */
import { EventEmitter, on } from "node:events";

import * as grpc from "@grpc/grpc-js";

import { BadRequest, ErrorInfo, RetryInfo } from "#internal/pb/google/rpc/error_details.js";
import { Status } from "#internal/pb/google/rpc/status.js";
import * as datafile from "#internal/pb/sidecar/v1/datafile.js";
import * as decision from "#internal/pb/sidecar/v1/decision.js";
import { OutcomeState } from "#internal/pb/sidecar/v1/event.js";
import { DecisionReason, RuleType } from "#internal/pb/sidecar/v1/reason.js";
import * as tracking from "#internal/pb/sidecar/v1/tracking.js";
import type { Value } from "#internal/pb/sidecar/v1/value.js";

/** What the server was sent: by method, the bytes of each request. */
export interface Seen {
  readonly method: string;
  readonly request: Buffer;
  readonly metadata: grpc.Metadata;
}

interface Details {
  readonly reason?: string;
  readonly violations?: readonly { field: string; description: string }[];
  readonly retryAfterMs?: number;
}

/** Answers plausibly, keeps every request, and fails the next calls as it is told. */
export class Scripted {
  readonly seen: Seen[] = [];
  readonly failures: grpc.StatusObject[] = [];
  readonly #changes = new EventEmitter();
  readonly #revisions: string[] = [];
  /** Calls that are neither answered nor failed, while true. */
  holding = false;
  address: string;
  #server: grpc.Server | undefined;

  constructor(address = "127.0.0.1:0") {
    this.address = address;
    this.#changes.setMaxListeners(0);
  }

  static async start(address?: string): Promise<Scripted> {
    const script = new Scripted(address);
    await script.start();
    return script;
  }

  async start(): Promise<void> {
    const server = new grpc.Server();
    for (const [path, answer] of Object.entries(ANSWERS)) {
      const [, service = "", method = ""] = path.split("/");
      const definition = { path, requestStream: false, responseStream: false, ...BYTES };
      server.addService(
        { [method]: definition },
        {
          [method]: this.#unary(service, method, answer),
        },
      );
    }
    const path = "/sidecar.v1.DatafileService/Watch";
    server.addService(
      { Watch: { path, requestStream: false, responseStream: true, ...BYTES } },
      {
        Watch: (call: grpc.ServerWritableStream<Buffer, Buffer>) => void this.#watch(call),
      },
    );
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(this.address, grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
    if (!this.address.startsWith("unix:")) this.address = `127.0.0.1:${bound}`;
    this.#server = server;
  }

  stop(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Fails the next calls with this code, and these details. */
  fail(code: grpc.status, details: Details = {}, times = 1): void {
    const metadata = new grpc.Metadata();
    if (Object.keys(details).length > 0) metadata.set("grpc-status-details-bin", encoded(code, details));
    for (let made = 0; made < times; made += 1) this.failures.push({ code, details: "told to fail", metadata });
  }

  /** Tells every watch, and those to come, that this revision is in force. */
  change(revision: string): void {
    this.#revisions.push(revision);
    this.#changes.emit("change");
  }

  /** The requests of one method, read. */
  requests<Message>(method: string, type: { decode(bytes: Uint8Array): Message }): Message[] {
    return this.seen.filter((each) => each.method === method).map(({ request }) => type.decode(request));
  }

  #unary(service: string, method: string, answer: Answer): grpc.handleUnaryCall<Buffer, Buffer> {
    return ({ request, metadata }, reply) => {
      this.seen.push({ method, request, metadata });
      if (this.holding) return;
      const failure = this.failures.shift();
      if (failure === undefined) reply(null, Buffer.from(answer(request)));
      else reply(Object.assign(new Error(`${service} was told to fail`), failure));
    };
  }

  async #watch(call: grpc.ServerWritableStream<Buffer, Buffer>): Promise<void> {
    const ended = new AbortController();
    call.on("cancelled", () => {
      ended.abort();
    });
    this.seen.push({ method: "Watch", request: call.request, metadata: call.metadata });
    const tell = (revision: string): void => {
      const source = "file:/shop.json";
      call.write(
        Buffer.from(datafile.WatchResponse.encode(datafile.WatchResponse.create({ revision, source })).finish()),
      );
    };
    let told = Math.max(this.#revisions.length - 1, 0);
    try {
      for (;;) {
        for (; told < this.#revisions.length; told += 1) tell(this.#revisions[told] ?? "");
        await on(this.#changes, "change", { signal: ended.signal }).next();
      }
    } catch {
      call.end(); // The reader left.
    }
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;
const BYTES = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

/** A reason that this client does not know. */
const NEWER = JSON.parse("99") as DecisionReason;

type Answer = (request: Buffer) => Uint8Array;

function decided({ flagKeys, attributes, decisionId, options }: decision.DecideRequest): decision.DecideResponse {
  const enabledOnly = options.includes(decision.DecideOption.DECIDE_OPTION_ENABLED_FLAGS_ONLY);
  const keys = flagKeys.length > 0 ? flagKeys : ["first", "second"];
  return decision.DecideResponse.create({
    revision: "41",
    decisionId,
    decisions: keys
      .filter((flagKey) => flagKey !== "off" || !enabledOnly)
      .map((flagKey) => ({
        flagKey,
        variationKey: "on",
        enabled: true,
        ruleKey: "rule",
        ruleType: RuleType.RULE_TYPE_FEATURE_TEST,
        reason: flagKey === "newer" ? NEWER : DecisionReason.DECISION_REASON_BUCKETED,
        variables: new Map<string, Value>([
          ...attributes,
          ["string", { kind: { $case: "stringValue", value: "s" } }],
          ["integer", { kind: { $case: "intValue", value: 2n ** 53n + 1n } }],
          ["double", { kind: { $case: "doubleValue", value: 0.5 } }],
          ["boolean", { kind: { $case: "boolValue", value: true } }],
          ["null", { kind: undefined }],
        ]),
      })),
  });
}

function taken(request: Buffer): Uint8Array {
  const { eventId } = tracking.TrackRequest.decode(request);
  const outcomes = [
    { destination: "console", state: OutcomeState.OUTCOME_STATE_QUEUED, reason: "" },
    { destination: "shop", state: OutcomeState.OUTCOME_STATE_SKIPPED, reason: "TOO_LARGE" },
  ];
  return tracking.TrackResponse.encode({ eventId, outcomes, exposureSeenHere: true }).finish();
}

const DECISIONS = "/sidecar.v1.DecisionService/";
const TRACKING = "/sidecar.v1.TrackingService/";
const ANSWERS: Readonly<Record<string, Answer>> = {
  [`${DECISIONS}Decide`]: (request) =>
    decision.DecideResponse.encode(decided(decision.DecideRequest.decode(request))).finish(),
  [`${DECISIONS}DecideMany`]: (request) => {
    const { users, flagKeys, options, datafile: name } = decision.DecideManyRequest.decode(request);
    const results = users.map((user): decision.DecideManyResult => {
      if (user.userId === "") {
        const status = Status.decode(encoded(grpc.status.INVALID_ARGUMENT, { reason: "INVALID_ARGUMENT" }));
        return { result: { $case: "error", value: status } };
      }
      return { result: { $case: "decided", value: decided({ ...user, flagKeys, options, datafile: name }) } };
    });
    return decision.DecideManyResponse.encode({ results }).finish();
  },
  [`${TRACKING}Track`]: taken,
  [`${TRACKING}Identify`]: (request) =>
    tracking.IdentifyResponse.encode({
      eventId: tracking.IdentifyRequest.decode(request).eventId,
      outcomes: [],
    }).finish(),
  [`${TRACKING}Import`]: () => tracking.ImportResponse.encode(tracking.ImportResponse.create()).finish(),
  [`${TRACKING}Flush`]: () =>
    tracking.FlushResponse.encode({ remainders: [{ destination: "shop", events: 3n, pauseReason: "401" }] }).finish(),
  "/sidecar.v1.DatafileService/GetStatus": () =>
    datafile.GetStatusResponse.encode(
      datafile.GetStatusResponse.create({ name: "default", revision: "41", loadedTime: new Date(1_700_000_000_250) }),
    ).finish(),
};

function encoded(code: grpc.status, { reason, violations, retryAfterMs }: Details): Buffer {
  const detail = (type: string, value: Uint8Array): { typeUrl: string; value: Buffer } => ({
    typeUrl: `type.googleapis.com/google.rpc.${type}`,
    value: Buffer.from(value),
  });
  const details = [
    ...(reason === undefined
      ? []
      : [detail("ErrorInfo", ErrorInfo.encode({ reason, domain: "sidecar", metadata: new Map() }).finish())]),
    ...(violations === undefined
      ? []
      : [detail("BadRequest", BadRequest.encode(BadRequest.create({ fieldViolations: [...violations] })).finish())]),
    ...(retryAfterMs === undefined
      ? []
      : [
          detail(
            "RetryInfo",
            RetryInfo.encode({
              retryDelay: { seconds: BigInt(Math.floor(retryAfterMs / 1000)), nanos: (retryAfterMs % 1000) * 1e6 },
            }).finish(),
          ),
        ]),
  ];
  return Buffer.from(Status.encode({ code, message: "told to fail", details }).finish());
}

/**
 * A sidecar for unit tests of code that uses this client: fixed decisions, recorded events, no process.
 *
 * The client is the real one over a transport in memory, so that what a test passes is checked and encoded as in
 * production. It decides nothing by itself: audiences, traffic and forced decisions have no effect here.
 *
 * @module testing
 */
import { Client } from "./client.js";
import type { DefaultDecision, Reason, RuleType } from "./decisions.js";
import { decisionMessage, eventMessage, refusal, REVISION } from "./internal/fake_replies.js";
import { FakeTransport } from "./internal/fake_transport.js";
import type { CODES } from "./internal/faults.js";
import * as datafile from "./internal/pb/sidecar/v1/datafile.js";
import * as pb from "./internal/pb/sidecar/v1/decision.js";
import { FlushResponse, ImportRequest, ImportResponse, TrackResponse } from "./internal/pb/sidecar/v1/tracking.js";
import { recorded, type RecordedDecision, type RecordedEvent, valuesOf } from "./internal/recorded.js";
import type { EventMessage } from "./internal/events.js";
import { WireFailure } from "./internal/transport.js";
import { type ConnectOptions, settingsOf } from "./settings.js";

export type { RecordedDecision, RecordedEvent, Values } from "./internal/recorded.js";

/** The words of gRPC for what went wrong. */
export type Code = (typeof CODES)[number];

/** A decision that the fake answers. */
export interface FixedDecision extends DefaultDecision {
  /** The rule that decided. */
  readonly ruleKey?: string;
  /** The kind of that rule. */
  readonly ruleType?: RuleType;
  /** The step that settled it; `BUCKETED` by default. */
  readonly reason?: Exclude<Reason, "SIDECAR_UNAVAILABLE">;
  /** The id of the experiment. */
  readonly experimentId?: string;
  /** The id of the variation. */
  readonly variationId?: string;
  /** How it came about, for people. */
  readonly reasons?: readonly string[];
}

/** What `fail` takes besides the code. */
export interface Failure {
  /** What the error says. */
  readonly message?: string;
  /** The sidecar's reason, as `OUTBOX_FULL`. */
  readonly reason?: string;
}

/** Answers every user alike, with the decisions it was made with; any other flag is FLAG_NOT_FOUND. */
export class FakeSidecar {
  readonly #byFlag: Map<string, FixedDecision>;
  readonly #events = new Map<string, RecordedEvent>();
  readonly #decided: RecordedDecision[] = [];
  #failure: WireFailure | undefined;

  /** @param decisions - what is answered, by flag key. */
  constructor(decisions: Readonly<Record<string, FixedDecision>> = {}) {
    this.#byFlag = new Map(Object.entries(decisions));
  }

  /** The events accepted, in order; a repeated `eventId` is one event. */
  get events(): readonly RecordedEvent[] {
    return [...this.#events.values()];
  }

  /** The decisions answered, in order. */
  get decided(): readonly RecordedDecision[] {
    return [...this.#decided];
  }

  /** From now on answers this decision for this flag. */
  decideAs(flagKey: string, decision: FixedDecision): void {
    this.#byFlag.set(flagKey, decision);
  }

  /** From now on fails every call, until `recover`. */
  fail(code: Code = "UNAVAILABLE", { message = "the fake was told to fail", reason = "" }: Failure = {}): void {
    this.#failure = refusal(code, message, reason);
  }

  /** Answers again. */
  recover(): void {
    this.#failure = undefined;
  }

  /** A client of this fake, with the options of `connect`; those of the connection have no effect. */
  client(options: ConnectOptions = {}): Client {
    const settings = settingsOf(options);
    return new Client(new FakeTransport({ answer: this.#answer.bind(this) }, settings), settings);
  }

  #answer(method: string, request: Uint8Array): Uint8Array {
    if (this.#failure !== undefined) throw this.#failure;
    const name = method.slice(method.lastIndexOf("/") + 1);
    switch (name) {
      case "Decide":
        return pb.DecideResponse.encode(this.#decide(pb.DecideRequest.decode(request))).finish();
      case "DecideMany":
        return this.#decideMany(pb.DecideManyRequest.decode(request));
      case "Explain":
        return this.#explain(pb.ExplainRequest.decode(request));
      case "Import":
        return this.#import(ImportRequest.decode(request));
      case "Flush":
        return FlushResponse.encode({ remainders: [] }).finish();
      case "GetStatus": {
        const status = { name: "default", revision: REVISION, source: "fake" };
        return datafile.GetStatusResponse.encode(datafile.GetStatusResponse.create(status)).finish();
      }
      case "Watch":
        return datafile.WatchResponse.encode(
          datafile.WatchResponse.create({ revision: REVISION, source: "fake" }),
        ).finish();
      default:
        return TrackResponse.encode({
          eventId: this.#keep(eventMessage(name, request)),
          outcomes: [],
          exposureSeenHere: false,
        }).finish();
    }
  }

  #decide({ userId, attributes, flagKeys, decisionId }: pb.DecideRequest): pb.DecideResponse {
    const keys = flagKeys.length > 0 ? flagKeys : [...this.#byFlag.keys()];
    const values = valuesOf(attributes);
    this.#decided.push(...keys.map((flagKey) => ({ userId, flagKey, attributes: values })));
    const decisions = keys.map((key) => decisionMessage(key, this.#byFlag.get(key)));
    return { decisions, revision: REVISION, decisionId };
  }

  #decideMany({ users, flagKeys, options, datafile: name }: pb.DecideManyRequest): Uint8Array {
    const results = users.map((user): pb.DecideManyResult => {
      const value = this.#decide({ ...user, flagKeys, options, datafile: name });
      return { result: { $case: "decided", value } };
    });
    return pb.DecideManyResponse.encode({ results }).finish();
  }

  #explain({ userId, flagKey }: pb.ExplainRequest): Uint8Array {
    const decision = decisionMessage(flagKey, this.#byFlag.get(flagKey));
    const told = { decision, revision: REVISION, bucketingId: userId, makesImpression: false, rules: [] };
    return pb.ExplainResponse.encode(told).finish();
  }

  #import({ events }: ImportRequest): Uint8Array {
    const before = this.#events.size;
    const eventIds = events.map(({ event }) => {
      if (event === undefined) throw new WireFailure("INVALID_ARGUMENT", "an event of an import is empty");
      return this.#keep(event);
    });
    const repeatedEvents = events.length - (this.#events.size - before);
    return ImportResponse.encode({ eventIds, outcomes: [], repeatedEvents }).finish();
  }

  #keep(message: EventMessage): string {
    const event = recorded(message);
    if (!this.#events.has(event.eventId)) this.#events.set(event.eventId, event);
    return event.eventId;
  }
}

/**
 * Events as a caller sees them: what they take, and what became of one that was accepted. Read-only values.
 *
 * Nothing here knows protobuf or a transport. The meaning of each field is fixed by proto/sidecar/v1/event.proto and
 * tracking.proto.
 */
import type { SidecarError } from "./errors.js";
import type { GivenMap } from "./values.js";

/** An exact amount of money. Why text: JavaScript has no decimal, and `0.1 + 0.2` is no amount. */
export interface Money {
  /** The amount in major units (dollars, not cents): digits, as `"19.90"`, with a minus and a point if need be. */
  readonly amount: string;
  /** The ISO 4217 code, three upper-case letters, as `"USD"`. */
  readonly currency: string;
}

/** What every event takes; all optional. */
export interface EventOptions {
  /** Names the event, 1-100 characters, a UUID by default: to repeat a call that failed, pass the error's. */
  readonly eventId?: string;
  /** When it happened, now by default. */
  readonly timestamp?: Date;
  /** Where and how it happened. */
  readonly context?: GivenMap;
  /** Which destinations want it. */
  readonly integrations?: GivenMap;
}

/** What `track` takes besides. */
export interface TrackOptions extends EventOptions {
  /** With Optimizely's meaning: `revenue` whole cents, `value` a number. */
  readonly tags?: GivenMap;
  /** With Segment's meaning. */
  readonly properties?: GivenMap;
  /** What it earned: exact, and above both. */
  readonly revenue?: Money;
}

/** What `identify` and `group` take besides. */
export interface TraitsOptions extends EventOptions {
  /** What is known of the user, or of the group. */
  readonly traits?: GivenMap;
}

/** What `page` and `screen` take besides. */
export interface PageOptions extends EventOptions {
  /** The category that it belongs to. */
  readonly category?: string;
  /** What else is known of it. */
  readonly properties?: GivenMap;
}

/** The deadline of an event that is sent now. */
export interface Deadline {
  /** In milliseconds, above the client's own `eventTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** The six kinds of event. */
export type EventKind = "track" | "identify" | "page" | "screen" | "group" | "alias";

/** What became of an event at one destination. */
export interface Outcome {
  /** The destination's configured name. */
  readonly destination: string;
  /** Whether it will get the event. */
  readonly state: "UNSPECIFIED" | "QUEUED" | "SKIPPED";
  /** Empty when all of it is queued; else why not, or what was left out. */
  readonly reason: string;
}

/** An event that is written and will be delivered at least once, under this id. */
export interface Accepted {
  /** The id of the event. */
  readonly eventId: string;
  /** One for each destination, in configured order; empty when `buffered`. */
  readonly outcomes: readonly Outcome[];
  /**
   * This sidecar made an impression, for this user, of an experiment that the event measures; a hint that only `track`
   * gives, and false says nothing.
   */
  readonly exposureSeenHere: boolean;
  /** No sidecar took it yet, and this client keeps it in memory, to send it later. */
  readonly buffered: boolean;
}

/** An outcome of an import, and how many events had it. */
export interface ImportOutcome extends Outcome {
  /** How many events had it. */
  readonly events: number;
}

/** Events of an import that the sidecar refused together, and why. */
export interface RefusedBatch {
  /**
   * The place of the first among all that were given, from 0; the violations of `error` count from it:
   * `events[2].user_id` is event `firstIndex + 2`.
   */
  readonly firstIndex: number;
  /** How many they are. */
  readonly events: number;
  /** Why. */
  readonly error: SidecarError;
}

/** What became of an import. */
export interface Imported {
  /** Events accepted, repeats included. */
  readonly accepted: number;
  /** Accepted events whose id was accepted before, and which are not queued again. */
  readonly repeated: number;
  /** What was refused. */
  readonly refused: readonly RefusedBatch[];
  /** The different outcomes. */
  readonly outcomes: readonly ImportOutcome[];
}

/** What `importEvents` takes besides. */
export interface ImportOptions {
  /** Send them to Optimizely too; default false: old timestamps distort its results. */
  readonly includeOptimizely?: boolean;
  /** Events of one batch, 1 to 500, by default 500. */
  readonly batchEventsMax?: number;
}

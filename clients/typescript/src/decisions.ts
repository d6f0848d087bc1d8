/**
 * Decisions as a caller sees them: read-only values, by the words of the contract.
 *
 * Nothing here knows protobuf or a transport. The meaning of each field is fixed by proto/sidecar/v1/decision.proto.
 */
import { Entries } from "./internal/entries.js";
import type { GivenMap } from "./values.js";
import type { Variables } from "./variables.js";

/**
 * The step that settled a decision: `DecisionReason` of the contract, and two words of our own: `SIDECAR_UNAVAILABLE`
 * is the caller's default, for want of an answer, and `UNSPECIFIED` a reason that only a newer client knows.
 */
export type Reason =
  | "UNSPECIFIED"
  | "BUCKETED"
  | "ROLLOUT"
  | "NO_RULE_MATCHED"
  | "FLAG_NOT_FOUND"
  | "FLAG_INVALID"
  | "FLAG_FORCED"
  | "RULE_FORCED"
  | "HOLDOUT"
  | "FORCED_VARIATION"
  | "WHITELISTED"
  | "STICKY"
  | "CMAB_UNSUPPORTED"
  | "EXPERIMENT_NOT_FOUND"
  | "EXPERIMENT_NOT_RUNNING"
  | "SIDECAR_UNAVAILABLE";

/** The kind of rule that decided; `UNSPECIFIED` when no rule did. */
export type RuleType = "UNSPECIFIED" | "FEATURE_TEST" | "ROLLOUT" | "HOLDOUT" | "EXPERIMENT";

/** How to decide, by the names of Optimizely's SDKs; added to the sidecar's default options. */
export type DecideOption =
  | "DISABLE_DECISION_EVENT"
  | "ENABLED_FLAGS_ONLY"
  | "IGNORE_USER_PROFILE_SERVICE"
  | "INCLUDE_REASONS"
  | "EXCLUDE_VARIABLES";

/** What one flag is for one user. An empty string means none. */
export interface Decision {
  /** The flag, as asked for. */
  readonly flagKey: string;
  /** The variation the user gets. */
  readonly variationKey: string;
  /** Whether the flag is on for the user. */
  readonly enabled: boolean;
  /** The flag's variables, typed. */
  readonly variables: Variables;
  /** The rule that decided. */
  readonly ruleKey: string;
  /** The kind of that rule. */
  readonly ruleType: RuleType;
  /** The step that settled it, for programs. */
  readonly reason: Reason;
  /** The id of the experiment, delivery rule or holdout. */
  readonly experimentId: string;
  /** The id of the variation. */
  readonly variationId: string;
  /** How it came about, in English, for people. */
  readonly reasons: readonly string[];
  /** The revision of the datafile; empty in a default. */
  readonly revision: string;
  /** The id of the call that it came with; empty in a default. */
  readonly decisionId: string;
  /** Why this is the caller's default, by the word of the error, as `UNAVAILABLE`; empty when it was answered. */
  readonly errorReason: string;
}

/** What a caller wants when there is no answer: a flag that is off, but for what is said here. */
export interface DefaultDecision {
  /** The variation. */
  readonly variationKey?: string;
  /** Whether the flag is on; default false. */
  readonly enabled?: boolean;
  /** The variables. */
  readonly variables?: GivenMap;
}

/** The decisions of one call by flag key, in the order of the request or of the datafile. */
export class Decisions extends Entries<Decision> {
  /** The revision that all were made with; empty when the sidecar gave no answer. */
  readonly revision: string;
  /** The id of the call; empty when the sidecar gave no answer. */
  readonly decisionId: string;
  /** Why these are the caller's defaults, by the word of the error; empty when they were answered. */
  readonly errorReason: string;

  /** @internal */
  constructor(decisions: readonly Decision[], told?: { revision?: string; decisionId?: string; errorReason?: string }) {
    super(new Map(decisions.map((each) => [each.flagKey, each])));
    this.revision = told?.revision ?? "";
    this.decisionId = told?.decisionId ?? "";
    this.errorReason = told?.errorReason ?? "";
  }
}

/** What every call for decisions takes besides users and flags. */
export interface AskOptions {
  /** Added to the sidecar's default options. */
  readonly options?: readonly DecideOption[];
  /** The deadline, in milliseconds, above the client's own. */
  readonly timeoutMs?: number;
  /** Throw when there is no answer, above the client's own. */
  readonly strict?: boolean;
}

/** What a call for the decisions of one user takes besides. */
export interface UserAskOptions extends AskOptions {
  /**
   * Names the decision, 1-100 characters, a UUID by default: the same id makes the same impressions, once.
   */
  readonly decisionId?: string;
}

/** What `decide` takes besides the flag. */
export interface DecideOptions extends UserAskOptions {
  /** What it answers without an answer. */
  readonly default?: DefaultDecision;
}

/** What `decideForKeys` and `decideAll` take besides the flags. */
export interface DecideSeveralOptions extends UserAskOptions {
  /** What they answer without an answer, by flag key. */
  readonly defaults?: Readonly<Record<string, DefaultDecision>>;
}

/** What `decideMany` takes besides the users. */
export interface DecideManyOptions extends AskOptions {
  /** The flags, none = all. */
  readonly flagKeys?: readonly string[];
  /** What it answers without an answer, by flag key, for every user. */
  readonly defaults?: Readonly<Record<string, DefaultDecision>>;
  /** The ids of the users' decisions, in their order; UUIDs by default. */
  readonly decisionIds?: readonly string[];
}

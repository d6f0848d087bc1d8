/**
 * The client of the decision sidecar: `connect`, and the values it gives. `@decision-sidecar/client/testing` is for
 * tests.
 *
 * A facade: names for users, nothing else. A decision never throws unless asked to; an event says when it is not
 * accepted.
 *
 * @module client
 */
export { Client, connect, type UserOptions } from "./client.js";
export {
  type AskOptions,
  type DecideManyOptions,
  type DecideOption,
  type DecideOptions,
  type DecideSeveralOptions,
  type Decision,
  Decisions,
  type DefaultDecision,
  type Reason,
  type RuleType,
  type UserAskOptions,
} from "./decisions.js";
export { Draft, Drafts } from "./drafts.js";
export {
  AccessDenied,
  ClientClosed,
  DeadlinePassed,
  type Fault,
  NotReady,
  Refused,
  RequestRefused,
  SidecarError,
  type SidecarErrorKind,
  SidecarFault,
  Unavailable,
  VariableError,
  VariableMissing,
  type VariableType,
  VariableTypeMismatch,
  type Violation,
} from "./errors.js";
export type {
  Accepted,
  Deadline,
  EventKind,
  EventOptions,
  Imported,
  ImportOptions,
  ImportOutcome,
  Money,
  Outcome,
  PageOptions,
  RefusedBatch,
  TrackOptions,
  TraitsOptions,
} from "./events.js";
export type { Bucketing, BucketRange, Condition, ExplainedRule, ExplainOptions, Explanation } from "./explanations.js";
export { Entries } from "./internal/entries.js";
export { type ConnectOptions, DEFAULT_ADDRESS, type Tls, type Token } from "./settings.js";
export type { Counters, DatafileChange, DatafileStatus, DatafileWarning, Flushed, Remainder } from "./status.js";
export { User } from "./user.js";
export { Double, double, type Given, type GivenMap, type JsonValue, type Value } from "./values.js";
export { Variables } from "./variables.js";

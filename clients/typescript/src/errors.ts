/**
 * The errors of this client, divided by whose fault they are. None of them is grpc-js's own.
 *
 * A failed call is a `SidecarError` with the sidecar's reason, every violation, and whether the same call can succeed
 * later. Wrong types in a caller's own code are `TypeError` and `RangeError`, with the path of the value.
 */
import type { Imported } from "./events.js";

/** One thing wrong with one field of a request. */
export interface Violation {
  /** The path of the field, as `event_tags[revenue]`. */
  readonly field: string;
  /** What is wrong with it, in English. */
  readonly description: string;
}

/** What a failed call said, whatever carried it. */
export interface Fault {
  /** gRPC's word, as `INVALID_ARGUMENT`. */
  readonly code: string;
  /** What went wrong, in English. */
  readonly message: string;
  /** The sidecar's word, as `OUTBOX_FULL`; `code` again where no sidecar spoke. */
  readonly reason: string;
  /** Everything wrong with the request. */
  readonly violations: readonly Violation[];
  /** How long to wait before a retry, in milliseconds; undefined when the sidecar named no time. */
  readonly retryAfterMs: number | undefined;
  /** What else the sidecar said, by key. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The kinds of SidecarError, by the name of their class. */
export type SidecarErrorKind =
  | "RequestRefused"
  | "AccessDenied"
  | "NotReady"
  | "Unavailable"
  | "DeadlinePassed"
  | "Refused"
  | "ClientClosed"
  | "SidecarFault";

/**
 * A call that was not answered. `kind` says whose fault it is.
 *
 * A retry of `track` and its sisters passes the `eventId` of this error, so that the event is never recorded twice.
 */
export abstract class SidecarError extends Error {
  /** The name of the class, for a `switch`; it survives a minifier. */
  abstract get kind(): SidecarErrorKind;
  /** Whether the same call can succeed later. */
  // eslint-disable-next-line @typescript-eslint/class-literal-property-style -- a field would hide a getter below
  get retryable(): boolean {
    return false;
  }
  /** Of an import that broke off: what became of the events before. The rest starts at `accepted` plus the refused. */
  imported: Imported | undefined;
  /** The sidecar's word for it, as `OUTBOX_FULL` or `MALFORMED`; for programs. */
  readonly reason: string;
  /** The word of gRPC for it, as `RESOURCE_EXHAUSTED`. */
  readonly code: string;
  /** Everything wrong with the request; empty for other errors. */
  readonly violations: readonly Violation[];
  /** How long to wait before a retry, in milliseconds; undefined when the sidecar did not say. */
  readonly retryAfterMs: number | undefined;
  /** What else the sidecar said, by key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The full name of the method, as `/sidecar.v1.TrackingService/Track`. */
  readonly method: string;
  /** The id of the event that was not accepted; empty when the call had none. */
  readonly eventId: string;

  /** @internal */
  constructor(fault: Fault, method: string, eventId = "") {
    super(text(fault, method));
    this.reason = fault.reason;
    this.code = fault.code;
    this.violations = fault.violations;
    this.retryAfterMs = fault.retryAfterMs;
    this.metadata = fault.metadata;
    this.method = method;
    this.eventId = eventId;
  }

  /** The same as `kind`. */
  override get name(): string {
    return this.kind;
  }
}

function text(fault: Fault, method: string): string {
  // The sidecar's message has the first violation in it already.
  const rest = fault.violations
    .map(({ field, description }) => `${field}: ${description}`)
    .filter((each) => !fault.message.includes(each));
  return [`${method} failed: ${fault.reason}: ${fault.message}`, ...rest].join("; ");
}

// --- the caller's fault ------------------------------------------------------------------------------------

/** The request breaks the contract, or names what is not there; the same call will fail again. */
export class RequestRefused extends SidecarError {
  /** @inheritDoc */
  override get kind(): "RequestRefused" {
    return "RequestRefused";
  }
}

/** The token or the client certificate is missing, wrong, or not enough for this method. */
export class AccessDenied extends SidecarError {
  /** @inheritDoc */
  override get kind(): "AccessDenied" {
    return "AccessDenied";
  }
}

// --- the state's fault -------------------------------------------------------------------------------------

/** The sidecar has no datafile yet; it answers as soon as it has one. */
export class NotReady extends SidecarError {
  /** @inheritDoc */
  override get kind(): "NotReady" {
    return "NotReady";
  }
  /** @inheritDoc */
  override get retryable(): boolean {
    return true;
  }
}

/** No sidecar answered: none listens there, it is stopping, or the connection broke. */
export class Unavailable extends SidecarError {
  /** @inheritDoc */
  override get kind(): "Unavailable" {
    return "Unavailable";
  }
  /** @inheritDoc */
  override get retryable(): boolean {
    return true;
  }
}

/** No answer within the deadline. An event may have been accepted: retry it with its `eventId`. */
export class DeadlinePassed extends SidecarError {
  /** @inheritDoc */
  override get kind(): "DeadlinePassed" {
    return "DeadlinePassed";
  }
  /** @inheritDoc */
  override get retryable(): boolean {
    return true;
  }
}

// --- a bound's fault ---------------------------------------------------------------------------------------

/** A bound is reached (`OUTBOX_FULL`, `OUTBOX_UNWRITABLE`); waiting `retryAfterMs` may help. */
export class Refused extends SidecarError {
  /** @inheritDoc */
  override get kind(): "Refused" {
    return "Refused";
  }
  /** @inheritDoc */
  override get retryable(): boolean {
    return true;
  }
}

// --- ours --------------------------------------------------------------------------------------------------

/** A fault of the sidecar or of this client; the message is for a bug report. */
export class SidecarFault extends SidecarError {
  /** @inheritDoc */
  override get kind(): "SidecarFault" {
    return "SidecarFault";
  }
}

/** The client was closed before the call, or during it. */
export class ClientClosed extends SidecarError {
  /** @inheritDoc */
  override get kind(): "ClientClosed" {
    return "ClientClosed";
  }
}

// --- reading a decision ------------------------------------------------------------------------------------

/** What a variable is read as, or was found to be. */
export type VariableType = "string" | "integer" | "double" | "boolean" | "json";

/** A variable of a decision cannot be read as asked. */
export abstract class VariableError extends Error {
  /** The flag. */
  readonly flagKey: string;
  /** The variable. */
  readonly variableKey: string;
  /** What it was read as. */
  readonly wanted: VariableType;

  /** @internal */
  constructor(message: string, place: { flagKey: string; variableKey: string; wanted: VariableType }) {
    super(message);
    ({ flagKey: this.flagKey, variableKey: this.variableKey, wanted: this.wanted } = place);
  }
}

/** The flag has no such variable, or it is null, and the caller gave no default. */
export class VariableMissing extends VariableError {
  /** The name of the class. */
  override get name(): string {
    return "VariableMissing";
  }

  /** @internal */
  constructor(place: { flagKey: string; variableKey: string; wanted: VariableType }) {
    const { flagKey, variableKey, wanted } = place;
    super(`flag \`${flagKey}\` has no value for variable \`${variableKey}\`, wanted ${wanted} or a default`, place);
  }
}

/** The variable is there, but of another type than the caller reads it as. */
export class VariableTypeMismatch extends VariableError {
  /** The name of the class. */
  override get name(): string {
    return "VariableTypeMismatch";
  }
  /** What it is. */
  readonly got: VariableType;

  /** @internal */
  constructor(place: { flagKey: string; variableKey: string; wanted: VariableType }, got: VariableType, shown: string) {
    const { flagKey, variableKey, wanted } = place;
    super(`variable \`${variableKey}\` of flag \`${flagKey}\` is ${got} \`${shown}\`, wanted ${wanted}`, place);
    this.got = got;
  }
}

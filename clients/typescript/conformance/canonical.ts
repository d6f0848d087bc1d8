/** What the client answered, in the canonical form of clients/conformance/README.md: RFC 8785 and tagged values. */
import {
  type Accepted,
  type Decision,
  type Decisions,
  Double,
  type Given,
  type Imported,
  type SidecarError,
  type Value,
  type VariableError,
  VariableTypeMismatch,
} from "@decision-sidecar/client";

/** A form of JSON: what a line is made of. */
export type Form = null | boolean | number | string | readonly Form[] | { readonly [key: string]: Form };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A line of RFC 8785; its numbers are whole, which is all that the forms have. Members are sorted by UTF-16 code units,
 * which is how JavaScript compares.
 */
export function line(form: Form): string {
  // Why not one JSON.stringify of a sorted object: a key as `10` would go first in it.
  if (form === null || typeof form !== "object") return JSON.stringify(form);
  if (isList(form)) return `[${form.map(line).join(",")}]`;
  const entries = Object.entries(form).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${line(each)}`).join(",")}}`;
}

function isList(form: object): form is readonly Form[] {
  return Array.isArray(form);
}

/** A VALUE of an answer. */
export function value(given: Value): Form {
  switch (typeof given) {
    case "bigint":
      return { int: String(given) };
    case "number": {
      const bits = Buffer.alloc(8);
      bits.writeDoubleBE(given);
      return { double: Number.isNaN(given) ? "7ff8000000000000" : bits.toString("hex") };
    }
    case "object":
      if (given === null) return null;
      if (Array.isArray(given)) return { list: (given as readonly Value[]).map(value) };
      return { map: values(Object.entries(given)) };
    default:
      return given;
  }
}

/** A VALUE that was given as a default, and is answered as it is. */
export function given(one: Given): Form {
  if (one instanceof Double) return value(one.value);
  if (Array.isArray(one)) return { list: (one as readonly Given[]).map(given) };
  return value(one as Value);
}

/** The entries of a map. */
export function values(entries: Iterable<[string, Value]>): Form {
  return Object.fromEntries(Array.from(entries, ([key, each]) => [key, value(each)]));
}

/** An id: as it is when the step gave it, or when it is no UUID. */
export function named(identity: string, wanted: string | undefined): string {
  return (wanted === undefined || wanted === "") && UUID.test(identity) ? "<uuid>" : identity;
}

/** A DECISION. */
export function decision(answered: Decision, decisionId: string | undefined): Form {
  return {
    flag_key: answered.flagKey,
    variation_key: answered.variationKey,
    enabled: answered.enabled,
    variables: values(answered.variables),
    rule_key: answered.ruleKey,
    rule_type: answered.ruleType,
    reason: answered.reason,
    experiment_id: answered.experimentId,
    variation_id: answered.variationId,
    reasons: answered.errorReason === "" ? answered.reasons : [],
    revision: answered.revision,
    decision_id: named(answered.decisionId, decisionId),
    error_reason: answered.errorReason,
  };
}

/** DECISIONS. */
export function decisions(answered: Decisions, decisionId: string | undefined): Form {
  return {
    decisions: Array.from(answered.values(), (each) => decision(each, decisionId)),
    revision: answered.revision,
    decision_id: named(answered.decisionId, decisionId),
    error_reason: answered.errorReason,
  };
}

/** ACCEPTED. */
export function accepted(answered: Accepted, eventId: string | undefined): Form {
  return {
    event_id: named(answered.eventId, eventId),
    outcomes: answered.outcomes.map(({ destination, state, reason }) => ({ destination, state, reason })),
    exposure_seen_here: answered.exposureSeenHere,
    buffered: answered.buffered,
  };
}

/** IMPORTED. */
export function imported(answered: Imported): Form {
  const outcomes = answered.outcomes.map(({ destination, state, reason, events }) => ({
    destination,
    state,
    reason,
    events,
  }));
  const place = (one: (typeof outcomes)[number]): string => [one.destination, one.state, one.reason].join("\0");
  return {
    accepted: answered.accepted,
    repeated: answered.repeated,
    refused: answered.refused.map(({ firstIndex, events, error }) => ({
      first_index: firstIndex,
      events,
      error: clientError(error, undefined),
    })),
    outcomes: outcomes.sort((one, other) => (place(one) < place(other) ? -1 : 1)),
  };
}

/** An ERROR of the sidecar, or of the client itself. */
export function clientError(error: SidecarError, eventId: string | undefined): Form {
  return {
    kind: error.kind,
    code: error.code,
    reason: error.reason,
    violations: error.violations.map(({ field, description }) => ({ field, description })),
    retryable: error.retryable,
    retry_after_ms: error.retryAfterMs === undefined ? null : Math.round(error.retryAfterMs),
    event_id: named(error.eventId, eventId),
  };
}

/** A VARIABLE_ERROR. */
export function variableError(error: VariableError): Form {
  return {
    kind: error.name,
    flag_key: error.flagKey,
    variable_key: error.variableKey,
    wanted: error.wanted,
    ...(error instanceof VariableTypeMismatch ? { got: error.got } : {}),
  };
}

/** Replies to values: the only reader of responses but for `explain`. An unknown enum number is UNSPECIFIED. */
import { type Decision, Decisions, type Reason, type RuleType } from "../decisions.js";
import type { Accepted, Outcome } from "../events.js";
import type { DatafileChange, DatafileStatus, Flushed } from "../status.js";
import { Variables } from "../variables.js";
import { decodeMap } from "./encoding.js";
import { GetStatusResponse, WatchResponse } from "./pb/sidecar/v1/datafile.js";
import { DecideResponse, type Decision as DecisionMessage } from "./pb/sidecar/v1/decision.js";
import { type Outcome as OutcomeMessage, OutcomeState } from "./pb/sidecar/v1/event.js";
import { DecisionReason, RuleType as RuleTypeNumber } from "./pb/sidecar/v1/reason.js";
import { FlushResponse, IdentifyResponse, TrackResponse } from "./pb/sidecar/v1/tracking.js";

/** The words of an enum by their numbers, without their prefix. */
export function wordsOf<Word extends string>(numbers: Readonly<Record<string, unknown>>, prefix: string): Words<Word> {
  const named = Object.entries(numbers).filter(([name]) => name.startsWith(prefix));
  const words = new Map(named.map(([name, number]) => [number as number, name.slice(prefix.length) as Word]));
  return (number) => words.get(number) ?? ("UNSPECIFIED" as Word);
}

/** The word of a number; UNSPECIFIED for one of a newer sidecar. */
export type Words<Word extends string> = (number: number) => Word;

export const reasonOf = wordsOf<Reason>(DecisionReason, "DECISION_REASON_");
export const ruleTypeOf = wordsOf<RuleType>(RuleTypeNumber, "RULE_TYPE_");
const stateOf = wordsOf<Outcome["state"]>(OutcomeState, "OUTCOME_STATE_");

/** The answer to a Decide. */
export function readDecisions(reply: Uint8Array): Decisions {
  return decisionsOf(DecideResponse.decode(reply));
}

/** The decisions of one user. */
export function decisionsOf({ decisions, revision, decisionId }: DecideResponse): Decisions {
  const listed = decisions.map((each) => decisionOf(each, revision, decisionId));
  return new Decisions(listed, { revision, decisionId });
}

/** One decision, made at this revision. */
export function decisionOf(message: DecisionMessage, revision: string, decisionId: string): Decision {
  return {
    flagKey: message.flagKey,
    variationKey: message.variationKey,
    enabled: message.enabled,
    variables: new Variables(message.flagKey, decodeMap(message.variables)),
    ruleKey: message.ruleKey,
    ruleType: ruleTypeOf(message.ruleType),
    reason: reasonOf(message.reason),
    experimentId: message.experimentId,
    variationId: message.variationId,
    reasons: message.reasons,
    revision,
    decisionId,
    errorReason: "",
  };
}

/** The answer to a Track. */
export function readTracked(reply: Uint8Array): Accepted {
  const { eventId, outcomes, exposureSeenHere } = TrackResponse.decode(reply);
  return { eventId, outcomes: outcomes.map(outcomeOf), exposureSeenHere, buffered: false };
}

/** The answer to Identify, Page, Screen, Group and Alias: their messages have the same fields. */
export function readAccepted(reply: Uint8Array): Accepted {
  const { eventId, outcomes } = IdentifyResponse.decode(reply);
  return { eventId, outcomes: outcomes.map(outcomeOf), exposureSeenHere: false, buffered: false };
}

/** What became of an event at one destination. */
export function outcomeOf({ destination, state, reason }: OutcomeMessage): Outcome {
  return { destination, state: stateOf(state), reason };
}

/** The answer to a Flush, with as many events still in the buffer. */
export function readFlushed(reply: Uint8Array, buffered: number): Flushed {
  const remainders = FlushResponse.decode(reply).remainders.map(({ destination, events, pauseReason }) => ({
    destination,
    events: Number(events),
    pauseReason,
  }));
  return { complete: buffered === 0 && remainders.every(({ events }) => events === 0), remainders, buffered };
}

/** The answer to a GetStatus. */
export function readStatus(reply: Uint8Array): DatafileStatus {
  const response = GetStatusResponse.decode(reply);
  return {
    name: response.name,
    revision: response.revision,
    source: response.source,
    loadedTime: response.loadedTime,
    checkedTime: response.checkedTime,
    stale: response.stale,
    fromCache: response.fromCache,
    lastError: response.lastError?.message ?? "",
    warnings: response.warnings.map(({ path, description, disabledFlagKey }) => ({
      path,
      description,
      disabledFlagKey,
    })),
  };
}

/** One message of a Watch. */
export function readChange(reply: Uint8Array): DatafileChange {
  const { revision, loadedTime, source, warnings, lost } = WatchResponse.decode(reply);
  return { revision, loadedTime, source, warnings, lost: Number(lost) };
}

/** Calls for decisions, built complete, and the default that stands in for an answer. No clock, no socket. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";

import {
  type DecideOption,
  type DecideOptions,
  type DecideSeveralOptions,
  type Decision,
  Decisions,
  type DefaultDecision,
  type UserAskOptions,
} from "../decisions.js";
import type { SidecarError } from "../errors.js";
import { checkTimeout, type Settings } from "../settings.js";
import { Variables } from "../variables.js";
import type { Call } from "./calls.js";
import { checkText, decodeMap, encodeMap } from "./encoding.js";
import type { Identity } from "./identity.js";
import { DecideOption as OptionNumber, DecideRequest } from "./pb/sidecar/v1/decision.js";
import { readDecisions } from "./replies.js";
import { DECIDE_RETRY } from "./retry.js";

const DECIDE = "/sidecar.v1.DecisionService/Decide";
const OPTION_NUMBERS: Readonly<Record<DecideOption, OptionNumber>> = {
  DISABLE_DECISION_EVENT: OptionNumber.DECIDE_OPTION_DISABLE_DECISION_EVENT,
  ENABLED_FLAGS_ONLY: OptionNumber.DECIDE_OPTION_ENABLED_FLAGS_ONLY,
  IGNORE_USER_PROFILE_SERVICE: OptionNumber.DECIDE_OPTION_IGNORE_USER_PROFILE_SERVICE,
  INCLUDE_REASONS: OptionNumber.DECIDE_OPTION_INCLUDE_REASONS,
  EXCLUDE_VARIABLES: OptionNumber.DECIDE_OPTION_EXCLUDE_VARIABLES,
};

/** Options by the numbers of the contract. Throws RangeError for one that does not exist. */
export function optionNumbers(options: readonly DecideOption[] = []): OptionNumber[] {
  return options.map((option) => {
    if (Object.hasOwn(OPTION_NUMBERS, option)) return OPTION_NUMBERS[option];
    throw new RangeError(`option is \`${option}\`, wanted one of ${Object.keys(OPTION_NUMBERS).join(", ")}`);
  });
}

/** What each call for the decisions of one user has. */
interface Asked {
  readonly user: Identity;
  readonly settings: Settings;
  readonly newId: string;
}

/** A Decide of one flag. */
export function decideOne(asked: Asked, flagKey: string, details: DecideOptions): Call<Decision> {
  checkText("flagKey", flagKey);
  const unanswered = defaultDecision(flagKey, details.default);
  return {
    ...decideCall(asked, [flagKey], details),
    decode: (reply) => picked(flagKey, readDecisions(reply)),
    fallback: (details.strict ?? asked.settings.strict) ? undefined : unanswered,
  };
}

/**
 * A Decide of several flags, none = all. Without an answer each flag asked for has its default; of all flags, those in
 * `defaults` alone.
 */
export function decideSeveral(
  asked: Asked,
  flagKeys: readonly string[],
  details: DecideSeveralOptions,
): Call<Decisions> {
  const unanswered = defaultsFor(flagKeys, details.defaults);
  return {
    ...decideCall(asked, flagKeys, details),
    decode: readDecisions,
    fallback: (details.strict ?? asked.settings.strict) ? undefined : unanswered,
  };
}

type Unread = Omit<Call<never>, "decode" | "fallback">;

function decideCall({ user, settings, newId }: Asked, flagKeys: readonly string[], details: UserAskOptions): Unread {
  const timeoutMs = details.timeoutMs ?? settings.decideTimeoutMs;
  checkTimeout("timeoutMs", timeoutMs);
  const rest: DecideRequest = {
    userId: "",
    attributes: new Map(),
    flagKeys: [...flagKeys],
    options: optionNumbers(details.options),
    forcedDecisions: [],
    qualifiedSegments: undefined,
    decisionId: details.decisionId === undefined || details.decisionId === "" ? newId : details.decisionId,
    datafile: "",
  };
  const request = DecideRequest.encode(rest, new BinaryWriter().raw(user.prefix)).finish();
  return { method: DECIDE, request, timeoutMs, retry: DECIDE_RETRY, eventId: "" };
}

/** The one decision of an answer. A flag that is left out is one that ENABLED_FLAGS_ONLY filtered. */
function picked(flagKey: string, answered: Decisions): Decision {
  for (const decision of answered.values()) return decision;
  return {
    ...off(flagKey),
    reasons: ["left out: ENABLED_FLAGS_ONLY answers flags that are enabled alone"],
    revision: answered.revision,
    decisionId: answered.decisionId,
  };
}

/** A flag that is off, for want of anything better. */
function off(flagKey: string): Decision {
  return {
    flagKey,
    variationKey: "",
    enabled: false,
    variables: new Variables(flagKey, new Map()),
    ruleKey: "",
    ruleType: "UNSPECIFIED",
    reason: "UNSPECIFIED",
    experimentId: "",
    variationId: "",
    reasons: [],
    revision: "",
    decisionId: "",
    errorReason: "",
  };
}

/**
 * What the caller gets instead of an error: its default, else a flag that is off, and why.
 *
 * Throws as `encodeMap` for variables that have no wire form, now and not only when there is no answer.
 */
function defaultDecision(flagKey: string, given: DefaultDecision = {}): (error: SidecarError) => Decision {
  const variables = encodeMap(given.variables, `variables of the default of \`${flagKey}\``);
  return (error) => ({
    ...off(flagKey),
    variationKey: given.variationKey ?? "",
    enabled: given.enabled ?? false,
    variables: new Variables(flagKey, decodeMap(variables)),
    reason: "SIDECAR_UNAVAILABLE",
    reasons: [error.message],
    errorReason: error.reason,
  });
}

/** What the caller gets instead of an error: of each flag asked for its default, of all flags the `defaults`. */
export function defaultsFor(
  flagKeys: readonly string[],
  defaults: Readonly<Record<string, DefaultDecision>> = {},
): (error: SidecarError) => Decisions {
  const given = new Map(Object.entries(defaults));
  const keys = flagKeys.length > 0 ? flagKeys : [...given.keys()];
  const made = keys.map((key) => defaultDecision(key, given.get(key)));
  return (error) =>
    new Decisions(
      made.map((each) => each(error)),
      { errorReason: error.reason },
    );
}

/** The call for the decisions of many users at once, and what became of each. No socket. */
import type { DecideManyOptions, Decisions } from "../decisions.js";
import type { SidecarError } from "../errors.js";
import { checkTimeout, type Settings } from "../settings.js";
import type { Call, Counted } from "./calls.js";
import { defaultsFor, optionNumbers } from "./decide.js";
import { errorOfStatus } from "./faults.js";
import type { Identity } from "./identity.js";
import { DecideManyRequest, DecideManyResponse, type DecideManyResult } from "./pb/sidecar/v1/decision.js";
import { decisionsOf } from "./replies.js";
import { EVENT_RETRY } from "./retry.js";
import { newId } from "./stamps.js";

const DECIDE_MANY = "/sidecar.v1.DecisionService/DecideMany";
/** Users of one call; the sidecar's own bound. */
const USERS_MAX = 1_000;

/**
 * A DecideMany of these users.
 *
 * Throws RangeError for more than 1,000 users, for users of different datafiles (one call has one revision), and for
 * ids that are not one for each user.
 */
export function decideMany(
  users: readonly Identity[],
  settings: Settings,
  counted: Counted,
  details: DecideManyOptions,
): Call<Decisions[]> {
  const flagKeys = details.flagKeys ?? [];
  const unanswered = (details.strict ?? settings.strict) ? undefined : defaultsFor(flagKeys, details.defaults);
  const timeoutMs = details.timeoutMs ?? settings.statusTimeoutMs;
  checkTimeout("timeoutMs", timeoutMs);
  const ids = idsOf(users, details.decisionIds ?? []);
  const request: DecideManyRequest = {
    users: users.map(({ request: { userId, attributes, forcedDecisions, qualifiedSegments } }, index) => ({
      userId,
      attributes,
      forcedDecisions,
      qualifiedSegments,
      decisionId: ids[index] ?? "",
    })),
    flagKeys: [...flagKeys],
    options: optionNumbers(details.options),
    datafile: datafileOf(users),
  };
  return {
    method: DECIDE_MANY,
    request: DecideManyRequest.encode(request).finish(),
    timeoutMs,
    retry: EVENT_RETRY,
    eventId: "",
    decode: (reply) => DecideManyResponse.decode(reply).results.map((each) => read(each, unanswered, counted)),
    fallback: unanswered && ((error) => users.map(() => unanswered(error))),
  };
}

function idsOf(users: readonly Identity[], given: readonly string[]): readonly string[] {
  if (users.length > USERS_MAX) throw new RangeError(`users are ${users.length}, wanted at most ${USERS_MAX}`);
  if (given.length === 0) return users.map(() => newId());
  if (given.length === users.length) return given;
  throw new RangeError(`decisionIds are ${given.length} for ${users.length} users, wanted one each or none`);
}

function datafileOf(users: readonly Identity[]): string {
  const datafiles = new Set(users.map(({ request }) => request.datafile));
  if (datafiles.size <= 1) return [...datafiles][0] ?? "";
  throw new RangeError(`users are of the datafiles \`${[...datafiles].sort().join("`, `")}\`, wanted one`);
}

/** The decisions of one user; of one that was refused, the default, counted, or without one the error, thrown. */
function read(
  { result }: DecideManyResult,
  unanswered: ((error: SidecarError) => Decisions) | undefined,
  counted: Counted,
): Decisions {
  if (result === undefined) throw new Error("a result of many users is empty, wanted decisions or an error");
  if (result.$case === "decided") return decisionsOf(result.value);
  const error = errorOfStatus(result.value, DECIDE_MANY);
  if (unanswered === undefined) throw error;
  counted.decisionsDefaulted += 1;
  return unanswered(error);
}

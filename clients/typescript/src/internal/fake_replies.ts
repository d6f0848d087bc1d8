/** Values to replies, for the fake of `testing` alone: the reverse of `replies`. */
import type { FixedDecision } from "../testing.js";
import { encodeMap } from "./encoding.js";
import type { EventMessage } from "./events.js";
import { CODES } from "./faults.js";
import { ErrorInfo } from "./pb/google/rpc/error_details.js";
import { Status } from "./pb/google/rpc/status.js";
import type { Decision } from "./pb/sidecar/v1/decision.js";
import { DecisionReason, RuleType } from "./pb/sidecar/v1/reason.js";
import * as pb from "./pb/sidecar/v1/tracking.js";
import { WireFailure } from "./transport.js";

/** The revision of the fake's datafile, which never changes. */
export const REVISION = "1";

/** The decision of a flag; without `fixed` of one that does not exist. */
export function decisionMessage(flagKey: string, fixed: FixedDecision | undefined): Decision {
  const given = fixed ?? { reason: "FLAG_NOT_FOUND" };
  return {
    flagKey,
    variationKey: given.variationKey ?? "",
    enabled: given.enabled ?? false,
    variables: encodeMap(given.variables, `variables of \`${flagKey}\``),
    ruleKey: given.ruleKey ?? "",
    ruleType: RuleType[`RULE_TYPE_${given.ruleType ?? "UNSPECIFIED"}`],
    reason: DecisionReason[`DECISION_REASON_${given.reason ?? "BUCKETED"}`],
    experimentId: given.experimentId ?? "",
    variationId: given.variationId ?? "",
    reasons: [...(given.reasons ?? [])],
  };
}

/** The failure that a call is told, with the sidecar's reason if there is one. */
export function refusal(code: (typeof CODES)[number], message: string, reason: string): WireFailure {
  if (reason === "") return new WireFailure(code, message);
  const value = ErrorInfo.encode({ reason, domain: "sidecar", metadata: new Map() }).finish();
  const details = [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Buffer.from(value) }];
  return new WireFailure(code, message, Status.encode({ code: CODES.indexOf(code), message, details }).finish());
}

/** The event of a request to the method of this name, as `Track`. */
export function eventMessage(name: string, request: Uint8Array): EventMessage {
  switch (name) {
    case "Track":
      return { $case: "track", value: pb.TrackRequest.decode(request) };
    case "Identify":
      return { $case: "identify", value: pb.IdentifyRequest.decode(request) };
    case "Page":
      return { $case: "page", value: pb.PageRequest.decode(request) };
    case "Screen":
      return { $case: "screen", value: pb.ScreenRequest.decode(request) };
    case "Group":
      return { $case: "group", value: pb.GroupRequest.decode(request) };
    case "Alias":
      return { $case: "alias", value: pb.AliasRequest.decode(request) };
    default:
      throw new WireFailure("UNIMPLEMENTED", `the fake has no method \`${name}\``);
  }
}

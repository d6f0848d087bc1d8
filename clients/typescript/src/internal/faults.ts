/** What a failed call said: the google.rpc.Status in `grpc-status-details-bin`, as a SidecarError. */
import * as errors from "../errors.js";
import { BadRequest, ErrorInfo, RetryInfo } from "./pb/google/rpc/error_details.js";
import { Status } from "./pb/google/rpc/status.js";
import type { WireFailure } from "./transport.js";

type Kind = new (fault: errors.Fault, method: string, eventId?: string) => errors.SidecarError;

/** The closed table of the contract; any other code is a fault of ours. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["INVALID_ARGUMENT", errors.RequestRefused],
  ["NOT_FOUND", errors.RequestRefused],
  ["OUT_OF_RANGE", errors.RequestRefused],
  ["UNAUTHENTICATED", errors.AccessDenied],
  ["PERMISSION_DENIED", errors.AccessDenied],
  ["FAILED_PRECONDITION", errors.NotReady],
  ["UNAVAILABLE", errors.Unavailable],
  ["DEADLINE_EXCEEDED", errors.DeadlinePassed],
  ["RESOURCE_EXHAUSTED", errors.Refused],
]);

/** The codes of gRPC by their numbers. */
export const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The error of a try that failed for good. */
export function errorOf(failure: WireFailure, method: string, eventId: string): errors.SidecarError {
  const fault = faultOf(readStatus(failure.details), failure.code, failure.message);
  return new (KINDS.get(fault.code) ?? errors.SidecarFault)(fault, method, eventId);
}

/** The error of a Status that stands in a reply. */
export function errorOfStatus(status: Status, method: string): errors.SidecarError {
  const fault = faultOf(status, CODES[status.code] ?? "UNKNOWN", status.message);
  return new (KINDS.get(fault.code) ?? errors.SidecarFault)(fault, method);
}

/** The error of a client that was closed before the call, or during it. */
export function closedError(method: string, eventId: string): errors.ClientClosed {
  const message = "the client is closed, so the call has no answer";
  return new errors.ClientClosed({ ...plainFault("CANCELLED", message), reason: "CLIENT_CLOSED" }, method, eventId);
}

/** The error of a reply that is no message. */
export function malformedError(problem: unknown, method: string, eventId: string): errors.SidecarFault {
  const message = problem instanceof Error ? problem.message : String(problem);
  return new errors.SidecarFault({ ...plainFault("INTERNAL", message), reason: "MALFORMED_REPLY" }, method, eventId);
}

function plainFault(code: string, message: string): errors.Fault {
  return { code, message, reason: code, violations: [], retryAfterMs: undefined, metadata: new Map() };
}

function readStatus(details: Uint8Array): Status {
  try {
    return Status.decode(details);
  } catch {
    return Status.create(); // What gRPC said alone is better than no error at all.
  }
}

function faultOf(status: Status, code: string, message: string): errors.Fault {
  const read: { -readonly [Field in keyof errors.Fault]: errors.Fault[Field] } = plainFault(code, message);
  for (const { typeUrl, value } of status.details) {
    switch (typeUrl.slice(typeUrl.lastIndexOf("/") + 1)) {
      case "google.rpc.ErrorInfo": {
        const told = ErrorInfo.decode(value);
        read.reason = told.reason === "" ? code : told.reason;
        read.metadata = told.metadata;
        break;
      }
      case "google.rpc.BadRequest":
        read.violations = BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({
          field,
          description,
        }));
        break;
      case "google.rpc.RetryInfo": {
        const { seconds, nanos } = RetryInfo.decode(value).retryDelay ?? { seconds: 0n, nanos: 0 };
        read.retryAfterMs = Number(seconds) * 1_000 + nanos / 1e6;
        break;
      }
      default: // A detail that a newer sidecar tells, and this client does not know.
    }
  }
  return read;
}

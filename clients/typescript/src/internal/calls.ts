/**
 * One call as a value, and the walk over its tries.
 *
 * A call is built complete, ids and time included, before its first try: a retry sends the same bytes.
 */
import { debuglog } from "node:util";

import { SidecarError } from "../errors.js";
import type { Counters } from "../status.js";
import { closedError, errorOf, malformedError } from "./faults.js";
import { pauseMs, type Retry } from "./retry.js";
import { jitter, nowMs } from "./stamps.js";
import { Closed, type Transport, WireFailure } from "./transport.js";

const log = debuglog("decision-sidecar");

/** A unary call. `fallback`, when there is one, makes the answer that stands in for an error. */
export interface Call<Answer> {
  readonly method: string;
  readonly request: Uint8Array;
  readonly timeoutMs: number;
  readonly retry: Retry;
  readonly decode: (reply: Uint8Array) => Answer;
  readonly eventId: string;
  readonly fallback: ((error: SidecarError) => Answer) | undefined;
}

/** The counters of a client, as it writes them. */
export type Counted = { -readonly [Name in keyof Counters]: Counters[Name] };

/** Drives one call to its answer, its fallback's answer, or a SidecarError. */
export async function perform<Answer>(transport: Transport, counted: Counted, call: Call<Answer>): Promise<Answer> {
  try {
    return read(await tried(transport, counted, call), call);
  } catch (error) {
    if (!(error instanceof SidecarError) || call.fallback === undefined) throw error;
    counted.decisionsDefaulted += 1;
    log("decision_defaulted method=%s reason=%s", call.method, error.reason);
    return call.fallback(error);
  }
}

/** The reply of the first try that has one. Only UNAVAILABLE is tried again, when the pause ends before the deadline. */
async function tried<Answer>(transport: Transport, counted: Counted, call: Call<Answer>): Promise<Uint8Array> {
  const { method, request, retry, eventId } = call;
  const deadline = nowMs() + call.timeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transport.unary(method, request, Math.max(deadline - nowMs(), 0));
    } catch (error) {
      if (error instanceof Closed) throw closedError(method, eventId);
      if (!(error instanceof WireFailure)) throw error;
      const pause = pauseMs(retry, attempt, jitter());
      if (error.code !== "UNAVAILABLE" || attempt >= retry.attemptsMax || nowMs() + pause >= deadline) {
        throw errorOf(error, method, eventId);
      }
      counted.retries += 1;
      await rest(transport, pause, call);
    }
  }
}

async function rest<Answer>(transport: Transport, pause: number, call: Call<Answer>): Promise<void> {
  try {
    await transport.wait(pause);
  } catch {
    throw closedError(call.method, call.eventId); // A wait fails for a close alone.
  }
}

/** The decoded reply. A reply that is no message is a fault like any other. */
function read<Answer>(reply: Uint8Array, call: Call<Answer>): Answer {
  try {
    return call.decode(reply);
  } catch (error) {
    throw error instanceof SidecarError ? error : malformedError(error, call.method, call.eventId);
  }
}

/** Calls about the sidecar itself, and the walk over the streams of a watch. */
import { SidecarError } from "../errors.js";
import { checkTimeout, type Settings } from "../settings.js";
import type { DatafileChange, DatafileStatus, Flushed } from "../status.js";
import { type Call, type Counted, perform } from "./calls.js";
import { errorOf } from "./faults.js";
import { GetStatusRequest, WatchRequest } from "./pb/sidecar/v1/datafile.js";
import { FlushRequest } from "./pb/sidecar/v1/tracking.js";
import { readChange, readFlushed, readStatus } from "./replies.js";
import { AGAIN, EVENT_RETRY, pauseMs } from "./retry.js";
import { jitter, nowMs } from "./stamps.js";
import { Closed, type Transport, WireFailure } from "./transport.js";

const WATCH = "/sidecar.v1.DatafileService/Watch";
/** Between two questions whether a sidecar that answers has its datafile; one that does not is tried as ever. */
const READY_PAUSE_MS = 50;
/** What a Flush's deadline leaves for the way there and back, so that the sidecar's answer comes before it. */
const FLUSH_MARGIN_MS = 1_000;

/** A Flush that waits at most `timeoutMs` for deliveries, 0 = only look, with so many events still in the buffer. */
export function flush(settings: Settings, timeoutMs: number, buffered: number): Call<Flushed> {
  const seconds = Math.floor(timeoutMs / 1_000);
  const nanos = Math.floor((timeoutMs - seconds * 1_000) * 1e6);
  const request: FlushRequest = { timeout: { seconds: BigInt(seconds), nanos }, datafile: settings.datafile };
  return {
    method: "/sidecar.v1.TrackingService/Flush",
    request: FlushRequest.encode(request).finish(),
    timeoutMs: timeoutMs + FLUSH_MARGIN_MS,
    retry: EVENT_RETRY,
    eventId: "",
    decode: (reply) => readFlushed(reply, buffered),
    fallback: undefined,
  };
}

/** A GetStatus of the client's datafile. */
export function status(settings: Settings): Call<DatafileStatus> {
  return {
    method: "/sidecar.v1.DatafileService/GetStatus",
    request: GetStatusRequest.encode({ datafile: settings.datafile }).finish(),
    timeoutMs: settings.statusTimeoutMs,
    retry: EVENT_RETRY,
    eventId: "",
    decode: readStatus,
    fallback: undefined,
  };
}

/** Checks a time to wait: 0 or more milliseconds. */
export function checkWait(timeoutMs: number): void {
  if (timeoutMs !== 0) checkTimeout("timeoutMs", timeoutMs);
}

/** Whether a first decision will succeed: a GetStatus again and again, until it says so or the time is over. */
export async function waitReady(
  transport: Transport,
  counted: Counted,
  settings: Settings,
  timeoutMs: number,
): Promise<boolean> {
  checkWait(timeoutMs);
  const deadline = nowMs() + timeoutMs;
  for (;;) {
    const question = status(settings);
    const leftMs = Math.max(deadline - nowMs(), 1);
    try {
      const call = { ...question, timeoutMs: Math.min(leftMs, question.timeoutMs) };
      const { revision, name } = await perform(transport, counted, call);
      // A sidecar without any datafile, which only takes events, is ready too.
      if (revision !== "" || name === "") return true;
    } catch (error) {
      if (!(error instanceof SidecarError) || !error.retryable) throw error;
    }
    const restMs = deadline - nowMs();
    if (restMs <= 0) return false;
    await transport.wait(Math.min(READY_PAUSE_MS, restMs)).catch(() => undefined);
  }
}

/**
 * Every change of the datafile, over as many streams as it takes, until the transport is closed, `signal` is aborted,
 * or an error comes that another try will not mend. The revision told last is not told again.
 */
export async function* watch(
  transport: Transport,
  settings: Settings,
  signal: AbortSignal,
): AsyncGenerator<DatafileChange, void, undefined> {
  const request = WatchRequest.encode({ datafile: settings.datafile }).finish();
  let told = "";
  let failures = 0;
  const ended = (): boolean => signal.aborted;
  try {
    while (!ended()) {
      try {
        for await (const reply of transport.stream(WATCH, request, signal)) {
          failures = 0;
          const change = readChange(reply);
          const place = `${change.revision} ${change.loadedTime?.getTime() ?? ""}`;
          if (place !== told) yield change;
          told = place;
        }
      } catch (error) {
        if (ended()) return;
        if (!(error instanceof WireFailure)) throw error;
        if (error.code !== "UNAVAILABLE") throw errorOf(error, WATCH, "");
      }
      failures += 1;
      await transport.wait(pauseMs(AGAIN, failures, jitter()), signal);
    }
  } catch (error) {
    if (!(error instanceof Closed)) throw error;
  }
}

/** When a call that found no sidecar (UNAVAILABLE) is tried again, always within its deadline. Pure. */

/** The pause doubles from `pauseMinMs` to `pauseMaxMs`, of which a random half is left out. */
export interface Retry {
  readonly attemptsMax: number;
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
}

/** Why so few: a sidecar that is gone must not cost each request the whole deadline of a decision. */
export const DECIDE_RETRY: Retry = { attemptsMax: 3, pauseMinMs: 10, pauseMaxMs: 20 };
/** Why so many: an event has no default, so its deadline is the bound. */
export const EVENT_RETRY: Retry = { attemptsMax: 20, pauseMinMs: 20, pauseMaxMs: 200 };
/** Of a watch, the buffer and an import, only the pauses: each goes on until something else ends it. */
export const AGAIN: Retry = { attemptsMax: 1, pauseMinMs: 100, pauseMaxMs: 5_000 };

/** How long to wait after so many failures in a row, 1 or more; 0 ≤ jitter < 1. */
export function pauseMs(retry: Retry, failures: number, jitter: number): number {
  const full = Math.min(retry.pauseMinMs * 2 ** Math.min(failures - 1, 16), retry.pauseMaxMs);
  return full * (1 - jitter / 2);
}

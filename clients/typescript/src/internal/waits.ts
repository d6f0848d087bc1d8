/** Waits that a close ends: the timers of a transport. */
import { Closed } from "./transport.js";

/** Rests that all end with Closed when the owner is closed. */
export class Waits {
  readonly #pending = new Set<() => void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** Rests so long, or until `signal` is aborted; rejects with Closed when `close` was called, or is meanwhile. */
  async wait(pauseMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw new Closed();
    if (signal?.aborted === true) return;
    await new Promise<void>((resolve, reject) => {
      const done = (settle: () => void) => (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", woken);
        this.#pending.delete(ended);
        settle();
      };
      const woken = done(resolve);
      const timer = setTimeout(woken, pauseMs);
      signal?.addEventListener("abort", woken);
      const ended = done(() => {
        reject(new Closed());
      });
      this.#pending.add(ended);
    });
  }

  close(): void {
    this.#closed = true;
    for (const ended of this.#pending) ended();
  }
}

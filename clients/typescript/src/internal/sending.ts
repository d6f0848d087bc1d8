/** The events of a client, and the loop that sends those in the buffer. What is kept and dropped is in `buffer`. */
import { setTimeout as sleep } from "node:timers/promises";

import { ClientClosed, SidecarError } from "../errors.js";
import type { Accepted } from "../events.js";
import type { Settings } from "../settings.js";
import { Buffer } from "./buffer.js";
import { type Call, type Counted, perform } from "./calls.js";
import { AGAIN, pauseMs } from "./retry.js";
import { jitter, nowMs } from "./stamps.js";
import type { Transport } from "./transport.js";

/** Events to a sidecar, or to the buffer while it takes none. Without a buffer every event is a plain call. */
export class Sending {
  readonly #transport: Transport;
  readonly #settings: Settings;
  readonly #counted: Counted;
  readonly #buffer: Buffer;
  /** The loop over the buffer; it lives while there is something to send. */
  #loop: Promise<void> | undefined;
  #closed = false;

  constructor(transport: Transport, settings: Settings, counted: Counted) {
    this.#transport = transport;
    this.#settings = settings;
    this.#counted = counted;
    this.#buffer = new Buffer(settings, counted);
  }

  /** Accepted by the sidecar, or kept; throws what a retry will not mend, and without a buffer every error. */
  async record(call: Call<Accepted>): Promise<Accepted> {
    if (this.#buffer.size === 0 || this.#closed) {
      try {
        return await perform(this.#transport, this.#counted, call);
      } catch (error) {
        const kept = this.#settings.bufferEventsMax > 0 && !this.#closed;
        if (!kept || !(error instanceof SidecarError) || !error.retryable) throw error;
      }
    }
    const accepted = this.#buffer.add(call);
    this.#loop ??= this.#send();
    return accepted;
  }

  /** Waits until the buffer is empty, at most so long; how many events are left, and how much time. */
  async drain(timeoutMs: number): Promise<{ buffered: number; leftMs: number }> {
    const deadline = nowMs() + timeoutMs;
    if (this.#loop !== undefined) {
      const late = new AbortController();
      const timeout = sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined);
      await Promise.race([this.#loop, timeout]);
      late.abort();
    }
    return { buffered: this.#buffer.size, leftMs: Math.max(deadline - nowMs(), 0) };
  }

  /** Gives the buffer as long as one event has, then gives it up. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.drain(this.#settings.eventTimeoutMs);
    this.#buffer.giveUp();
  }

  async #send(): Promise<void> {
    let failures = 0;
    for (let call = this.#buffer.first(); call !== undefined; call = this.#buffer.first()) {
      let refused = false;
      try {
        await perform(this.#transport, this.#counted, call);
      } catch (error) {
        if (error instanceof ClientClosed) break;
        if (error instanceof SidecarError && error.retryable) {
          failures += 1;
          const pause = error.retryAfterMs ?? pauseMs(AGAIN, failures, jitter());
          if (!(await this.#rested(pause))) break;
          continue;
        }
        refused = true;
      }
      this.#buffer.remove(call, refused);
      failures = 0;
    }
    // No await between the last look and this: an event that comes now finds no loop, and makes one.
    this.#loop = undefined;
  }

  /** Whether the client was still open after the pause. */
  #rested(pause: number): Promise<boolean> {
    return this.#transport.wait(pause).then(
      () => true,
      () => false,
    );
  }
}

/** The transport in memory, for the fake of `testing`: a call is a call of its `answer`. */
import type { Settings } from "../settings.js";
import { Closed, type Transport } from "./transport.js";
import { Waits } from "./waits.js";

/** What answers the calls. */
export interface Answers {
  /** The reply to one call. Throws WireFailure. */
  answer(method: string, request: Uint8Array): Uint8Array;
}

/** Transport in memory. */
export class FakeTransport implements Transport {
  readonly #fake: Answers;
  readonly #waits = new Waits();
  readonly #closing = new AbortController();
  readonly #token: Settings["token"];

  constructor(fake: Answers, settings: Settings) {
    this.#fake = fake;
    this.#token = settings.token;
  }

  async unary(method: string, request: Uint8Array): Promise<Uint8Array> {
    // As in production: a reply never comes before the caller has gone on.
    await (typeof this.#token === "string" ? undefined : this.#token());
    if (this.#waits.closed) throw new Closed();
    return this.#fake.answer(method, request);
  }

  async *stream(method: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    yield await this.unary(method, request);
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    if (!ended.aborted) {
      await new Promise((resolve) => {
        ended.addEventListener("abort", resolve, { once: true });
      });
    }
    throw new Closed();
  }

  wait(pauseMs: number, signal?: AbortSignal): Promise<void> {
    return this.#waits.wait(pauseMs, signal);
  }

  close(): void {
    this.#waits.close();
    this.#closing.abort();
  }
}

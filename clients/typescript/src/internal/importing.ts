/**
 * An import: drafts to batches, replies to one report.
 *
 * Why one Import after the other and no ImportStream: a batch is written in one go or refused with its violations, has
 * a deadline and is tried again like any other call, and a sidecar next door leaves no round trip worth hiding.
 */
import { RequestRefused, SidecarError } from "../errors.js";
import type { Imported, ImportOptions, ImportOutcome, RefusedBatch } from "../events.js";
import type { Settings } from "../settings.js";
import { type Call, type Counted, perform } from "./calls.js";
import { SERVICE, type Written } from "./events.js";
import { closedError } from "./faults.js";
import { ImportEvent, ImportRequest, ImportResponse } from "./pb/sidecar/v1/tracking.js";
import { outcomeOf } from "./replies.js";
import { AGAIN, EVENT_RETRY, pauseMs } from "./retry.js";
import { jitter } from "./stamps.js";
import type { Transport } from "./transport.js";

/** Events of one Import; the sidecar's own bound. */
const BATCH_EVENTS_MAX = 500;
/** Bytes of one Import of more than one event: far below the sidecar's bound, so that memory stays small. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** How long an import waits in all for a batch that is not accepted for now, as while the outbox is full. */
const PATIENCE_MS = 60_000;
/** What an event costs besides its own bytes: a tag and a length. */
const EVENT_OVERHEAD_BYTES = 6;
const METHOD = `${SERVICE}Import`;

type Drafts = Iterable<Written> | AsyncIterable<Written>;

/** One import, from the first batch to the report. */
export class Importing {
  readonly #transport: Transport;
  readonly #counted: Counted;
  readonly #settings: Settings;
  readonly #includeOptimizely: boolean;
  readonly #batchEventsMax: number;
  #given = 0;
  #accepted = 0;
  #repeated = 0;
  readonly #refused: RefusedBatch[] = [];
  readonly #outcomes = new Map<string, ImportOutcome>();

  /** @throws RangeError for a bound of a batch that is not 1 to 500. */
  constructor(transport: Transport, counted: Counted, settings: Settings, options: ImportOptions) {
    const { includeOptimizely = false, batchEventsMax = BATCH_EVENTS_MAX } = options;
    if (!(Number.isInteger(batchEventsMax) && batchEventsMax >= 1 && batchEventsMax <= BATCH_EVENTS_MAX)) {
      throw new RangeError(`batchEventsMax is ${batchEventsMax}, wanted 1 to ${BATCH_EVENTS_MAX}`);
    }
    this.#transport = transport;
    this.#counted = counted;
    this.#settings = settings;
    this.#includeOptimizely = includeOptimizely;
    this.#batchEventsMax = batchEventsMax;
  }

  /** Every batch in order, each until it is accepted or refused. Throws SidecarError when it breaks off. */
  async run(drafts: Drafts): Promise<Imported> {
    for await (const batch of this.#batches(drafts)) {
      await this.#send(batch);
      this.#given += batch.length;
    }
    return this.#report();
  }

  /** Batches within both bounds; an event over the bytes has one of its own. The drafts are read no further. */
  async *#batches(drafts: Drafts): AsyncGenerator<ImportEvent[], void, undefined> {
    let batch: ImportEvent[] = [];
    let bytes = 0;
    for await (const { message } of drafts) {
      const event: ImportEvent = { event: message };
      const more = ImportEvent.encode(event).finish().length + EVENT_OVERHEAD_BYTES;
      if (batch.length === this.#batchEventsMax || (batch.length > 0 && bytes + more > BATCH_BYTES_MAX)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(event);
      bytes += more;
    }
    if (batch.length > 0) yield batch;
  }

  async #send(events: ImportEvent[]): Promise<void> {
    const call = this.#call(events);
    let waitedMs = 0;
    for (let failures = 1; ; failures += 1) {
      try {
        this.#take(await perform(this.#transport, this.#counted, call), events.length);
        return;
      } catch (error) {
        if (error instanceof RequestRefused) {
          this.#refused.push({ firstIndex: this.#given, events: events.length, error });
          return;
        }
        if (!(error instanceof SidecarError)) throw error;
        if (!error.retryable || waitedMs >= PATIENCE_MS) throw this.#brokenOff(error);
        const pause = error.retryAfterMs ?? pauseMs(AGAIN, failures, jitter());
        waitedMs += pause;
        await this.#transport.wait(pause).catch(() => {
          throw this.#brokenOff(closedError(METHOD, ""));
        });
      }
    }
  }

  #call(events: ImportEvent[]): Call<ImportResponse> {
    const { datafile, importTimeoutMs } = this.#settings;
    const request: ImportRequest = { events, includeOptimizely: this.#includeOptimizely, datafile };
    return {
      method: METHOD,
      request: ImportRequest.encode(request).finish(),
      timeoutMs: importTimeoutMs,
      retry: EVENT_RETRY,
      eventId: "",
      decode: (reply) => ImportResponse.decode(reply),
      fallback: undefined,
    };
  }

  #take(response: ImportResponse, events: number): void {
    this.#accepted += events;
    this.#repeated += response.repeatedEvents;
    for (const { outcome, events: had } of response.outcomes) {
      if (outcome === undefined) continue;
      const read = outcomeOf(outcome);
      const key = JSON.stringify(Object.values(read));
      this.#outcomes.set(key, { ...read, events: (this.#outcomes.get(key)?.events ?? 0) + Number(had) });
    }
  }

  #brokenOff(error: SidecarError): SidecarError {
    error.imported = this.#report();
    return error;
  }

  #report(): Imported {
    return {
      accepted: this.#accepted,
      repeated: this.#repeated,
      refused: this.#refused,
      outcomes: [...this.#outcomes.values()],
    };
  }
}

/** The client: each method builds a call (`internal/`) and drives it. `connect` makes one over grpc-js. */
import type { DecideManyOptions, Decisions } from "./decisions.js";
import { Draft } from "./drafts.js";
import type { Imported, ImportOptions } from "./events.js";
import { type Call, type Counted, perform } from "./internal/calls.js";
import { GrpcTransport } from "./internal/grpc.js";
import { Identity } from "./internal/identity.js";
import { Importing } from "./internal/importing.js";
import { decideMany } from "./internal/many.js";
import { Sending } from "./internal/sending.js";
import * as state from "./internal/state.js";
import type { Transport } from "./internal/transport.js";
import { addressOf, type ConnectOptions, DEFAULT_ADDRESS, type Settings, settingsOf } from "./settings.js";
import type { Counters, DatafileChange, DatafileStatus, Flushed } from "./status.js";
import { type Performer, User } from "./user.js";
import type { GivenMap } from "./values.js";

/** What `client.user` takes besides the id. */
export interface UserOptions {
  /** What conditions compare, by attribute key. */
  readonly attributes?: GivenMap;
  /** An id for a user who is not known. */
  readonly anonymousId?: string;
  /** The datafile's name or SDK key; by default the client's. */
  readonly datafile?: string;
}

/**
 * A client for the sidecar at `HOST:PORT` or `unix:PATH`, connected by its first call. Returns at once.
 *
 * @throws RangeError or TypeError for an address or an option that cannot be.
 */
export function connect(address: string = DEFAULT_ADDRESS, options: ConnectOptions = {}): Client {
  const settings = settingsOf(options);
  return new Client(new GrpcTransport(addressOf(address), settings), settings);
}

/**
 * A sidecar, as seen from one process. Close it, or hold it in `await using`.
 */
export class Client implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #settings: Settings;
  readonly #counted: Counted = { decisionsDefaulted: 0, retries: 0, eventsDropped: 0, eventsBuffered: 0 };
  readonly #sending: Sending;
  readonly #performer: Performer;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(transport: Transport, settings: Settings) {
    const sending = new Sending(transport, settings, this.#counted);
    this.#transport = transport;
    this.#settings = settings;
    this.#sending = sending;
    this.#performer = {
      settings,
      perform: (call) => perform(transport, this.#counted, call),
      record: (call) => sending.record(call),
    };
  }

  /** What this client has been through, for metrics: a copy of now. */
  get counters(): Counters {
    return { ...this.#counted };
  }

  /**
   * A handle for one user; cheap, make one for each request.
   *
   * @throws TypeError or RangeError, with the path of the value, for an attribute that has no wire form.
   */
  user(userId: string, options: UserOptions = {}): User {
    const { attributes = {}, anonymousId = "", datafile = "" } = options;
    const identity = new Identity({
      userId,
      anonymousId,
      attributes,
      forced: [],
      segments: undefined,
      datafile: datafile === "" ? this.#settings.datafile : datafile,
    });
    return new User(this.#performer, identity);
  }

  /**
   * Decides the same flags, none = all, for up to 1,000 users at one revision, in their order.
   *
   * A user that is refused has the defaults, and an `errorReason`; the others have their decisions. Rejects with
   * RangeError for more users, for users of different datafiles, and for ids that are not one for each user.
   */
  async decideMany(users: Iterable<User>, options: DecideManyOptions = {}): Promise<Decisions[]> {
    const identities = Array.from(users, (user) => User.identity(user));
    if (identities.length === 0) return [];
    return this.#perform(decideMany(identities, this.#settings, this.#counted, options));
  }

  /**
   * Records history: any number of events, made by `user.drafts`, in batches accepted or refused whole.
   *
   * Optimizely gets them only when asked: old timestamps distort its results. Rejects with SidecarError when no sidecar
   * takes a batch for a minute; its `imported` says what was accepted before.
   */
  async importEvents(drafts: Iterable<Draft> | AsyncIterable<Draft>, options: ImportOptions = {}): Promise<Imported> {
    return new Importing(this.#transport, this.#counted, this.#settings, options).run(writtenOf(drafts));
  }

  /**
   * Waits until a first decision will succeed, or, without any datafile, an event; false when the time runs out.
   *
   * Rejects with SidecarError for what waiting does not mend, as a wrong token.
   */
  async waitReady(timeoutMs = 10_000): Promise<boolean> {
    return state.waitReady(this.#transport, this.#counted, this.#settings, timeoutMs);
  }

  /**
   * Waits until everything accepted before is delivered, at most so long, and says what is left.
   *
   * What this client has in its buffer goes first.
   */
  async flush(timeoutMs = 5_000): Promise<Flushed> {
    state.checkWait(timeoutMs);
    const { buffered, leftMs } = await this.#sending.drain(timeoutMs);
    return this.#perform(state.flush(this.#settings, leftMs, buffered));
  }

  /** The state of the datafile that decisions are made with. */
  async status(): Promise<DatafileStatus> {
    return this.#perform(state.status(this.#settings));
  }

  /**
   * The current revision, then each change, until the client is closed, the iteration left, or `signal` aborted.
   *
   * A restart of the sidecar is waited for; the revision told last is not told again after it.
   */
  watch(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<DatafileChange> {
    return state.watch(this.#transport, this.#settings, options.signal ?? new AbortController().signal);
  }

  /**
   * Ends every call and watch, and the connection. Idempotent.
   *
   * Events in the buffer are given as long as one event has (`eventTimeoutMs`); what is left is dropped, counted.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#sending.close().finally(() => {
      this.#transport.close();
    });
    return this.#closing;
  }

  /** The same as `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #perform<Answer>(call: Call<Answer>): Promise<Answer> {
    return perform(this.#transport, this.#counted, call);
  }
}

async function* writtenOf(
  drafts: Iterable<Draft> | AsyncIterable<Draft>,
): AsyncGenerator<ReturnType<typeof Draft.written>, void, undefined> {
  for await (const draft of drafts) yield Draft.written(draft);
}

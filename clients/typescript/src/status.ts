/**
 * The state of a sidecar as a caller sees it: its datafile, each change of it, and what is left to deliver.
 *
 * Nothing here knows protobuf or a transport. The meaning of each field is fixed by proto/sidecar/v1/datafile.proto and
 * tracking.proto.
 */

/** What one destination has still to get. */
export interface Remainder {
  /** The destination's configured name. */
  readonly destination: string;
  /** Events accepted before the flush and neither delivered nor dead. */
  readonly events: number;
  /** Why it is paused; empty when it is not. */
  readonly pauseReason: string;
}

/** What `flush` left. */
export interface Flushed {
  /** Everything accepted before the flush is delivered, or a dead letter that says why. */
  readonly complete: boolean;
  /** One for each destination, in configured order. */
  readonly remainders: readonly Remainder[];
  /** The events that are still in this client's buffer. */
  readonly buffered: number;
}

/** One thing wrong with a datafile in force. */
export interface DatafileWarning {
  /** Where, as `featureFlags[3].variables[0].type`. */
  readonly path: string;
  /** What, and what was done about it, in English. */
  readonly description: string;
  /** The flag that is disabled for it; empty when none is. */
  readonly disabledFlagKey: string;
}

/** What the sidecar decides with, and how fresh it is. */
export interface DatafileStatus {
  /** The configured name of the datafile. */
  readonly name: string;
  /** The revision in force; empty before the first datafile. */
  readonly revision: string;
  /** Where it comes from. */
  readonly source: string;
  /** When the revision in force was applied; undefined before the first datafile. */
  readonly loadedTime: Date | undefined;
  /** When the source was last read; undefined before the first time. */
  readonly checkedTime: Date | undefined;
  /** The last look at the source failed or is overdue; `lastError` then says why. */
  readonly stale: boolean;
  /** It was loaded from the copy on disk, because the source was down at start. */
  readonly fromCache: boolean;
  /** Why the last read failed; empty when it succeeded. */
  readonly lastError: string;
  /** What is wrong with the datafile in force. */
  readonly warnings: readonly DatafileWarning[];
}

/** A revision that came into force. */
export interface DatafileChange {
  /** The revision; empty before the first datafile. */
  readonly revision: string;
  /** When it was applied; undefined before the first datafile. */
  readonly loadedTime: Date | undefined;
  /** Where it comes from. */
  readonly source: string;
  /** How many warnings it has; `status` lists them. */
  readonly warnings: number;
  /** Changes missed because this reader was slow. */
  readonly lost: number;
}

/** What a client has been through, for the metrics of the service that holds it. */
export interface Counters {
  /** Calls for decisions that were answered with the caller's default. */
  readonly decisionsDefaulted: number;
  /** Tries after the first, of any call. */
  readonly retries: number;
  /** Events that the buffer gave up: past its bounds, refused when sent at last, or left when the client closed. */
  readonly eventsDropped: number;
  /** Events in the buffer now; the only one that falls. */
  readonly eventsBuffered: number;
}

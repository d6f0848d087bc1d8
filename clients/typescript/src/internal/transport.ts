/**
 * The seam under the client: bytes to a method, bytes back. grpc-js's implementation is in `grpc`, the fake's in
 * `fake_transport`. What every implementation promises:
 *
 * - Calls. It knows no message and retries nothing: one call is one try, so that the client alone decides what is sent
 *   twice. A failed one rejects with WireFailure or Closed, and nothing else. gRPC's own bound for what is sent is
 *   off: the sidecar's refusal says more.
 * - Headers. The token is read, within the deadline, and the current span asked, at the begin of each try.
 * - Connection. Made by the first call, shared by all, made anew after it broke: between two attempts, 100 ms rising to
 *   1 s. A call that finds none fails with UNAVAILABLE, not later than its deadline. No proxy of the environment is
 *   used. On a Unix socket the authority is `localhost`.
 * - Deadline. It is sent as `grpc-timeout`, and kept here too: a call returns in time though the peer stands still.
 * - Close. Ends every call, stream and wait under way with Closed; after it every call is Closed. Idempotent.
 *
 * Why there are no client streams: an import is a row of calls, each with a deadline, and an answer that says what was
 * accepted; a sidecar next door leaves no round trip worth a stream.
 */

/** One try failed: gRPC's code, its message, and the bytes of `grpc-status-details-bin`, if any. */
export class WireFailure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly details: Uint8Array = new Uint8Array(),
  ) {
    super(message);
  }
}

/** The client was closed before the try, or during it. */
export class Closed extends Error {}

/** What carries calls. */
export interface Transport {
  /** One call by full method name, as `/sidecar.v1.DecisionService/Decide`. Connects when it must. */
  unary(method: string, request: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** A call with many replies and no deadline; returning from the iteration, or aborting `signal`, ends it. */
  stream(method: string, request: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Rests before another try, or until `signal` is aborted; rejects with Closed when `close` was called, at once when
   * it is meanwhile.
   */
  wait(pauseMs: number, signal?: AbortSignal): Promise<void>;
  /** Ends every call and the connection. */
  close(): void;
}

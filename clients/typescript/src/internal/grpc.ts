/**
 * The transport over grpc-js: one channel, made at the first call. Only this module imports it.
 *
 * Retries are not its business: grpc-js's own, and service configurations, are off, so that a call is tried once here.
 */
import * as grpc from "@grpc/grpc-js";

import type { Settings, Tls } from "../settings.js";
import { traceHeaders } from "./tracing.js";
import { Closed, type Transport, WireFailure } from "./transport.js";
import { Waits } from "./waits.js";

/** How long a stream, which has no deadline, waits for a token. */
const TOKEN_TIMEOUT_MS = 10_000;
const DETAILS_KEY = "grpc-status-details-bin";

function channelOptions(address: string, settings: Settings): grpc.ChannelOptions {
  const name = tlsOf(settings)?.serverName ?? "";
  return {
    "grpc.max_receive_message_length": settings.replyBytesMax,
    "grpc.max_send_message_length": -1,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    // Why: a proxy of the environment is for the outside, the sidecar is next door.
    "grpc.enable_http_proxy": 0,
    // Why: a restarted sidecar is found within the deadline of an event; grpc-js waits a second by default.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    // Why: clients of one process share no connection, so closing one never touches another.
    "grpc.use_local_subchannel_pool": 1,
    // Why: grpc-js's default is the path, which strict HTTP/2 stacks refuse.
    ...(address.startsWith("unix:") ? { "grpc.default_authority": "localhost" } : {}),
    ...(name === "" ? {} : { "grpc.ssl_target_name_override": name, "grpc.default_authority": name }),
  };
}

function tlsOf(settings: Settings): Tls | undefined {
  if (settings.tls === false) return undefined;
  return settings.tls === true ? {} : settings.tls;
}

function credentials(settings: Settings): grpc.ChannelCredentials {
  const tls = tlsOf(settings);
  if (tls === undefined) return grpc.credentials.createInsecure();
  return grpc.credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.certificate));
}

function pem(given: string | Uint8Array | undefined): Buffer | null {
  return given === undefined ? null : Buffer.from(given);
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** Calls over one channel. */
export class GrpcTransport implements Transport {
  readonly #address: string;
  readonly #settings: Settings;
  readonly #waits = new Waits();
  /** What `close` ends. Why kept here: grpc-js lets calls that were begun outlive their channel. */
  readonly #underWay = new Set<{ cancel(): void }>();
  #channel: grpc.Client | undefined;

  constructor(address: string, settings: Settings) {
    this.#address = address;
    this.#settings = settings;
  }

  async unary(method: string, request: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const deadline = Date.now() + timeoutMs;
    const { token } = this.#settings;
    const metadata = metadataOf(typeof token === "string" ? token : await this.#asked(token, timeoutMs));
    const channel = this.#connected();
    return new Promise((resolve, reject) => {
      const ended = (failure: grpc.ServiceError | null, reply?: Buffer): void => {
        this.#underWay.delete(call);
        if (failure !== null) reject(this.#failure(failure));
        else resolve(reply ?? Buffer.alloc(0));
      };
      const call = channel.makeUnaryRequest(method, asIs, asIs, view(request), metadata, { deadline }, ended);
      this.#underWay.add(call);
    });
  }

  async *stream(method: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { token } = this.#settings;
    const metadata = metadataOf(typeof token === "string" ? token : await this.#asked(token, TOKEN_TIMEOUT_MS));
    const call = this.#connected().makeServerStreamRequest(method, asIs, asIs, view(request), metadata, {});
    const cancel = (): void => {
      call.cancel();
    };
    this.#underWay.add(call);
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      for await (const reply of call as AsyncIterable<Buffer>) yield reply;
    } catch (error) {
      throw this.#failure(error as grpc.ServiceError);
    } finally {
      signal.removeEventListener("abort", cancel);
      this.#underWay.delete(call);
      // Why a listener: a cancelled call has an error to tell, and nobody else listens any more.
      call.on("error", () => undefined);
      call.cancel();
    }
  }

  wait(pauseMs: number, signal?: AbortSignal): Promise<void> {
    return this.#waits.wait(pauseMs, signal);
  }

  close(): void {
    this.#waits.close();
    for (const call of this.#underWay) call.cancel();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #connected(): grpc.Client {
    if (this.#waits.closed) throw new Closed();
    this.#channel ??= new grpc.Client(
      this.#address,
      credentials(this.#settings),
      channelOptions(this.#address, this.#settings),
    );
    return this.#channel;
  }

  /** What the caller's function says is the token now. Its failure is one of this try; it is never waited for long. */
  async #asked(token: () => string | Promise<string>, timeoutMs: number): Promise<string> {
    const known = new AbortController();
    const late = this.#waits.wait(timeoutMs, known.signal).then(() => {
      throw new WireFailure("DEADLINE_EXCEEDED", "the function that reads the token was not done; nothing was sent");
    });
    try {
      return await Promise.race([token(), late]);
    } catch (error) {
      if (error instanceof Closed || error instanceof WireFailure) throw error;
      const said = error instanceof Error ? error.message : String(error);
      throw new WireFailure("UNAUTHENTICATED", `the function that reads the token failed: ${said}; nothing was sent`);
    } finally {
      late.catch(() => undefined); // It may fail when nobody waits for it any more.
      known.abort();
    }
  }

  #failure(error: grpc.ServiceError): Error {
    if (this.#waits.closed) return new Closed();
    const details = error.metadata.get(DETAILS_KEY)[0];
    // Why: nobody but this client cancels its calls, so that a CANCELLED that it did not ask for is grpc-js's word for a
    // peer that went away and reset its streams.
    const code = error.code === grpc.status.CANCELLED ? "UNAVAILABLE" : grpc.status[error.code];
    return new WireFailure(code, error.details, typeof details === "object" ? details : undefined);
  }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function metadataOf(token: string): grpc.Metadata {
  // Why here: grpc-js would throw an error of its own, without the token's being named.
  if (!/^[\x20-\x7e]*$/.test(token)) {
    throw new WireFailure("UNAUTHENTICATED", "the token has characters that a header cannot hold; nothing was sent");
  }
  const metadata = new grpc.Metadata();
  if (token !== "") metadata.set("authorization", `Bearer ${token}`);
  for (const [key, value] of traceHeaders()) metadata.set(key, value);
  return metadata;
}

/** How a client connects and how long it waits: what `connect` takes, checked when it is taken. */

/** A bearer token, or a function that reads the current one and is asked before every try. */
export type Token = string | (() => string | Promise<string>);

/** Where a sidecar listens by default. */
export const DEFAULT_ADDRESS = "127.0.0.1:8013";

/** TLS to the sidecar, with PEM bytes or text. */
export interface Tls {
  /** The authorities trusted; by default those of Node. */
  readonly ca?: string | Uint8Array;
  /** This client's certificate chain, for a sidecar that asks for one; needs `key`. */
  readonly certificate?: string | Uint8Array;
  /** The key of `certificate`. */
  readonly key?: string | Uint8Array;
  /** The name in the sidecar's certificate, when it is not the address. */
  readonly serverName?: string;
}

/** What `connect` takes; all optional. */
export interface ConnectOptions {
  /** Plain text by default: the sidecar listens on loopback or a Unix socket. True = the authorities of Node. */
  readonly tls?: Tls | boolean;
  /** Sent as `authorization: Bearer …` when not empty. */
  readonly token?: Token;
  /** The datafile's name or SDK key of users that name none; empty = the sidecar's default. */
  readonly datafile?: string;
  /** Throw when a decision fails, instead of answering its default; default false. */
  readonly strict?: boolean;
  /** The deadline of `decide`, `decideForKeys` and `decideAll`; 250 ms. */
  readonly decideTimeoutMs?: number;
  /** The deadline of `track` and its sisters; 1 s. */
  readonly eventTimeoutMs?: number;
  /** The deadline of `status`, `explain` and `decideMany`; 5 s. */
  readonly statusTimeoutMs?: number;
  /** The deadline of one batch of `importEvents`; 10 s. */
  readonly importTimeoutMs?: number;
  /** Events kept in memory while no sidecar takes them, to be sent later in order; 0, the default: the call throws. */
  readonly bufferEventsMax?: number;
  /** The bytes of those; 8 MiB. Past either bound the oldest is dropped, and counted. */
  readonly bufferBytesMax?: number;
  /** The largest reply taken, in bytes; 32 MiB. */
  readonly replyBytesMax?: number;
}

/** What `connect` was told, with the defaults. */
export type Settings = Required<ConnectOptions>;

const DEFAULTS: Settings = Object.freeze({
  tls: false,
  token: "",
  datafile: "",
  strict: false,
  decideTimeoutMs: 250,
  eventTimeoutMs: 1_000,
  statusTimeoutMs: 5_000,
  importTimeoutMs: 10_000,
  bufferEventsMax: 0,
  bufferBytesMax: 8 * 1024 * 1024,
  replyBytesMax: 32 * 1024 * 1024,
});

/**
 * The settings of these options.
 *
 * @throws RangeError for a bound that cannot be, TypeError for half a client certificate.
 */
export function settingsOf(options: ConnectOptions): Settings {
  // Why: `{ token: process.env.TOKEN }` of a program without types must not replace a default by undefined.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { ...DEFAULTS, ...given };
  for (const name of ["decideTimeoutMs", "eventTimeoutMs", "statusTimeoutMs", "importTimeoutMs"] as const) {
    checkTimeout(name, settings[name]);
  }
  for (const name of ["bufferEventsMax", "bufferBytesMax", "replyBytesMax"] as const) {
    if (!(Number.isInteger(settings[name]) && settings[name] >= 0)) {
      throw new RangeError(`${name} is ${settings[name]}, wanted a whole number, 0 or more`);
    }
  }
  const { tls } = settings;
  if (typeof tls === "object" && (tls.certificate === undefined) !== (tls.key === undefined)) {
    throw new TypeError("tls has one of certificate and key, wanted both or neither");
  }
  return settings;
}

/** Checks a deadline in milliseconds; `least` is the least that it may be, exclusive. */
export function checkTimeout(name: string, timeoutMs: number, least = 0): void {
  if (!(Number.isFinite(timeoutMs) && timeoutMs > least)) {
    throw new RangeError(`${name} is ${timeoutMs}, wanted a finite number of milliseconds, more than ${least}`);
  }
}

const PORT_MAX = 65_535;

/**
 * The address, checked: `HOST:PORT` or `unix:PATH`.
 *
 * @throws RangeError for any other.
 */
export function addressOf(address: string): string {
  const unix = address.startsWith("unix:") && address.length > "unix:".length;
  const port = /^.+:([0-9]+)$/.exec(address)?.[1];
  if (!unix && !(port !== undefined && Number(port) > 0 && Number(port) <= PORT_MAX)) {
    throw new RangeError(`address is \`${address}\`, wanted \`HOST:PORT\` or \`unix:PATH\``);
  }
  return address;
}

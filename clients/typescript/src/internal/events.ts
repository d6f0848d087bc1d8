/** Events built complete, with id and time, before the first try, and the calls that bring them. No socket. */
import type { Accepted, EventKind, EventOptions, Money, PageOptions, TrackOptions, TraitsOptions } from "../events.js";
import { checkTimeout, type Settings } from "../settings.js";
import type { Call } from "./calls.js";
import { checkText, encodeMap } from "./encoding.js";
import type { Identity } from "./identity.js";
import type { Value } from "./pb/sidecar/v1/value.js";
import * as pb from "./pb/sidecar/v1/tracking.js";
import { readAccepted, readTracked } from "./replies.js";
import { EVENT_RETRY } from "./retry.js";
import { newId } from "./stamps.js";

/** The service of every event. */
export const SERVICE = "/sidecar.v1.TrackingService/";

/** An event on the wire, as an Import takes it. */
export type EventMessage = NonNullable<pb.ImportEvent["event"]>;

/** An event that is complete and not sent yet. */
export interface Written {
  readonly eventId: string;
  readonly message: EventMessage;
}

/** What all six messages have. */
interface Common {
  readonly userId: string;
  readonly anonymousId: string;
  readonly eventId: string;
  readonly timestamp: Date;
  readonly context: Map<string, Value>;
  readonly integrations: Map<string, Value>;
  readonly datafile: string;
}

/** A Track. Throws as `encodeMap`, and for an amount or a time that is none. */
export function track(user: Identity, eventKey: string, details: TrackOptions): Written {
  checkText("eventKey", eventKey);
  return written("track", {
    ...common(user, details),
    eventKey,
    attributes: user.request.attributes,
    eventTags: encodeMap(details.tags, "tags"),
    properties: encodeMap(details.properties, "properties"),
    revenue: details.revenue && moneyOf(details.revenue),
  });
}

/** An Identify. */
export function identify(user: Identity, details: TraitsOptions): Written {
  return written("identify", { ...common(user, details), traits: encodeMap(details.traits, "traits") });
}

/** A Page or a Screen, which have the same fields. */
export function page(kind: "page" | "screen", user: Identity, name: string, details: PageOptions): Written {
  const { category = "", properties } = details;
  checkText("name", name);
  checkText("category", category);
  return written(kind, {
    ...common(user, details),
    name,
    category,
    properties: encodeMap(properties, "properties"),
  });
}

/** A Group. */
export function group(user: Identity, groupId: string, details: TraitsOptions): Written {
  checkText("groupId", groupId);
  return written("group", { ...common(user, details), groupId, traits: encodeMap(details.traits, "traits") });
}

/** An Alias. */
export function alias(user: Identity, previousId: string, details: EventOptions): Written {
  checkText("previousId", previousId);
  return written("alias", { ...common(user, details), previousId });
}

function written<Kind extends EventKind>(kind: Kind, value: Extract<EventMessage, { $case: Kind }>["value"]): Written {
  return { eventId: value.eventId, message: { $case: kind, value } as unknown as EventMessage };
}

function common(user: Identity, details: EventOptions): Common {
  const now = Date.now();
  const { eventId = "", timestamp } = details;
  checkText("eventId", eventId);
  return {
    userId: user.request.userId,
    anonymousId: user.parts.anonymousId,
    eventId: eventId === "" ? newId(now) : eventId,
    timestamp: timestampOf(timestamp, now),
    context: encodeMap(details.context, "context"),
    integrations: encodeMap(details.integrations, "integrations"),
    datafile: user.request.datafile,
  };
}

function timestampOf(given: Date | undefined, now: number): Date {
  if (given === undefined) return new Date(now);
  if (!(given instanceof Date)) throw new TypeError(`timestamp is ${typeof given} \`${String(given)}\`, wanted Date`);
  if (Number.isNaN(given.getTime())) throw new RangeError("timestamp is an invalid Date, wanted a time");
  return new Date(given); // Why a copy: a Date can be changed, and a draft may wait.
}

/** Money of the contract. Its bounds are the sidecar's to tell; what is checked is that it is exact, and money. */
function moneyOf({ amount, currency }: Money): Money {
  if (typeof amount !== "string") {
    throw new TypeError(`revenue amount is ${typeof amount} \`${String(amount)}\`, wanted text, as "19.90": exact`);
  }
  if (!/^-?[0-9]+(\.[0-9]+)?$/.test(amount)) {
    throw new RangeError(`revenue amount is \`${amount}\`, wanted digits, as "19.90"`);
  }
  if (!/^[A-Z]{3}$/.test(currency)) {
    throw new RangeError(`revenue currency is \`${currency}\`, wanted an ISO 4217 code, as "USD"`);
  }
  return { amount, currency };
}

/** The call that brings one event. */
export function eventCall({ eventId, message }: Written, settings: Settings, timeoutMs?: number): Call<Accepted> {
  if (timeoutMs !== undefined) checkTimeout("timeoutMs", timeoutMs);
  const kind = message.$case;
  return {
    method: SERVICE + kind.charAt(0).toUpperCase() + kind.slice(1),
    request: encodeEvent(message),
    timeoutMs: timeoutMs ?? settings.eventTimeoutMs,
    retry: EVENT_RETRY,
    eventId,
    decode: kind === "track" ? readTracked : readAccepted,
    fallback: undefined,
  };
}

function encodeEvent(message: EventMessage): Uint8Array {
  switch (message.$case) {
    case "track":
      return pb.TrackRequest.encode(message.value).finish();
    case "identify":
      return pb.IdentifyRequest.encode(message.value).finish();
    case "page":
      return pb.PageRequest.encode(message.value).finish();
    case "screen":
      return pb.ScreenRequest.encode(message.value).finish();
    case "group":
      return pb.GroupRequest.encode(message.value).finish();
    case "alias":
      return pb.AliasRequest.encode(message.value).finish();
  }
}

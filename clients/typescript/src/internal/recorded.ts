/** What the fake of `testing` records: requests to values. */
import type { EventKind, Money } from "../events.js";
import type { Value } from "../values.js";
import { decodeMap } from "./encoding.js";
import type { EventMessage } from "./events.js";
import type { Value as ValueMessage } from "./pb/sidecar/v1/value.js";

/** Values by key. */
export type Values = Readonly<Record<string, Value>>;

/** An event that the code under test sent. Integers in its values are bigints, as in every answer. */
export interface RecordedEvent {
  /** Which of the six it is. */
  readonly kind: EventKind;
  /** The event key, page, screen or group id; empty when the kind has none. */
  readonly name: string;
  /** Its id. */
  readonly eventId: string;
  /** The user. */
  readonly userId: string;
  /** The anonymous id. */
  readonly anonymousId: string;
  /** When it happened. */
  readonly timestamp: Date;
  /** Of an alias: the id until now. */
  readonly previousId: string;
  /** Of a page or screen: its category. */
  readonly category: string;
  /** Of a track: the user's attributes. */
  readonly attributes: Values;
  /** Of a track: its tags. */
  readonly tags: Values;
  /** Of a track, page or screen: its properties. */
  readonly properties: Values;
  /** Of an identify or group: its traits. */
  readonly traits: Values;
  /** Where and how it happened. */
  readonly context: Values;
  /** Which destinations want it. */
  readonly integrations: Values;
  /** Of a track: what it earned. */
  readonly revenue: Money | undefined;
}

/** A decision that the code under test asked for, one for each flag answered. */
export interface RecordedDecision {
  /** The user. */
  readonly userId: string;
  /** The flag. */
  readonly flagKey: string;
  /** The user's attributes. */
  readonly attributes: Values;
}

/** Values by key, as an object. */
export function valuesOf(messages: ReadonlyMap<string, ValueMessage> = new Map()): Values {
  return Object.fromEntries(decodeMap(messages));
}

/** The fields that the six messages have, where they have them. */
interface Fields {
  readonly userId: string;
  readonly anonymousId: string;
  readonly eventId: string;
  readonly timestamp: Date | undefined;
  readonly eventKey?: string;
  readonly name?: string;
  readonly groupId?: string;
  readonly previousId?: string;
  readonly category?: string;
  readonly attributes?: Map<string, ValueMessage>;
  readonly eventTags?: Map<string, ValueMessage>;
  readonly properties?: Map<string, ValueMessage>;
  readonly traits?: Map<string, ValueMessage>;
  readonly context: Map<string, ValueMessage>;
  readonly integrations: Map<string, ValueMessage>;
  readonly revenue?: Money | undefined;
}

/** The event of a message: its fields by name, since the six messages name alike what is alike. */
export function recorded({ $case: kind, value }: EventMessage): RecordedEvent {
  const fields: Fields = value;
  return {
    kind,
    name: fields.eventKey ?? fields.name ?? fields.groupId ?? "",
    eventId: fields.eventId,
    userId: fields.userId,
    anonymousId: fields.anonymousId,
    timestamp: fields.timestamp ?? new Date(0),
    previousId: fields.previousId ?? "",
    category: fields.category ?? "",
    attributes: valuesOf(fields.attributes),
    tags: valuesOf(fields.eventTags),
    properties: valuesOf(fields.properties),
    traits: valuesOf(fields.traits),
    context: valuesOf(fields.context),
    integrations: valuesOf(fields.integrations),
    revenue: fields.revenue && { amount: fields.revenue.amount, currency: fields.revenue.currency },
  };
}

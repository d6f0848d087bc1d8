/** What a step says, in the values of JavaScript: the forms of clients/conformance/README.md, read. */
import { readFileSync } from "node:fs";

import {
  type ConnectOptions,
  type Deadline,
  type DecideOption,
  type DefaultDecision,
  double,
  type Given,
  type GivenMap,
  type Money,
  type PageOptions,
  type Tls,
  type TraitsOptions,
  type TrackOptions,
  type UserAskOptions,
} from "@decision-sidecar/client";

import type { Form } from "./canonical.js";

/** A DEFAULT of a step. */
export interface DefaultForm {
  readonly variation_key?: string;
  readonly enabled?: boolean;
  readonly variables?: Forms;
}

/** VALUES by key. */
export type Forms = Readonly<Record<string, Form>>;

/** A USER of a step. */
export interface UserForm {
  readonly user_id: string;
  readonly anonymous_id?: string;
  readonly attributes?: Forms;
  readonly forced_decisions?: readonly { flag_key: string; variation_key: string; rule_key?: string }[];
  readonly segments?: readonly string[];
  readonly datafile?: string;
  readonly decision_id?: string;
}

/** One variable to read. */
export interface ReadForm {
  readonly key: string;
  readonly type: "string" | "integer" | "double" | "boolean" | "json";
  readonly default?: Form;
}

/** A step: every member that a call may have. Those that its call wants are there, or the program ends. */
export interface Step {
  readonly id: string;
  readonly call: string;
  readonly to: "tcp" | "unix" | "nowhere";
  readonly with?: Readonly<Record<string, unknown>>;
  readonly user: UserForm;
  readonly users: readonly UserForm[];
  readonly flag_key: string;
  readonly flag_keys?: readonly string[];
  readonly default?: DefaultForm;
  readonly defaults?: Readonly<Record<string, DefaultForm>>;
  readonly options?: readonly DecideOption[];
  readonly decision_id?: string;
  readonly timeout_ms?: number;
  readonly strict?: boolean;
  readonly read: readonly ReadForm[];
  readonly event_key: string;
  readonly event_id?: string;
  readonly timestamp?: string;
  readonly tags?: Forms;
  readonly properties?: Forms;
  readonly traits?: Forms;
  readonly context?: Forms;
  readonly integrations?: Forms;
  readonly revenue?: Money;
  readonly name: string;
  readonly category?: string;
  readonly group_id: string;
  readonly previous_id: string;
  readonly events: readonly Step[];
  readonly include_optimizely?: boolean;
  readonly batch_events_max?: number;
}

/** A VALUE of a step. */
export function native(form: Form): Given {
  if (form === null || typeof form === "boolean" || typeof form === "string") return form;
  const tagged = form as { int?: string; double?: string; repeat?: string; times?: number; list?: Form[]; map?: Forms };
  if (tagged.int !== undefined) return BigInt(tagged.int);
  if (tagged.double !== undefined) return double(Number(tagged.double));
  if (tagged.repeat !== undefined) return tagged.repeat.repeat(tagged.times ?? 0);
  if (tagged.list !== undefined) return tagged.list.map(native);
  if (tagged.map !== undefined) return natives(tagged.map);
  throw new Error(`value is ${JSON.stringify(form)}, wanted one of the forms of clients/conformance/README.md`);
}

/** VALUES of a step. */
export function natives(forms: Forms = {}): GivenMap {
  return Object.fromEntries(Object.entries(forms).map(([key, form]) => [key, native(form)]));
}

/** `{ name: given }`, or nothing when it is absent. */
export function maybe<Name extends string, One>(name: Name, given: One | undefined): Partial<Record<Name, One>> {
  return given === undefined ? {} : ({ [name]: given } as Partial<Record<Name, One>>);
}

/** The deadline of a step, if it has one. */
export function deadline(step: Step): Deadline {
  return maybe("timeoutMs", step.timeout_ms);
}

/** A DEFAULT. */
export function defaultOf(form: DefaultForm): DefaultDecision {
  return {
    ...maybe("variationKey", form.variation_key),
    ...maybe("enabled", form.enabled),
    ...maybe("variables", form.variables && natives(form.variables)),
  };
}

/** The options of a call for decisions. */
export function asked(step: Step): UserAskOptions {
  return {
    ...maybe("options", step.options),
    ...maybe("decisionId", step.decision_id),
    ...maybe("strict", step.strict),
    ...deadline(step),
  };
}

/** The defaults of a call for several flags. */
export function defaults(step: Step): { defaults?: Record<string, DefaultDecision> } {
  const forms = step.defaults;
  if (forms === undefined) return {};
  return { defaults: Object.fromEntries(Object.entries(forms).map(([key, form]) => [key, defaultOf(form)])) };
}

/** The options of an event: those of its kind that are there. */
export function eventOptions(step: Step): TrackOptions & TraitsOptions & PageOptions & Deadline {
  const maps = ["tags", "properties", "traits", "context", "integrations"] as const;
  return {
    ...Object.fromEntries(maps.filter((name) => step[name] !== undefined).map((name) => [name, natives(step[name])])),
    ...maybe("eventId", step.event_id),
    ...maybe("category", step.category),
    ...maybe("revenue", step.revenue),
    ...maybe("timestamp", step.timestamp === undefined ? undefined : new Date(step.timestamp)),
    ...deadline(step),
  };
}

/** The OPTIONS of `connect`. */
export function connectOptions(given: Readonly<Record<string, unknown>> = {}): ConnectOptions {
  const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const { tls, ...rest } = given;
  const named = Object.fromEntries(Object.entries(rest).map(([name, one]) => [camel(name), one]));
  return tls === undefined ? named : { ...named, tls: tlsOf(tls === "mutual") };
}

/** The files that the environment names. */
function tlsOf(mutual: boolean): Tls {
  const [ca, certificate, key] = ["CA", "CERTIFICATE", "KEY"].map((name) => process.env[`SIDECAR_${name}`] ?? "");
  const read = (path = ""): Buffer => readFileSync(path);
  return mutual ? { ca: read(ca), certificate: read(certificate), key: read(key) } : { ca: read(ca) };
}

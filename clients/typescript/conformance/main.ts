/**
 * The conformance program of the TypeScript client: steps as JSON lines in, canonical lines of what it answered out.
 *
 * The forms are fixed by clients/conformance/README.md; the client's public surface alone is used.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";

import {
  type Client,
  connect,
  type DatafileChange,
  type Decision,
  type Draft,
  type Given,
  SidecarError,
  type User,
  type Value,
  VariableError,
  type Variables,
} from "@decision-sidecar/client";

import { accepted, clientError, decision, decisions, type Form, given, imported, line } from "./canonical.js";
import { value, variableError } from "./canonical.js";
import { explanation } from "./explained.js";
import * as taken from "./taken.js";

const ADDRESSES = { tcp: "SIDECAR_TCP", unix: "SIDECAR_UNIX", nowhere: "SIDECAR_NOWHERE" } as const;

/** The client under test, and what of it outlives a step. */
let client: Client = connect();
let watch: AsyncIterator<DatafileChange> | undefined;

function userOf(form: taken.UserForm): User {
  let user = client.user(form.user_id, {
    attributes: taken.natives(form.attributes),
    ...taken.maybe("anonymousId", form.anonymous_id),
    ...taken.maybe("datafile", form.datafile),
  });
  if (form.segments !== undefined) user = user.withSegments(form.segments);
  for (const one of form.forced_decisions ?? []) {
    user = user.withForcedDecision(one.flag_key, one.variation_key, one.rule_key);
  }
  return user;
}

async function decided(step: taken.Step): Promise<Decision> {
  const fallback = taken.maybe("default", step.default && taken.defaultOf(step.default));
  return userOf(step.user).decide(step.flag_key, { ...fallback, ...taken.asked(step) });
}

function read(variables: Variables, { key, type, default: form }: taken.ReadForm): Form {
  const fallback = form === undefined ? undefined : taken.native(form);
  try {
    const answered = readAs(type, variables, key, fallback);
    const held = variables.get(key) ?? null;
    if (held === null) return { value: given(answered) };
    // An integer may be read as a double, which is then one; what is of type json is exact by `get` alone.
    return { value: value(type === "json" ? held : (answered as Value)) };
  } catch (error) {
    if (error instanceof VariableError) return { error: variableError(error) };
    throw error;
  }
}

function readAs(type: taken.ReadForm["type"], variables: Variables, key: string, fallback: Given | undefined): Given {
  switch (type) {
    case "string":
      return variables.string(key, fallback);
    case "integer":
      return variables.bigint(key, fallback); // Why not `integer`: this one takes all of int64.
    case "double":
      return variables.double(key, fallback);
    case "boolean":
      return variables.boolean(key, fallback);
    case "json":
      return variables.json<Given, Given>(key, fallback);
  }
}

function drafted(step: taken.Step): Draft {
  const { drafts } = userOf(step.user);
  const options = taken.eventOptions(step);
  switch (step.call) {
    case "track":
      return drafts.track(step.event_key, options);
    case "identify":
      return drafts.identify(options);
    case "page":
      return drafts.page(step.name, options);
    case "screen":
      return drafts.screen(step.name, options);
    case "group":
      return drafts.group(step.group_id, options);
    default:
      return drafts.alias(step.previous_id, options);
  }
}

const CALLS: Readonly<Record<string, (step: taken.Step) => Promise<Form>>> = {
  async connect(step) {
    await client.close();
    watch = undefined;
    client = connect(process.env[ADDRESSES[step.to]], taken.connectOptions(step.with));
    return "connected";
  },
  async close() {
    await client.close();
    return "closed";
  },
  wait_ready: (step) => client.waitReady(step.timeout_ms),
  decide: async (step) => decision(await decided(step), step.decision_id),
  async variables(step) {
    const { variables } = await decided(step);
    return step.read.map((one) => read(variables, one));
  },
  async decide_for_keys(step) {
    const options = { ...taken.defaults(step), ...taken.asked(step) };
    return decisions(await userOf(step.user).decideForKeys(step.flag_keys ?? [], options), step.decision_id);
  },
  async decide_all(step) {
    const options = { ...taken.defaults(step), ...taken.asked(step) };
    return decisions(await userOf(step.user).decideAll(options), step.decision_id);
  },
  async decide_many(step) {
    const decisionIds = step.users.map((one) => one.decision_id ?? "");
    const options = { ...taken.maybe("flagKeys", step.flag_keys), ...taken.defaults(step), ...taken.asked(step) };
    const answered = await client.decideMany(step.users.map(userOf), { ...options, decisionIds });
    return answered.map((each, index) => decisions(each, decisionIds[index]));
  },
  explain: async (step) => explanation(await userOf(step.user).explain(step.flag_key, taken.asked(step))),
  track: async (step) =>
    accepted(await userOf(step.user).track(step.event_key, taken.eventOptions(step)), step.event_id),
  identify: async (step) => accepted(await userOf(step.user).identify(taken.eventOptions(step)), step.event_id),
  page: async (step) => accepted(await userOf(step.user).page(step.name, taken.eventOptions(step)), step.event_id),
  screen: async (step) => accepted(await userOf(step.user).screen(step.name, taken.eventOptions(step)), step.event_id),
  group: async (step) =>
    accepted(await userOf(step.user).group(step.group_id, taken.eventOptions(step)), step.event_id),
  alias: async (step) =>
    accepted(await userOf(step.user).alias(step.previous_id, taken.eventOptions(step)), step.event_id),
  import_events: async (step) =>
    imported(
      await client.importEvents(step.events.map(drafted), {
        ...taken.maybe("includeOptimizely", step.include_optimizely),
        ...taken.maybe("batchEventsMax", step.batch_events_max),
      }),
    ),
  async flush(step) {
    const { complete, remainders } = await client.flush(step.timeout_ms);
    return {
      complete,
      remainders: remainders.map(({ destination, events, pauseReason }) => ({
        destination,
        events,
        pause_reason: pauseReason,
      })),
    };
  },
  async status() {
    const { name, revision, stale, fromCache, warnings } = await client.status();
    const listed = warnings.map(({ path, description, disabledFlagKey }) => ({
      path,
      description,
      disabled_flag_key: disabledFlagKey,
    }));
    return { name, revision, stale, from_cache: fromCache, warnings: listed };
  },
  async watch_next() {
    watch ??= client.watch()[Symbol.asyncIterator]();
    const next = await watch.next();
    if (next.done === true) throw new Error("the watch ended, wanted a change");
    return { revision: next.value.revision };
  },
  counters: () => {
    const { decisionsDefaulted, eventsBuffered, eventsDropped } = client.counters;
    return Promise.resolve({
      decisions_defaulted: decisionsDefaulted,
      events_buffered: eventsBuffered,
      events_dropped: eventsDropped,
    });
  },
};

async function answer(step: taken.Step): Promise<Form> {
  const call = CALLS[step.call];
  if (call === undefined) throw new Error(`call is \`${step.call}\`, which this program does not know`);
  try {
    return { id: step.id, result: await call(step) };
  } catch (error) {
    if (!(error instanceof SidecarError)) throw error;
    return { id: step.id, error: clientError(error, step.event_id) };
  }
}

for await (const text of createInterface({ input: process.stdin })) {
  const flushed = process.stdout.write(`${line(await answer(JSON.parse(text) as taken.Step))}\n`);
  if (!flushed) await once(process.stdout, "drain");
}
await client.close();

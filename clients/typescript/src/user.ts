/** The handle of a user: each method builds a call (`internal/decide`, `internal/events`) and has its client drive it. */
import { type DecideOptions, type DecideSeveralOptions, type Decision, Decisions } from "./decisions.js";
import { Draft, Drafts } from "./drafts.js";
import type { Accepted, Deadline, EventOptions, PageOptions, TrackOptions, TraitsOptions } from "./events.js";
import type { ExplainOptions, Explanation } from "./explanations.js";
import type { Call } from "./internal/calls.js";
import { decideOne, decideSeveral } from "./internal/decide.js";
import { eventCall } from "./internal/events.js";
import { explain } from "./internal/explain.js";
import type { Identity } from "./internal/identity.js";
import { newId } from "./internal/stamps.js";
import type { Settings } from "./settings.js";
import type { GivenMap } from "./values.js";

/**
 * What a handle needs of its client.
 *
 * @internal
 */
export interface Performer {
  readonly settings: Settings;
  perform<Answer>(call: Call<Answer>): Promise<Answer>;
  record(call: Call<Accepted>): Promise<Accepted>;
}

/**
 * One user with its attributes. Immutable: what changes it returns another handle.
 *
 * Decisions do not throw, unless `strict`; events throw SidecarError when they were not accepted. Values that have no
 * wire form are a TypeError or a RangeError, with their path.
 */
export class User {
  readonly #client: Performer;
  readonly #identity: Identity;

  /** @internal */
  constructor(client: Performer, identity: Identity) {
    this.#client = client;
    this.#identity = identity;
  }

  /** @internal */
  static identity(user: User): Identity {
    return user.#identity;
  }

  /** The user's id; empty when only an anonymous id is known. */
  get userId(): string {
    return this.#identity.parts.userId;
  }

  /** The user's attributes. */
  get attributes(): GivenMap {
    return this.#identity.parts.attributes;
  }

  /** The events of this user to be sent later: `client.importEvents([user.drafts.track("purchase")])`. */
  get drafts(): Drafts {
    return new Drafts(this.#identity);
  }

  /** The same user with these attributes added or replaced; one that is undefined is removed. */
  withAttributes(attributes: GivenMap): User {
    return this.#like(this.#identity.with({ attributes: { ...this.#identity.parts.attributes, ...attributes } }));
  }

  /** The same user in exactly these segments, for `qualified` conditions; undefined = unset. */
  withSegments(segments: Iterable<string> | undefined): User {
    return this.#like(this.#identity.with({ segments: segments && [...segments] }));
  }

  /** The same user with a variation imposed: on one rule, or without `ruleKey` on the whole flag. */
  withForcedDecision(flagKey: string, variationKey: string, ruleKey = ""): User {
    return this.#like(this.#identity.force(flagKey, ruleKey, variationKey));
  }

  /** The same user without that forced decision; none is no error. */
  withoutForcedDecision(flagKey: string, ruleKey = ""): User {
    return this.#like(this.#identity.force(flagKey, ruleKey));
  }

  /** Decides one flag. Without an answer it is `default`, else off, with SIDECAR_UNAVAILABLE. */
  async decide(flagKey: string, options: DecideOptions = {}): Promise<Decision> {
    return this.#client.perform(decideOne(this.#asked(), flagKey, options));
  }

  /** Decides these flags at one revision, in this order; none asked for is none answered. */
  async decideForKeys(flagKeys: readonly string[], options: DecideSeveralOptions = {}): Promise<Decisions> {
    if (flagKeys.length === 0) return new Decisions([]);
    return this.#client.perform(decideSeveral(this.#asked(), flagKeys, options));
  }

  /** Decides all flags of the datafile at one revision. Without an answer: the `defaults` alone. */
  async decideAll(options: DecideSeveralOptions = {}): Promise<Decisions> {
    return this.#client.perform(decideSeveral(this.#asked(), [], options));
  }

  /** Why the user gets what it gets, rule by rule; records nothing. Throws SidecarError. */
  async explain(flagKey: string, options: ExplainOptions = {}): Promise<Explanation> {
    return this.#client.perform(explain(this.#identity, this.#client.settings, flagKey, options));
  }

  /** Something that the user did. Returns when it is written to the sidecar's disk. */
  async track(eventKey: string, options: TrackOptions & Deadline = {}): Promise<Accepted> {
    return this.#record(this.drafts.track(eventKey, options), options);
  }

  /** Who the user is. */
  async identify(options: TraitsOptions & Deadline = {}): Promise<Accepted> {
    return this.#record(this.drafts.identify(options), options);
  }

  /** A page that the user saw. */
  async page(name = "", options: PageOptions & Deadline = {}): Promise<Accepted> {
    return this.#record(this.drafts.page(name, options), options);
  }

  /** A screen of an app that the user saw. */
  async screen(name = "", options: PageOptions & Deadline = {}): Promise<Accepted> {
    return this.#record(this.drafts.screen(name, options), options);
  }

  /** The group, as a company or team, that the user belongs to. */
  async group(groupId: string, options: TraitsOptions & Deadline = {}): Promise<Accepted> {
    return this.#record(this.drafts.group(groupId, options), options);
  }

  /** The user was known as `previousId` until now. */
  async alias(previousId: string, options: EventOptions & Deadline = {}): Promise<Accepted> {
    return this.#record(this.drafts.alias(previousId, options), options);
  }

  #asked(): { user: Identity; settings: Settings; newId: string } {
    return { user: this.#identity, settings: this.#client.settings, newId: newId() };
  }

  #record(draft: Draft, { timeoutMs }: Deadline): Promise<Accepted> {
    return this.#client.record(eventCall(Draft.written(draft), this.#client.settings, timeoutMs));
  }

  #like(identity: Identity): User {
    return new User(this.#client, identity);
  }
}

/** Who a call is about, encoded once: a handle asks many decisions with the same user and attributes. */
import type { GivenMap } from "../values.js";
import { checkText, encodeMap } from "./encoding.js";
import { DecideRequest } from "./pb/sidecar/v1/decision.js";

/** A variation that the caller imposes; an empty `ruleKey` forces the whole flag. */
export interface Forced {
  readonly flagKey: string;
  readonly variationKey: string;
  readonly ruleKey: string;
}

/** What an identity is made of. */
export interface IdentityParts {
  readonly userId: string;
  readonly anonymousId: string;
  readonly attributes: GivenMap;
  readonly forced: readonly Forced[];
  /** undefined = unset, which is not the same as in none. */
  readonly segments: readonly string[] | undefined;
  readonly datafile: string;
}

/** A user with everything that its decisions depend on. */
export class Identity {
  readonly parts: IdentityParts;
  /** The fields of a Decide that do not change from call to call. */
  readonly request: DecideRequest;
  #prefix: Uint8Array | undefined;

  /** @throws as `encodeMap` for attributes, TypeError and RangeError for text that is none. */
  constructor(parts: IdentityParts) {
    checkText("userId", parts.userId);
    checkText("anonymousId", parts.anonymousId);
    checkText("datafile", parts.datafile);
    this.request = {
      userId: parts.userId,
      attributes: encodeMap(parts.attributes, "attributes"),
      flagKeys: [],
      options: [],
      forcedDecisions: parts.forced.map(({ flagKey, variationKey, ruleKey }) => ({
        flagKey,
        variationKey,
        ruleKey,
      })),
      qualifiedSegments: parts.segments === undefined ? undefined : { keys: [...parts.segments] },
      decisionId: "",
      datafile: parts.datafile,
    };
    this.parts = { ...parts, attributes: { ...parts.attributes } };
  }

  /** `request` as bytes. Why: protobuf merges concatenated messages, so a call appends its few bytes. */
  get prefix(): Uint8Array {
    this.#prefix ??= DecideRequest.encode(this.request).finish();
    return this.#prefix;
  }

  /** The same user, but for these. */
  with(changed: Partial<IdentityParts>): Identity {
    return new Identity({ ...this.parts, ...changed });
  }

  /** The same user without the forced decision for that flag and rule; with `variationKey`, with another. */
  force(flagKey: string, ruleKey: string, variationKey?: string): Identity {
    const others = this.parts.forced.filter((each) => each.flagKey !== flagKey || each.ruleKey !== ruleKey);
    if (variationKey === undefined) return this.with({ forced: others });
    for (const [name, text] of Object.entries({ flagKey, ruleKey, variationKey })) checkText(name, text);
    return this.with({ forced: [...others, { flagKey, variationKey, ruleKey }] });
  }
}

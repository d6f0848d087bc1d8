/**
 * The values of attributes, tags, properties, traits and variables, and which of JavaScript's numbers is which of the
 * contract's two. Nothing here knows protobuf: `internal/encoding` does.
 */

/**
 * A value as it is answered: exact, and of one kind for each kind of the contract. An integer is a `bigint`, since the
 * contract's are int64 and 2^53 + 1 is no `number`; a `number` is always a double.
 */
export type Value = null | boolean | bigint | number | string | readonly Value[] | { readonly [key: string]: Value };

/**
 * A value as it may be given. A `bigint` is an integer, within int64. A `number` that is whole and within
 * ±(2^53 − 1), as `42`, is an integer too, any other a double; `double(2)` is a double for certain. A member that is
 * `undefined` is left out.
 */
export type Given = null | boolean | bigint | number | string | Double | readonly Given[] | GivenMap;

/** Values by key, as they may be given: a plain object. */
export interface GivenMap {
  readonly [key: string]: Given | undefined;
}

/** A number that is a double on the wire, also when it is whole; made by `double`. */
export class Double {
  /** The number. */
  readonly value: number;

  /** @internal */
  constructor(value: number) {
    this.value = value;
  }
}

/**
 * A number to be sent as a double, also when it is whole.
 *
 * @throws TypeError for what is no number.
 */
export function double(value: number): Double {
  if (typeof value !== "number") {
    throw new TypeError(`double is given ${typeof value} \`${String(value)}\`, wanted number`);
  }
  return new Double(value);
}

/**
 * A value of a JSON variable as a program wants it: a `bigint` only where a `number` would not be exact.
 */
export type JsonValue =
  null | boolean | bigint | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Values of JavaScript to `Value` of the contract and back. Which number is which: `values`. */
import { Double, type Given, type GivenMap, type Value } from "../values.js";
import { NullValue, type Value as Message } from "./pb/sidecar/v1/value.js";

/** Nesting of lists and maps in one value; a scalar has depth 0. The sidecar's own bound. */
const DEPTH_MAX = 32;
const INT64_MAX = 2n ** 63n - 1n;
const WANTED = "wanted null, boolean, number, bigint, string, array or plain object";
const NULL: Message = { kind: { $case: "nullValue", value: NullValue.NULL_VALUE_UNSPECIFIED } };

/** A value that has no wire form; collects its path on the way out and becomes TypeError or RangeError. */
class Misfit extends Error {
  path = "";

  constructor(
    readonly kind: new (message: string) => Error,
    problem: string,
  ) {
    super(problem);
  }
}

/**
 * The messages of `given`, called `where` in errors.
 *
 * @throws TypeError for a value of a type that has no wire form (a Date, undefined in an array) and RangeError for one
 * out of range (a bigint beyond int64, nesting beyond 32, text that is no Unicode); both name the path, as
 * `properties[products][0][price]`.
 */
export function encodeMap(given: GivenMap | undefined, where: string): Map<string, Message> {
  if (given === undefined) return new Map();
  try {
    if (!isPlain(given)) throw new Misfit(TypeError, `is ${nameOf(given)}, wanted a plain object`);
    return entriesOf(given, 0);
  } catch (error) {
    if (error instanceof Misfit) throw new error.kind(`${where}${error.path} ${error.message}`);
    throw error;
  }
}

function entriesOf(given: GivenMap, depth: number): Map<string, Message> {
  const encoded = new Map<string, Message>();
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!key.isWellFormed()) throw new Misfit(RangeError, `has a key that is no Unicode text: ${JSON.stringify(key)}`);
    encoded.set(key, at(key, value, depth));
  }
  return encoded;
}

function at(place: string | number, value: Given, depth: number): Message {
  try {
    return encode(value, depth);
  } catch (error) {
    if (error instanceof Misfit) error.path = `[${place}]${error.path}`;
    throw error;
  }
}

function encode(value: Given, depth: number): Message {
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) {
        throw new Misfit(RangeError, `is text with a lone surrogate, wanted Unicode: ${JSON.stringify(value)}`);
      }
      return { kind: { $case: "stringValue", value } };
    case "boolean":
      return { kind: { $case: "boolValue", value } };
    case "number":
      // Why -0 is a double: an integer has no sign at zero.
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
        return { kind: { $case: "intValue", value: BigInt(value) } };
      }
      return { kind: { $case: "doubleValue", value } };
    case "bigint":
      if (value > INT64_MAX || value < -INT64_MAX - 1n) {
        throw new Misfit(RangeError, `is \`${String(value)}\`, wanted a bigint within int64`);
      }
      return { kind: { $case: "intValue", value } };
    default:
      return encodeObject(value, depth);
  }
}

function encodeObject(value: Exclude<Given, string | boolean | number | bigint>, depth: number): Message {
  if (value === null) return NULL;
  if (value instanceof Double) return { kind: { $case: "doubleValue", value: value.value } };
  if (depth === DEPTH_MAX) throw new Misfit(RangeError, `is nested deeper than ${DEPTH_MAX} levels`);
  if (isList(value)) {
    const values = Array.from(value, (each, index) => at(index, each, depth + 1));
    return { kind: { $case: "listValue", value: { values } } };
  }
  if (!isPlain(value)) {
    const hint = (value as unknown) instanceof Date ? "; a time goes in as text, by toISOString()" : "";
    throw new Misfit(TypeError, `is ${nameOf(value)}, ${WANTED}${hint}`);
  }
  return { kind: { $case: "mapValue", value: { fields: entriesOf(value, depth + 1) } } };
}

function isList(value: object): value is readonly Given[] {
  return Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Why the second: an object of another realm (a test runner's, a vm's) is as plain.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return (value.constructor as { name?: string } | undefined)?.name ?? "object";
}

/** Text of the caller, checked. */
export function checkText(name: string, text: unknown): void {
  if (typeof text !== "string") throw new TypeError(`${name} is ${nameOf(text)} \`${String(text)}\`, wanted string`);
  if (!text.isWellFormed()) {
    throw new RangeError(`${name} is text with a lone surrogate, wanted Unicode: ${JSON.stringify(text)}`);
  }
}

/** The values of a map of messages. */
export function decodeMap(messages: ReadonlyMap<string, Message>): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [key, message] of messages) values.set(key, decode(message));
  return values;
}

/** The value of a message; one without a kind, or of a kind that this client does not know, is null. */
export function decode({ kind }: Message): Value {
  if (kind === undefined) return null;
  switch (kind.$case) {
    case "nullValue":
      return null;
    case "listValue":
      return kind.value.values.map(decode);
    case "mapValue":
      // Why not an assignment each: `__proto__` is a key like any other.
      return Object.fromEntries(decodeMap(kind.value.fields));
    default:
      return kind.value;
  }
}

/**
 * The variables of a decision, read by type: `decision.variables.integer("price", 10)`.
 *
 * A variable that is absent or null is the caller's default; one of another type is an error that names everything.
 */
import { VariableMissing, VariableTypeMismatch, type VariableType } from "./errors.js";
import { Entries } from "./internal/entries.js";
import type { JsonValue, Value } from "./values.js";

/**
 * The variables of one flag by key, typed as declared; null where a value was not of its type.
 *
 * Each typed reader returns the variable; when it is absent or null, `fallback`; without one it throws VariableMissing.
 * A variable of another type throws VariableTypeMismatch, with or without a fallback. `get` reads any, exactly.
 */
export class Variables extends Entries<Value> {
  readonly #flagKey: string;

  /** @internal */
  constructor(flagKey: string, values: ReadonlyMap<string, Value>) {
    super(values);
    this.#flagKey = flagKey;
  }

  /** A variable of type string. */
  string<Fallback = string>(key: string, fallback?: Fallback): string | Fallback {
    const value = this.get(key);
    return typeof value === "string" ? value : this.#absent(key, value, "string", fallback);
  }

  /**
   * A variable of type integer, as a number.
   *
   * @throws RangeError for one beyond ±(2^53 − 1), which a number does not hold: read it with `bigint`.
   */
  integer<Fallback = number>(key: string, fallback?: Fallback): number | Fallback {
    const value = this.get(key);
    if (typeof value !== "bigint") return this.#absent(key, value, "integer", fallback);
    const exact = Number(value);
    if (Number.isSafeInteger(exact)) return exact;
    throw new RangeError(
      `variable \`${key}\` of flag \`${this.#flagKey}\` is \`${String(value)}\`, wanted one within ±(2^53 - 1) or a read by \`bigint\``,
    );
  }

  /** A variable of type integer, over all of int64. */
  bigint<Fallback = bigint>(key: string, fallback?: Fallback): bigint | Fallback {
    const value = this.get(key);
    return typeof value === "bigint" ? value : this.#absent(key, value, "integer", fallback);
  }

  /** A variable of type double. An integer is read as one: in a default, `10` is as good as `10.5`. */
  double<Fallback = number>(key: string, fallback?: Fallback): number | Fallback {
    const value = this.get(key);
    if (typeof value === "number") return value;
    return typeof value === "bigint" ? Number(value) : this.#absent(key, value, "double", fallback);
  }

  /** A variable of type boolean. */
  boolean<Fallback = boolean>(key: string, fallback?: Fallback): boolean | Fallback {
    const value = this.get(key);
    return typeof value === "boolean" ? value : this.#absent(key, value, "boolean", fallback);
  }

  /**
   * A variable of type json that is an object or an array; a scalar is read by `get`. Its integers are numbers where
   * a number is exact, else bigints. `Shape` is believed, not checked.
   */
  json<Shape = JsonValue, Fallback = Shape>(key: string, fallback?: Fallback): Shape | Fallback {
    const value = this.get(key);
    if (typeof value === "object" && value !== null) return plain(value) as Shape;
    return this.#absent(key, value, "json", fallback);
  }

  /** The fallback when there is no value; else the error for one of another type. */
  #absent<Fallback>(key: string, value: Value | undefined, wanted: VariableType, fallback?: Fallback): Fallback {
    const place = { flagKey: this.#flagKey, variableKey: key, wanted };
    if (value !== null && value !== undefined) throw new VariableTypeMismatch(place, kindOf(value), shown(value));
    if (fallback === undefined) throw new VariableMissing(place);
    return fallback;
  }
}

function kindOf(value: Exclude<Value, null>): VariableType {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "boolean";
    case "bigint":
      return "integer";
    case "number":
      return "double";
    default:
      return "json";
  }
}

function shown(value: Exclude<Value, null>): string {
  if (typeof value !== "object") return String(value);
  return JSON.stringify(plain(value), (_, each: unknown) => (typeof each === "bigint" ? String(each) : each));
}

function plain(value: Value): JsonValue {
  if (typeof value === "bigint") {
    const exact = Number(value);
    return Number.isSafeInteger(exact) ? exact : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(plain);
  // Why not an assignment each: `__proto__` is a key like any other.
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value);
}

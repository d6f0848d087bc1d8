/** A read-only map in the order of the answer, which Variables and Decisions are. */

/** Values by key, in the order of the answer. */
export abstract class Entries<Held> implements ReadonlyMap<string, Held> {
  readonly #held: ReadonlyMap<string, Held>;

  /** @internal */
  constructor(held: ReadonlyMap<string, Held>) {
    this.#held = held;
  }

  /** How many there are. */
  get size(): number {
    return this.#held.size;
  }

  /** What has this key; undefined when nothing has. */
  get(key: string): Held | undefined {
    return this.#held.get(key);
  }

  /** Whether something has this key. */
  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** The keys, in order. */
  keys(): MapIterator<string> {
    return this.#held.keys();
  }

  /** What has keys, in order. */
  values(): MapIterator<Held> {
    return this.#held.values();
  }

  /** Both, in order. */
  entries(): MapIterator<[string, Held]> {
    return this.#held.entries();
  }

  /** Calls `visit` with each, in order. */
  forEach(visit: (held: Held, key: string, all: ReadonlyMap<string, Held>) => void): void {
    this.#held.forEach((held, key) => {
      visit(held, key, this);
    });
  }

  /** The entries, in order. */
  [Symbol.iterator](): MapIterator<[string, Held]> {
    return this.#held.entries();
  }

  /** The entries as a plain object, for a log. */
  toJSON(): Record<string, Held> {
    return Object.fromEntries(this.#held);
  }
}

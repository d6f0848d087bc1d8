/** Events that wait in memory for a sidecar: a bounded queue. No clock, no socket. */
import { debuglog } from "node:util";

import type { Accepted } from "../events.js";
import type { Settings } from "../settings.js";
import type { Call, Counted } from "./calls.js";

const log = debuglog("decision-sidecar");

/**
 * Events in the order they were made, oldest first.
 *
 * Past either bound the oldest is dropped and counted: what a user did last matters most. One that was on its way at
 * that moment may arrive nevertheless.
 */
export class Buffer {
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  readonly #counted: Counted;
  /** By place, ascending. Why a map: it takes from its front in constant time, an array does not. */
  readonly #calls = new Map<number, Call<Accepted>>();
  #next = 0;
  #bytes = 0;

  constructor(settings: Settings, counted: Counted) {
    this.#eventsMax = settings.bufferEventsMax;
    this.#bytesMax = settings.bufferBytesMax;
    this.#counted = counted;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Keep an event; what its caller is told. */
  add(call: Call<Accepted>): Accepted {
    this.#calls.set(this.#next, call);
    this.#next += 1;
    this.#bytes += call.request.length;
    let dropped = 0;
    for (const place of this.#calls.keys()) {
      if (this.#calls.size <= this.#eventsMax && this.#bytes <= this.#bytesMax) break;
      this.#drop(place);
      dropped += 1;
    }
    this.#count(dropped);
    if (dropped > 0) log("events_dropped count=%d why=buffer_full kept=%d", dropped, this.#calls.size);
    return { eventId: call.eventId, outcomes: [], exposureSeenHere: false, buffered: true };
  }

  /** The oldest event, which stays until it is removed. */
  first(): Call<Accepted> | undefined {
    for (const call of this.#calls.values()) return call;
    return undefined;
  }

  /** An event was accepted, or refused for good; nothing when it was dropped meanwhile. */
  remove(call: Call<Accepted>, refused: boolean): void {
    for (const [place, oldest] of this.#calls) {
      if (oldest !== call) return;
      this.#drop(place);
      this.#count(refused ? 1 : 0);
      if (refused) log("events_dropped count=1 why=refused event_id=%s", call.eventId);
      return;
    }
  }

  /** The client closes: what is left is dropped and counted. */
  giveUp(): void {
    const left = this.#calls.size;
    this.#calls.clear();
    this.#bytes = 0;
    this.#count(left);
    if (left > 0) log("events_dropped count=%d why=client_closed", left);
  }

  #drop(place: number): void {
    this.#bytes -= this.#calls.get(place)?.request.length ?? 0;
    this.#calls.delete(place);
  }

  #count(dropped: number): void {
    this.#counted.eventsDropped += dropped;
    this.#counted.eventsBuffered = this.#calls.size;
  }
}

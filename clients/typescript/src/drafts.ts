/** The events of a user as drafts: complete, and sent later by `client.importEvents`. */
import type { EventKind, EventOptions, PageOptions, TrackOptions, TraitsOptions } from "./events.js";
import * as events from "./internal/events.js";
import type { Identity } from "./internal/identity.js";

/** An event that is complete and not sent yet, as `importEvents` takes it. */
export class Draft {
  readonly #written: events.Written;

  /** @internal */
  constructor(written: events.Written) {
    this.#written = written;
  }

  /** Which of the six it is. */
  get kind(): EventKind {
    return this.#written.message.$case;
  }

  /** Its id. */
  get eventId(): string {
    return this.#written.eventId;
  }

  /** @internal */
  static written(draft: Draft): events.Written {
    return draft.#written;
  }
}

/**
 * The six events of one user, with the arguments of the user's own methods; each has its id and time now.
 *
 * Every method throws TypeError or RangeError, with the path of the value, for what has no wire form.
 */
export class Drafts {
  readonly #user: Identity;

  /** @internal */
  constructor(user: Identity) {
    this.#user = user;
  }

  /** Something that the user did. */
  track(eventKey: string, options: TrackOptions = {}): Draft {
    return new Draft(events.track(this.#user, eventKey, options));
  }

  /** Who the user is. */
  identify(options: TraitsOptions = {}): Draft {
    return new Draft(events.identify(this.#user, options));
  }

  /** A page that the user saw. */
  page(name = "", options: PageOptions = {}): Draft {
    return new Draft(events.page("page", this.#user, name, options));
  }

  /** A screen of an app that the user saw. */
  screen(name = "", options: PageOptions = {}): Draft {
    return new Draft(events.page("screen", this.#user, name, options));
  }

  /** The group, as a company or team, that the user belongs to. */
  group(groupId: string, options: TraitsOptions = {}): Draft {
    return new Draft(events.group(this.#user, groupId, options));
  }

  /** The user was known as `previousId` until now. */
  alias(previousId: string, options: EventOptions = {}): Draft {
    return new Draft(events.alias(this.#user, previousId, options));
  }
}

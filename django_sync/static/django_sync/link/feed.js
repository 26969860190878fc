/**
 * What a connection brings, on its way into the store.
 *
 * Changes are applied as they come; their cursor follows. If the connection breaks in between, the
 * next feeder begins at the older cursor. So a frame may be applied before its cursor only where
 * that is harmless:
 *
 * - a `put` of a scope that the store holds already, a `delete`, a `remove`: what brought them is a
 *   change behind the older cursor, and comes again in its state of then;
 * - not a `begin` or a `drop`: rights and memberships may be restored before the next feeder begins.
 *   The older cursor then knows of nothing, and what was forgotten would never come again;
 * - nor the first `put` of a scope: if the user is out of it again by then, the older cursor does
 *   not know that it was ever there to be dropped;
 * - nor a page of a catch-up: it is a pull's page, whose cursor follows at once.
 *
 * All these wait for their cursor, with what comes behind them, and are applied with it in one
 * transaction. While changes flow that is a second at most.
 */

import { Offline } from "../errors.js";

/** @import { Page } from "../net/pages.js" */
/** @import { Place, Replica } from "../store/replica.js" */
/** @import { Listener } from "./exchange.js" */

/** Frames that may wait for a cursor; with more, the server has lost the cursor. */
const MOST = 1_000;

/** Another feeder has the store. This error never leaves the client. */
export class Superseded extends Error {}

/** One connection as the feeder of the store. */
export class Feed {
  #replica;
  #names;
  #listener;
  #onSynced;
  /** @type {Page[]} */
  #held = [];
  #more = false;
  /** Frames of changes that were taken, for the server to count. */
  frames = 0;
  caughtUp = false;

  /**
   * @param {Replica} replica
   * @param {readonly string[]} names
   * @param {Listener} listener
   * @param {() => void} onSynced is called at the end of each catch-up
   * @param {Place} place
   */
  constructor(replica, names, listener, onSynced, place) {
    this.#replica = replica;
    this.#names = names;
    this.#listener = listener;
    this.#onSynced = onSynced;
    this.place = place;
  }

  /**
   * Take the store.
   * @param {Replica} replica
   * @param {readonly string[]} names
   * @param {Listener} listener
   * @param {() => void} onSynced
   */
  static async begin(replica, names, listener, onSynced) {
    return new Feed(replica, names, listener, onSynced, await replica.beginStream());
  }

  /** Whether changes are held back, or the replica is not caught up, until a cursor comes. */
  get waitsForCursor() {
    return this.#held.length > 0 || !this.caughtUp;
  }

  /** Stop feeding the store; others may do it now. */
  end() {
    return this.#replica.endStream(this.place.stream);
  }

  /** Apply a frame, or keep it until its cursor comes. @param {Page} page */
  async changes(page) {
    this.frames += 1;
    this.#more = page.hasMore;
    if (page.hasMore) this.caughtUp = false;
    if (this.#held.length === 0 && (await this.#isHarmless(page))) {
      await this.#apply([page], null);
      return;
    }
    this.#held.push(page);
    if (this.#held.length > MOST) throw new Offline("The cursor for the changes that came is missing.");
  }

  /** `cursor` stands for everything that came. @param {string} cursor */
  async cursor(cursor) {
    const held = this.#held;
    this.#held = [];
    await this.#apply(held, cursor);
    if (!this.caughtUp && !this.#more) {
      this.caughtUp = true;
      this.#onSynced();
    }
  }

  /** @param {Page[]} pages @param {string | null} cursor */
  async #apply(pages, cursor) {
    const seen = await this.#replica.feed(pages, this.place, cursor, this.#names);
    if (seen === null) throw new Superseded();
    const epoch = pages.length > 0 ? pages[pages.length - 1].epoch : this.place.epoch;
    this.place = { ...this.place, cursor: cursor ?? this.place.cursor, epoch };
    this.#listener.pulled(seen, { hasMore: this.#more });
  }

  /** Whether the page may be applied before its cursor is known. @param {Page} page */
  async #isHarmless({ changes }) {
    if (!this.caughtUp || this.place.cursor === null) return false;
    if (changes.some(({ op }) => op === "begin" || op === "drop")) return false;
    const scopes = new Map();
    for (const change of changes) {
      if (change.op === "put") scopes.set(`${change.collection}/${change.scope}`, change);
    }
    for (const { collection, scope } of scopes.values()) {
      if (!(await this.#replica.knows(collection, scope))) return false;
    }
    return true;
  }
}

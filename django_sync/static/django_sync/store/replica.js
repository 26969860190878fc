/**
 * The replica: the server's records, as the last applied page or frame left them.
 *
 * Only pages and frames write here, and only one feeder at a time. Several pulls may run at once, in
 * tabs or calls. A page is applied with its cursor in one transaction, and only where the store is
 * still at the cursor that was sent for it. So one page of each round is applied and the others are
 * discarded; their pulls go on from the store's new place.
 *
 * A socket or stream takes the store for itself: its number is stored as `stream`. While it is, pages
 * are discarded; once it is not, the connection's frames are. A pull that begins takes the store
 * back. So a tab that was closed leaves nothing behind.
 */

import { log } from "../log.js";
import { Applier } from "./apply.js";
import { keyText, ChangeWatch } from "./overlay.js";

/** @import { Page } from "../net/pages.js" */
/** @import { Database, Tx } from "./database.js" */
/** @import { Filling, Seen } from "./overlay.js" */

/** @typedef {{clientId: string, cursor: string | null, pull: number, filling: Filling}} Filled */

/**
 * @typedef {object} Place Where the store was in the feed when a request was made.
 * @property {string} clientId
 * @property {string | null} cursor
 * @property {string | null} epoch
 * @property {number} stream the socket or stream that feeds the store; 0 for none
 */

/** The server's state in one store. */
export class Replica {
  #db;
  /**
   * What the pages of one pull have filled, as long as each begins where the one before ended and
   * nobody else feeds the store between them; else `null`.
   * @type {Filled | null}
   */
  #filled = null;

  /** @param {Database} db */
  constructor(db) {
    this.#db = db;
  }

  /** The store's place in the feed. @returns {Promise<Place>} */
  place() {
    return this.#db.read(async (tx) => placeOf(tx));
  }

  /**
   * Number a pull, so that results that came before it can be distinguished from later ones. It takes
   * the store from a socket or stream, whose frames are discarded from now on.
   */
  beginPull() {
    return this.#db.write(async (tx) => {
      tx.set({ stream: 0, pulls: tx.meta.pulls + 1 });
      return { pull: tx.meta.pulls, place: placeOf(tx) };
    });
  }

  /** Take the store for a socket or stream, which counts as a pull that does not end. */
  beginStream() {
    return this.#db.write(async (tx) => {
      tx.set({ pulls: tx.meta.pulls + 1, stream: tx.meta.pulls + 1 });
      return placeOf(tx);
    });
  }

  /** Let pulls write again, if this stream still had the store. @param {number} stream */
  endStream(stream) {
    return this.#db.write(async (tx) => {
      if (tx.meta.stream === stream) tx.set({ stream: 0 });
    });
  }

  /**
   * Apply a pull's page; `null` where the store has moved on and the page is discarded.
   * @param {Page} page
   * @param {Place} place
   * @param {readonly string[]} names
   * @param {number} pull
   */
  async apply(page, place, names, pull) {
    return place.stream ? null : this.#apply([page], place, page.cursor, names, pull);
  }

  /**
   * Apply what a socket or stream brought; `null` where it is no longer the feeder.
   * @param {Page[]} frames
   * @param {Place} place
   * @param {string | null} cursor that stands for all of these; `null` where it has not come yet
   *   and the store keeps its own
   * @param {readonly string[]} names
   */
  feed(frames, place, cursor, names) {
    return this.#apply(frames, place, cursor, names, place.stream);
  }

  /**
   * @param {Page[]} pages
   * @param {Place} place
   * @param {string | null} cursor
   * @param {readonly string[]} names
   * @param {number} pull
   * @returns {Promise<Seen | null>}
   */
  async #apply(pages, place, cursor, names, pull) {
    const before = this.#filled;
    this.#filled = null; // unless this comes to its end
    /** @type {Filling} */
    let filling = new Map();
    let more = false;
    const seen = await this.#db.write(async (tx) => {
      if (!isAt(tx, place)) return null;
      const alone = place.stream === 0 && tx.meta.pulls === pull;
      if (alone && before !== null && isContinued(before, place, pull)) filling = before.filling;
      more = alone && pages.some((page) => page.hasMore);
      if (place.cursor !== null && pages.some((page) => page.epoch !== place.epoch)) {
        log.warn("The epoch changed without notice: taking a fresh snapshot.");
        await startOver(tx);
        return null;
      }
      return write(tx, { pages, place, cursor, names, pull, filling });
    });
    if (seen !== null && more) this.#filled = { clientId: place.clientId, cursor, pull, filling };
    return seen;
  }

  /** Whether the store holds anything of a scope; that of an unscoped collection is always known. @param {string} collection @param {string} scope */
  async knows(collection, scope) {
    return scope === "" || this.#db.read((tx) => tx.records.hasScope(collection, scope));
  }

  /**
   * The cursor is void: the next pull is a snapshot, and what is not in it goes. Nothing is done
   * where the store is no longer at that place.
   * @param {Place} place
   */
  startOver(place) {
    return this.#db.write(async (tx) => {
      if (isAt(tx, place)) await startOver(tx);
    });
  }

  /** Forget all server state; outbox and open conflicts stay. */
  forget() {
    return this.#db.write(async (tx) => {
      await startOver(tx);
      tx.records.clear();
      tx.set({ epoch: null });
    });
  }
}

/** @param {Tx} tx @returns {Place} */
function placeOf({ meta: { clientId, cursor, epoch, stream } }) {
  return { clientId, cursor, epoch, stream };
}

/** Whether a page at this place follows what this pull has filled before. @param {Filled} filled @param {Place} place @param {number} pull */
function isContinued(filled, place, pull) {
  return filled.pull === pull && filled.cursor === place.cursor && filled.clientId === place.clientId;
}

/**
 * Write pages, and the cursor that stands for them; return what of it is seen.
 * @param {Tx} tx
 * @param {{pages: Page[], place: Place, cursor: string | null, names: readonly string[], pull: number, filling: Filling}} what
 */
async function write(tx, { pages, place, cursor, names, pull, filling }) {
  let outbox = await tx.list("outbox");
  const busy = new Set(outbox.map((row) => keyText([row.collection, row.objectId])));
  const watch = new ChangeWatch(tx, "remote", busy, filling);
  let epoch = place.epoch;
  for (const page of pages) {
    const applier = new Applier(tx, watch, page, outbox, place.stream !== 0, filling);
    await applier.run(names, pull, page.epoch !== epoch);
    epoch = page.epoch;
    if (pages.length > 1 && outbox.length > 0) outbox = await tx.list("outbox");
  }
  const snapshot = pages.length > 0 ? pages[pages.length - 1].snapshot : tx.meta.snapshot;
  tx.set({ epoch, snapshot, cursor: cursor ?? tx.meta.cursor });
  return watch.seen();
}

/** Whether the store is at that place still. @param {Tx} tx @param {Place} place */
function isAt(tx, place) {
  const now = placeOf(tx);
  return (
    now.clientId === place.clientId && now.cursor === place.cursor && now.epoch === place.epoch &&
    now.stream === place.stream
  );
}

/** @param {Tx} tx */
async function startOver(tx) {
  tx.set({ cursor: null, snapshot: null, stream: 0 });
  for (const row of await tx.list("collections")) {
    tx.put("collections", { ...row, generation: row.generation + 1, sweeping: true });
  }
}

/**
 * The replica: the server's records as what was applied last left them.
 *
 * Pages and frames are the only things that write here, and one feeder at a time. Of pulls that run
 * at once, in tabs or calls, a page is applied with its cursor in one transaction, and only where
 * the store still stands at the cursor that was sent for it: of each round one page is applied and
 * the others discarded, whose pullers go on from where the store then stands.
 *
 * A socket or stream takes the store for itself: its number stands there as `stream`; pages are
 * discarded while one does, and its frames once it no longer does. A pull that begins takes the
 * store back. So no tab that was closed leaves anything behind.
 */

import { log } from "../log.js";
import { Applying } from "./apply.js";
import { spelled, Watch } from "./overlay.js";

/** @import { Page } from "../net/pages.js" */
/** @import { Database, Tx } from "./database.js" */
/** @import { Filling, Seen } from "./overlay.js" */

/**
 * @typedef {object} Place Where the store stood when a request was made.
 * @property {string} clientId
 * @property {string | null} cursor
 * @property {string | null} epoch
 * @property {number} stream the socket or stream that feeds the store; 0 for none
 */

/** The server's state in one store. */
export class Replica {
  #db;
  /**
   * What the pages of one pull have filled, each begun where the one before ended and nobody else
   * having fed the store between; `null` where that is not so.
   * @type {{clientId: string, cursor: string | null, pull: number, filling: Filling} | null}
   */
  #filled = null;

  /** @param {Database} db */
  constructor(db) {
    this.#db = db;
  }

  /** Where the store stands. @returns {Promise<Place>} */
  place() {
    return this.#db.read(async (tx) => placeOf(tx));
  }

  /**
   * Number a pull, so that results that came before it are told from later ones. It takes the store
   * from a socket or stream, whose frames are discarded from now on.
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

  /** Let pulls write again, where it still was this one's turn. @param {number} stream */
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
   * Apply what a socket or stream brought; `null` where it is the feeder no more.
   * @param {Page[]} frames
   * @param {Place} place
   * @param {string | null} cursor of the frame that stands for all of these; `null` where it has
   *   not come yet and the store's own stays
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
      if (!stands(tx, place)) return null;
      const alone = place.stream === 0 && tx.meta.pulls === pull;
      const follows =
        alone && before?.pull === pull && before.cursor === place.cursor && before.clientId === place.clientId;
      filling = follows ? before.filling : new Map();
      more = alone && pages.some((page) => page.hasMore);
      if (place.cursor !== null && pages.some((page) => page.epoch !== place.epoch)) {
        log.warn("The epoch changed without a word: taking a fresh snapshot.");
        await startOver(tx);
        return null;
      }
      let outbox = await tx.list("outbox");
      const busy = new Set(outbox.map((row) => spelled([row.collection, row.objectId])));
      const watch = new Watch(tx, "remote", busy, filling);
      let epoch = place.epoch;
      for (const page of pages) {
        const applying = new Applying(tx, watch, page, outbox, place.stream !== 0, filling);
        await applying.run(names, pull, page.epoch !== epoch);
        epoch = page.epoch;
        if (pages.length > 1 && outbox.length > 0) outbox = await tx.list("outbox");
      }
      const snapshot = pages.length > 0 ? pages[pages.length - 1].snapshot : tx.meta.snapshot;
      tx.set({ epoch, snapshot, cursor: cursor ?? tx.meta.cursor });
      return watch.seen();
    });
    if (seen !== null && more) this.#filled = { clientId: place.clientId, cursor, pull, filling };
    return seen;
  }

  /** Whether the store holds anything of a scope; an unscoped collection's is always known. @param {string} collection @param {string} scope */
  async knows(collection, scope) {
    return scope === "" || this.#db.read((tx) => tx.records.hasScope(collection, scope));
  }

  /**
   * The cursor is void: the next pull is a snapshot that replaces what is not in it. Nothing is
   * done where the store no longer stands there.
   * @param {Place} place
   */
  startOver(place) {
    return this.#db.write(async (tx) => {
      if (stands(tx, place)) await startOver(tx);
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

/** @param {Tx} tx @param {Place} place */
function stands(tx, place) {
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

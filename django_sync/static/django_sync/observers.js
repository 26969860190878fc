/**
 * What follows a commit to the store: live queries read again, callbacks are called, and the link
 * and the other tabs get to know of it.
 */

import { Callbacks } from "./callbacks.js";
import { openConflicts, settleConflict } from "./conflicts.js";
import { ChangeWatch } from "./store/overlay.js";
import { rejectionsOf } from "./store/results.js";

/** @import { Conflict, Resolution } from "./conflicts.js" */
/** @import { Background } from "./link/background.js" */
/** @import { StatusTracker } from "./link/status.js" */
/** @import { TabMessages } from "./link/tab_messages.js" */
/** @import { LiveQuery } from "./livequery.js" */
/** @import { Database } from "./store/database.js" */
/** @import { Seen } from "./store/overlay.js" */
/** @import { Settled } from "./store/results.js" */
/** @import { Upkeep } from "./store/upkeep.js" */

/**
 * @typedef {object} Parts Of one client.
 * @property {Database} db
 * @property {readonly string[]} names of the collections
 * @property {StatusTracker} status
 * @property {Upkeep} upkeep
 */

/** @typedef {{background: Background, tabs: TabMessages}} Others Those that get to know of commits. */

/** The live queries and the callbacks of one client. */
export class Observers {
  #db;
  #names;
  #status;
  #upkeep;
  /** @type {Others | null} */
  #others = null;
  /** @type {Set<LiveQuery>} */
  #queries = new Set();
  /** The rejections whose handlers are called now, by `seq`. @type {Set<number>} */
  #rejecting = new Set();
  callbacks = new Callbacks();

  /** @param {Parts} parts */
  constructor({ db, names, status, upkeep }) {
    this.#db = db;
    this.#names = names;
    this.#status = status;
    this.#upkeep = upkeep;
  }

  /** From now on these get to know of commits as well. @param {Others} others */
  connect(others) {
    this.#others = others;
  }

  /** A live query began. @param {LiveQuery} query @returns {() => void} which ends it */
  watch(query) {
    this.#queries.add(query);
    return () => this.#queries.delete(query);
  }

  /** End all live queries. */
  stopQueries() {
    for (const query of [...this.#queries]) query.stop();
  }

  // Commits of this tab.

  /** A page or a frame was committed. @param {Seen} seen @param {{hasMore: boolean}} page */
  pulled(seen, { hasMore }) {
    this.#committed(seen, hasMore);
    if (hasMore) this.#others?.background.noteBehind();
    else this.#upkeep.schedule();
  }

  /** Results were committed. @param {Settled} settled */
  settled({ seen, conflicts, rejections }) {
    this.#committed(seen);
    if (conflicts.length > 0) {
      void this.askAbout(conflicts);
      this.#others?.tabs.sendConflicts(conflicts);
    }
    if (rejections.length > 0) void this.reportRejections();
  }

  /** Something local was committed. @param {Seen} seen */
  wrote(seen) {
    this.#committed(seen);
    this.#others?.background.post("wrote");
    this.#others?.tabs.sendWrote();
  }

  /** Everything may have changed, in all tabs. */
  reloadAll() {
    this.reload(this.#names);
    this.#others?.tabs.sendReload(this.#names);
  }

  /** First this tab, then the others. @param {Seen} seen @param {boolean} [much] whether it is too much to list for other tabs */
  #committed(seen, much) {
    this.show(seen);
    this.#others?.tabs.sendSeen(seen, much);
  }

  // Commits of any tab.

  /** Some objects may look different. @param {Seen} seen */
  show({ changes, touched }) {
    for (const query of this.#queries) {
      const ids = touched.filter(([collection]) => collection === query.collection).map(([, id]) => id);
      if (ids.length > 0) query.touched(ids);
    }
    this.callbacks.callChange(changes);
    void this.#status.recount();
  }

  /** All objects of these collections may look different. @param {readonly string[]} collections */
  reload(collections) {
    for (const query of this.#queries) if (collections.includes(query.collection)) query.touched(null);
    void this.#status.recount();
  }

  // Conflicts and rejections.

  /** @returns {Promise<Conflict[]>} */
  conflicts() {
    return this.#db.read((tx) => openConflicts(tx, (conflict, resolution) => this.#settle(conflict, resolution)));
  }

  /** Ask the handlers about these conflicts, and carry out what they decide. @param {number[]} seqs */
  async askAbout(seqs) {
    for (const conflict of await this.conflicts()) {
      if (!seqs.includes(conflict.mutation.seq)) continue;
      const resolution = await this.callbacks.askConflict(conflict);
      if (resolution !== null) await this.#settle(conflict, resolution);
    }
  }

  /** @param {Conflict} conflict @param {Resolution} resolution */
  async #settle(conflict, resolution) {
    const { wasOpen, seen } = await this.#db.write(
      async (tx) => {
        const watch = new ChangeWatch(tx, "local");
        await watch.look([[conflict.collection, conflict.id]]);
        const open = await settleConflict(tx, conflict, resolution);
        return { wasOpen: open, seen: await watch.seen() };
      },
      { durable: true },
    );
    this.wrote(seen);
    return wasOpen;
  }

  /** Call the handlers with each rejection; it is removed from the store once there was a handler. */
  async reportRejections() {
    for (const [seq, rejection] of await this.#db.read(rejectionsOf)) {
      if (this.#rejecting.has(seq)) continue;
      this.#rejecting.add(seq);
      try {
        if (!this.callbacks.callRejected(rejection)) continue;
        await this.#db.write(async (tx) => tx.delete("rejections", seq));
      } finally {
        this.#rejecting.delete(seq);
      }
    }
  }
}

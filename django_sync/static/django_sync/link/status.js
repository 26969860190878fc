/** A client's status: it counts what waits after each commit, and reports what has changed. */

import { SyncError } from "../errors.js";
import { UNKNOWN } from "../net/network_state.js";
import { isEqual } from "../store/encoding.js";
import { OPEN } from "../store/overlay.js";

/** @import { Database } from "../store/database.js" */
/** @import { Status } from "../types.js" */

/** One client's status. */
export class StatusTracker {
  #db;
  #report;
  #isCounting = false;
  #isStale = false;
  /** @type {Status} */
  status = Object.freeze({
    link: "stopped", network: "unknown", transport: null, pending: 0, conflicts: 0, progress: null,
    retryAt: null, problem: null, leads: false, networkState: UNKNOWN,
  });

  /** @param {Database} db @param {(status: Status) => void} report is called with each other status */
  constructor(db, report) {
    this.#db = db;
    this.#report = report;
  }

  /** These members are so now; the others stay. @param {Partial<Status>} news */
  show(news) {
    const now = { ...this.status, ...news };
    const names = /** @type {(keyof Status)[]} */ (Object.keys(news));
    if (names.every((name) => isUnchanged(now[name], this.status[name]))) return;
    this.status = Object.freeze(now);
    this.#report(this.status);
  }

  /** Count what waits; one look at a time, and one more where something came meanwhile. */
  async recount() {
    this.#isStale = true;
    if (this.#isCounting) return;
    this.#isCounting = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        this.show(await this.#count());
      }
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.show({ problem: error });
    } finally {
      this.#isCounting = false;
    }
  }

  #count() {
    return this.#db.read(async (tx) => {
      const states = OPEN.map((state) => tx.count("outbox", { index: "state", only: state }));
      const [conflicts, ...counts] = await Promise.all([tx.count("conflicts"), ...states]);
      const pending = counts.reduce((sum, count) => sum + count, 0);
      return { pending, conflicts, progress: tx.meta.snapshot };
    });
  }
}

/** Whether two members are the same: errors are where they are the very one. @param {unknown} one @param {unknown} other */
function isUnchanged(one, other) {
  if (one instanceof Date && other instanceof Date) return one.getTime() === other.getTime();
  return one === other || (!(one instanceof Error) && !(one instanceof Date) && isEqual(one, other));
}

/**
 * Wake-ups, stored until an exchange that began after them is complete.
 *
 * Three numbers: how many wake-ups were noted, up to which one a request has gone out, up to which
 * one everything has come in. A wake-up that comes before a request went out for the last one counts
 * as that one: however many come, each request costs one transaction that writes. Neither a closed
 * page nor another tab loses one.
 */

/** @import { Database, Meta } from "./database.js" */

/** @typedef {{woken: number, asked: number, served: number}} Count */

/** The wake-ups of one store whose changes are not fetched yet. */
export class WakeupStore {
  #db;

  /** @param {Database} db */
  constructor(db) {
    this.#db = db;
  }

  /** Note a wake-up; it is on the disk then. Whether none was remembered before. */
  async remember() {
    const before = await this.#count();
    if (before.woken > before.asked) return false; // on the disk already
    return this.#db.write(
      async (tx) => {
        const count = countOf(tx.meta);
        if (count.woken === count.asked) tx.set({ wakes: { ...count, woken: count.woken + 1 } });
        return count.woken === count.served;
      },
      { durable: true },
    );
  }

  /** Whether one is remembered. */
  async hasPending() {
    const { woken, served } = await this.#count();
    return woken > served;
  }

  /** A request goes out now; pass the number to `noteServed()` once everything has come in. */
  async noteRequest() {
    const count = await this.#count();
    if (count.asked < count.woken) {
      return this.#db.write(async (tx) => {
        const now = countOf(tx.meta);
        tx.set({ wakes: { ...now, asked: now.woken } });
        return now.woken;
      });
    }
    return count.woken;
  }

  /** All that was new when the request went out is here. @param {number} number */
  async noteServed(number) {
    if ((await this.#count()).served >= number) return;
    await this.#db.write(async (tx) => {
      const count = countOf(tx.meta);
      // else the store was cleared meanwhile
      if (count.served < number && number <= count.woken) tx.set({ wakes: { ...count, served: number } });
    });
  }

  #count() {
    return this.#db.read(async (tx) => countOf(tx.meta));
  }
}

/** @param {Readonly<Meta>} meta @returns {Count} */
function countOf({ wakes }) {
  return wakes ?? { woken: 0, asked: 0, served: 0 };
}

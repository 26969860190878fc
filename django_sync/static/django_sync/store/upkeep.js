/**
 * Maintenance of the store while the browser is idle: single records are put into chunks, chunks
 * with few records left are rewritten, and missing columns of indexed fields are made.
 *
 * Each step is one short transaction. It changes where records are stored, never the records. So it
 * may run beside everything else, also in several tabs, and may stop at any point.
 */

import { SyncError } from "../errors.js";
import { log } from "../log.js";
import { liveIn, livePositions, recordAt, WEIGHT } from "./chunks.js";

/** @import { Summary } from "./chunks.js" */
/** @import { Database, Tx } from "./database.js" */
/** @import { Row } from "./tables.js" */

/** Chunks that get their columns in one step. */
const INDEXED = 8;

/** Small chunks that are rewritten together: each is less than a quarter full, so at most five come out. */
const SMALL = 8;

/** Milliseconds from a write to the next check. */
const LATER = 2_000;

/** Milliseconds between steps where the browser cannot say when it is idle. */
const BETWEEN = 20;

/** Runs the steps of one tab. */
export class Upkeep {
  #db;
  #names;
  #isRunning = false;
  #isStopped = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Database} db @param {readonly string[]} names of the collections */
  constructor(db, names) {
    this.#db = db;
    this.#names = names;
  }

  /** Something was written: check soon whether there is something to do. */
  schedule() {
    if (this.#isStopped || this.#isRunning || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.run();
    }, LATER);
    // Else Node would not exit before the timer has fired.
    /** @type {{unref?: () => void}} */ (/** @type {unknown} */ (this.#timer)).unref?.();
  }

  /** Do all steps that are due. */
  async run() {
    this.#isRunning = true;
    try {
      for (const name of this.#names) {
        while (!this.#isStopped && (await this.#step(name))) await idle();
      }
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      log.info("The store was not tidied:", error); // the store works as it is; the next write tries again
    } finally {
      this.#isRunning = false;
    }
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Check in a reading transaction first: one that writes makes others wait. @param {string} name */
  async #step(name) {
    const task = await this.#db.read((tx) => taskOf(tx, name));
    return task !== null && this.#db.write((tx) => tidyOnce(tx, name));
  }
}

/** Wait until the browser is idle. @returns {Promise<void>} */
function idle() {
  return new Promise((resolve) => {
    if (globalThis.requestIdleCallback === undefined) setTimeout(resolve, BETWEEN);
    else requestIdleCallback(() => resolve(), { timeout: 1_000 });
  });
}

/**
 * Do the next step for one collection; return whether there was one.
 * @param {Tx} tx
 * @param {string} collection
 */
export async function tidyOnce(tx, collection) {
  const task = await taskOf(tx, collection);
  if (task === null) return false;
  if (task.reindex) {
    const fields = tx.meta.indexes?.[collection] ?? [];
    for (const summary of task.summaries) await tx.records.reindex(summary, fields);
  } else {
    for (const summary of task.summaries) await rewrite(tx, summary);
    for (const row of task.rows) tx.records.put(row);
  }
  return true;
}

/** @typedef {{summaries: Summary[], rows: Row[], reindex: boolean}} Task */

/**
 * The next step for one collection, if any.
 * @param {Tx} tx
 * @param {string} collection
 * @returns {Promise<Task | null>}
 */
async function taskOf(tx, collection) {
  const summaries = await tx.records.chunks.summaries(collection);
  const { size } = tx.records.sizes;
  const thin = summaries.find((summary) => summary.gone.size > liveIn(summary));
  if (thin !== undefined) return { summaries: [thin], rows: [], reindex: false };
  const small = ofOneGeneration(summaries.filter((summary) => 4 * liveIn(summary) < size && 4 * summary.weight < WEIGHT));
  if (small.length >= SMALL) return { summaries: small.slice(0, SMALL), rows: [], reindex: false };
  const rows = await surplus(tx, collection);
  if (rows.length > 0) return { summaries: [], rows, reindex: false };
  const fields = [...(tx.meta.indexes?.[collection] ?? [])].sort().join("\n");
  const others = summaries.filter((summary) => [...summary.fields].sort().join("\n") !== fields);
  return others.length > 0 ? { summaries: others.slice(0, INDEXED), rows: [], reindex: true } : null;
}

/** Single records for a new chunk, if there are more of them than allowed. @param {Tx} tx @param {string} collection */
async function surplus(tx, collection) {
  const { size, least, singles } = tx.records.sizes;
  if ((await tx.count("records", { only: [collection] })) <= singles) return [];
  const rows = await tx.records.singles(collection, { limit: singles + 1 });
  const found = ofOneGeneration(rows.filter((row) => row.gone === undefined)).slice(0, size);
  return found.length >= least ? found : [];
}

/** The largest group of one generation. @template {Row} T @param {T[]} all @returns {T[]} */
function ofOneGeneration(all) {
  /** @type {Map<number, T[]>} */
  const groups = new Map();
  for (const one of all) {
    const group = groups.get(one.generation) ?? [];
    group.push(one);
    groups.set(one.generation, group);
  }
  return [...groups.values()].reduce((largest, group) => (group.length > largest.length ? group : largest), []);
}

/** Rewrite the records of a chunk that are not gone. @param {Tx} tx @param {Summary} summary */
async function rewrite(tx, summary) {
  const [content, [ids]] = await Promise.all([
    tx.records.chunks.content(summary.number, false),
    tx.records.chunks.ids(summary.collection, [summary]),
  ]);
  for (const at of livePositions(summary)) tx.records.put(recordAt(summary, content, ids[at], at));
}

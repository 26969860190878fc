/** Reads chunks within one transaction, from the store or from the tab's memory. */

import { livePositions, positionOf, scopeAt, summaryOf } from "./chunks.js";
import { orderOf } from "./indexes.js";

/** @import { ChunkCache, Directory } from "./chunk_cache.js" */
/** @import { Content, Summary } from "./chunks.js" */
/** @import { Tx } from "./database.js" */
/** @import { Column } from "./indexes.js" */
/** @import { Key } from "./overlay.js" */
/** @import { Row } from "./tables.js" */

/** @typedef {{summary: Summary, at: number}} Place A position in a chunk. */

/** The column of ids is stored under this name; no field has it. */
export const IDS = "";

/** If more columns than this are missing, and more than half of all, all are read with one request. */
const SOME = 4;

export class Chunks {
  #tx;
  #cache;
  /** The summaries, once they are known. @type {Directory | null} */
  #directory = null;
  /** What is being read now, so that nothing is read twice. @type {Map<string, Promise<any>>} */
  #reading = new Map();
  /** The last chunk that is committed; those after it exist only if this transaction is committed. */
  #committed;
  #hasChanged = false;

  /** @param {Tx} tx @param {ChunkCache} cache */
  constructor(tx, cache) {
    this.#tx = tx;
    this.#cache = cache;
    this.#committed = stateOf(tx).last;
  }

  /** A collection's chunks. @param {string} collection @returns {Promise<Summary[]>} */
  async summaries(collection) {
    return [...((await this.known()).get(collection)?.values() ?? [])];
  }

  /** A chunk's records. @param {number} number @param {boolean} [keep] whether to keep them in memory @returns {Promise<Content>} */
  async content(number, keep = true) {
    const kept = this.#cache.content(number);
    if (kept !== undefined) return kept;
    return this.#shared(`contents ${number}`, async () => {
      const content = /** @type {Content} */ (await this.#tx.get("contents", number));
      if (keep && number <= this.#committed) this.#cache.keepContent(content);
      return content;
    });
  }

  /** The ids in some chunks. @param {string} collection @param {Summary[]} summaries @returns {Promise<string[][]>} */
  async ids(collection, summaries) {
    return (await this.#stored(collection, IDS, summaries)).map((row) => row?.ids);
  }

  /**
   * The values of a field in some chunks; a column that is not stored is made from the records.
   * @param {string} collection
   * @param {string} field
   * @param {Summary[]} summaries
   * @returns {Promise<Column[]>}
   */
  async columns(collection, field, summaries) {
    const stored = await this.#stored(collection, field, summaries);
    return Promise.all(summaries.map((summary, which) => {
      return /** @type {Column | undefined} */ (stored[which]) ?? this.#made(summary, field);
    }));
  }

  /** The columns in memory or in the store; `undefined` where there is none. @param {string} collection @param {string} field @param {Summary[]} summaries @returns {Promise<(Row | undefined)[]>} */
  async #stored(collection, field, summaries) {
    const found = new Map(summaries.map(({ number }) => [number, this.#cache.column(number, field)]));
    const missing = summaries.filter(({ number, fields }) => {
      return found.get(number) === undefined && (field === IDS || fields.includes(field));
    });
    for (const row of await this.#read(collection, field, missing)) {
      found.set(row.number, row);
      this.#keep(row.number, field, row);
    }
    return summaries.map(({ number }) => found.get(number));
  }

  /** @param {string} collection @param {string} field @param {Summary[]} missing @returns {Promise<Row[]>} */
  #read(collection, field, missing) {
    const { size } = this.#directory?.get(collection) ?? new Map();
    if (missing.length > SOME && 2 * missing.length > size) {
      return this.#shared(`columns ${collection} ${field}`, () => this.#tx.list("columns", { only: [collection, field] }));
    }
    return Promise.all(missing.map(({ number }) => {
      return this.#shared(`column ${number} ${field}`, async () => {
        return /** @type {Row} */ (await this.#tx.get("columns", [collection, field, number]));
      });
    }));
  }

  /** Make a column that is not stored. @param {Summary} summary @param {string} field @returns {Promise<Column>} */
  async #made({ number }, field) {
    const { objects } = await this.content(number, false);
    const column = orderOf(objects.map((text) => JSON.parse(text)), field);
    this.#keep(number, field, column);
    return column;
  }

  /** @param {number} number @param {string} field @param {Row} column */
  #keep(number, field, column) {
    if (number <= this.#committed) this.#cache.keepColumn(number, field, column, (column.ids ?? column.at).length);
  }

  /** Read something once; calls for the same meanwhile get the same promise. @template T @param {string} what @param {() => Promise<T>} read @returns {Promise<T>} */
  #shared(what, read) {
    const reading = this.#reading.get(what) ?? read().finally(() => this.#reading.delete(what));
    this.#reading.set(what, reading);
    return reading;
  }

  /** The chunk and position of a record; `null` if no chunk has it. @param {Key} key @returns {Promise<Place | null>} */
  async find([collection, id]) {
    const summaries = [];
    for (const summary of (await this.known()).get(collection)?.values() ?? []) {
      if (summary.first <= id && id <= summary.last) summaries.push(summary);
    }
    if (summaries.length === 0) return null;
    const columns = await this.ids(collection, summaries);
    for (const [which, summary] of summaries.entries()) {
      const at = positionOf(columns[which], id);
      if (at >= 0 && !summary.gone.has(at)) return { summary, at };
    }
    return null;
  }

  /** Chunks with records of a scope. @param {string} collection @param {string} scope */
  async withScope(collection, scope) {
    return (await this.summaries(collection)).filter(({ scopes }) => scopes.includes(scope));
  }

  /** The positions of a scope's records. @param {Summary} summary @param {string} scope */
  async ofScope(summary, scope) {
    const live = livePositions(summary);
    if (summary.scopes.length === 1) return live;
    const content = await this.content(summary.number);
    return live.filter((at) => scopeAt(content, at) === scope);
  }

  /** The summaries; a transaction that changes them works on a copy. @returns {Promise<Directory>} */
  async known() {
    const { version } = stateOf(this.#tx);
    this.#directory ??= this.#cache.directory(this.#tx.meta.clientId, version);
    return this.#directory ?? this.#shared("chunks", async () => {
      const found = directoryOf(await this.#tx.list("chunks"));
      this.#cache.keep(this.#tx.meta.clientId, version, found);
      return (this.#directory ??= found);
    });
  }

  /** A number that no chunk has had. */
  nextNumber() {
    this.#change();
    const { last, version } = stateOf(this.#tx);
    this.#tx.set({ chunks: { last: last + 1, version } });
    return last + 1;
  }

  /** Before the first change of summaries: copy them, and raise the version. */
  #change() {
    if (this.#hasChanged) return;
    this.#hasChanged = true;
    const { last, version } = stateOf(this.#tx);
    this.#tx.set({ chunks: { last, version: version + 1 } });
    this.#directory = new Map([...(this.#directory ?? [])].map(([name, held]) => [name, new Map(held)]));
  }

  /** A chunk as it is in this transaction; the summaries are known. @param {Summary} summary @returns {Summary} */
  now({ collection, number }) {
    return /** @type {Summary} */ (this.#directory?.get(collection)?.get(number));
  }

  /** Add a chunk, or replace the one with its number. @param {Summary} summary */
  replace(summary) {
    this.#change();
    const held = this.#directory?.get(summary.collection) ?? new Map();
    this.#directory?.set(summary.collection, held);
    held.set(summary.number, summary);
  }

  /** Remove a chunk. @param {Summary} summary */
  drop({ collection, number }) {
    this.#change();
    this.#directory?.get(collection)?.delete(number);
  }

  /** Remove all chunks. */
  clear() {
    this.#directory = new Map();
    this.#change();
  }

  /** The transaction was committed. */
  committed() {
    if (!this.#hasChanged || this.#directory === null) return;
    this.#cache.keep(this.#tx.meta.clientId, stateOf(this.#tx).version, this.#directory);
  }
}

/** The number of the last chunk, and the version of the summaries. @param {Tx} tx */
function stateOf({ meta }) {
  return meta.chunks ?? { last: 0, version: 0 };
}

/** @param {Row[]} rows @returns {Directory} */
function directoryOf(rows) {
  /** @type {Directory} */
  const found = new Map();
  for (const row of rows) {
    const held = found.get(row.collection) ?? new Map();
    found.set(row.collection, held.set(row.number, summaryOf(row)));
  }
  return found;
}

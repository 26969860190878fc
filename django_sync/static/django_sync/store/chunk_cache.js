/**
 * What one tab keeps in memory of its store's chunks: all summaries, and the columns and contents
 * that were used last, as many as fit.
 *
 * Columns and contents never change. Summaries may be changed by any tab. So the store counts a
 * version, which each transaction that changes summaries raises.
 */

/** @import { Content, Summary } from "./chunks.js" */
/** @import { Row } from "./tables.js" */

/** @typedef {Map<string, Map<number, Summary>>} Directory Summaries by collection and number. */

/** Characters of records' texts that are kept at most: some thousands of records. */
const TEXT = 4_000_000;

/** Values of columns that are kept at most. */
const VALUES = 300_000;

/** A cache with a limit of weight: the values that were used longest ago are dropped first. */
export class WeightedCache {
  /** @type {Map<string | number, {value: any, weight: number}>} */
  #entries = new Map();
  #limit;
  weight = 0;

  /** @param {number} limit */
  constructor(limit) {
    this.#limit = limit;
  }

  /** @param {string | number} key */
  get(key) {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, found);
    return found.value;
  }

  /** @param {string | number} key */
  has(key) {
    return this.#entries.has(key);
  }

  /** @param {string | number} key @param {any} value @param {number} weight */
  set(key, value, weight) {
    this.weight += weight - (this.#entries.get(key)?.weight ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, weight });
    for (const [oldest, { weight: freed }] of this.#entries) {
      if (this.weight <= this.#limit) return;
      this.#entries.delete(oldest);
      this.weight -= freed;
    }
  }

  clear() {
    this.#entries.clear();
    this.weight = 0;
  }
}

export class ChunkCache {
  /** @type {string | null} */
  #clientId = null;
  #version = 0;
  /** @type {Directory} */
  #directory = new Map();
  #contents = new WeightedCache(TEXT);
  #columns = new WeightedCache(VALUES);

  /** The summaries of that version, or `null` if they are not in memory. @param {string} clientId @param {number} version */
  directory(clientId, version) {
    this.#clearIfOther(clientId);
    if (version === 0) return /** @type {Directory} */ (new Map());
    return this.#version === version ? this.#directory : null;
  }

  /** @param {string} clientId @param {number} version @param {Directory} directory which must not be changed any more */
  keep(clientId, version, directory) {
    this.#clearIfOther(clientId);
    if (version > this.#version) [this.#version, this.#directory] = [version, directory];
  }

  /** @param {number} number @returns {Content | undefined} */
  content(number) {
    return this.#contents.get(number);
  }

  /** @param {Content} content */
  keepContent(content) {
    const weight = content.objects.reduce((sum, text) => sum + text.length + 16, 0);
    this.#contents.set(content.number, content, weight);
  }

  /** A stored column's row. @param {number} number @param {string} field @returns {Row | undefined} */
  column(number, field) {
    return this.#columns.get(`${number}/${field}`);
  }

  /** @param {number} number @param {string} field */
  hasColumn(number, field) {
    return this.#columns.has(`${number}/${field}`);
  }

  /** @param {number} number @param {string} field @param {Row} row @param {number} weight how many values */
  keepColumn(number, field, row, weight) {
    this.#columns.set(`${number}/${field}`, row, weight);
  }

  /** Forget all if the client's id is another one: a store that was cleared counts from 0 again. @param {string} clientId */
  #clearIfOther(clientId) {
    if (this.#clientId === clientId) return;
    this.#clientId = clientId;
    this.#version = 0;
    this.#directory = new Map();
    this.#contents.clear();
    this.#columns.clear();
  }
}

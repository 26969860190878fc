/** Rows in the order of a key, for a store in memory: changed a little, and read often. */

/** @import { Row } from "./tables.js" */

/** @typedef {string | string[]} Path */

/** Up to so many new rows since the last read are inserted one by one; more are sorted and merged. */
const FEW = 32;

/**
 * Rows in the order of a path, and of the table's key among equals. A row whose path has a part
 * that is neither a text nor a number is left out, as IndexedDB leaves it out of an index.
 */
export class SortedRows {
  #path;
  #key;
  /** @type {Row[]} */
  #rows = [];
  /** @type {Set<Row>} In `#rows` still, and not valid any more. */
  #gone = new Set();
  /** @type {Set<Row>} Not in `#rows` yet. */
  #added = new Set();

  /** @param {Path} path @param {Path} key */
  constructor(path, key) {
    this.#path = path;
    this.#key = key;
  }

  /** @param {Row} row */
  add(row) {
    if (!parts(row, this.#path).every(isKey)) return;
    if (!this.#gone.delete(row)) this.#added.add(row);
  }

  /** @param {Row} row the very object that was added */
  remove(row) {
    if (!parts(row, this.#path).every(isKey)) return;
    if (!this.#added.delete(row)) this.#gone.add(row);
  }

  /**
   * The rows whose first parts are `only`, and whose next part is behind `after`.
   * @param {any[]} only @param {string | number | undefined} after @param {number} limit
   */
  between(only, after, limit) {
    this.#carryOut();
    const begin = after === undefined ? this.#first(only, false) : this.#first([...only, after], true);
    return this.#rows.slice(begin, Math.min(begin + limit, this.#first(only, true)));
  }

  /** How many `between` would give. @param {any[]} only */
  count(only) {
    this.#carryOut();
    return this.#first(only, true) - this.#first(only, false);
  }

  /**
   * The order of two keys; a shorter one that begins the longer comes first.
   * @param {any[]} one @param {any[]} other
   */
  compare(one, other) {
    for (let at = 0; at < Math.min(one.length, other.length); at++) {
      if (one[at] !== other[at]) return less(one[at], other[at]) ? -1 : 1;
    }
    return one.length - other.length;
  }

  /** Carry out what has changed since the last read. */
  #carryOut() {
    const changed = this.#added.size + this.#gone.size;
    if (changed === 0) return;
    if (changed <= FEW) this.#oneByOne();
    else this.#mergeSorted();
    this.#added.clear();
    this.#gone.clear();
  }

  #oneByOne() {
    for (const row of this.#gone) this.#rows.splice(this.#first(this.#fullKey(row), false), 1);
    for (const row of this.#added) this.#rows.splice(this.#first(this.#fullKey(row), false), 0, row);
  }

  /** Sort the new rows, and merge them with the old. */
  #mergeSorted() {
    const added = [...this.#added].map((row) => ({ row, fullKey: this.#fullKey(row) }));
    added.sort((one, other) => this.compare(one.fullKey, other.fullKey));
    /** @type {Row[]} */
    const merged = [];
    let from = 0;
    for (const { row, fullKey } of added) {
      const to = this.#first(fullKey, false);
      this.#keep(merged, from, to);
      merged.push(row);
      from = to;
    }
    this.#keep(merged, from, this.#rows.length);
    this.#rows = merged;
  }

  /** @param {Row[]} merged @param {number} from @param {number} to */
  #keep(merged, from, to) {
    for (let at = from; at < to; at++) {
      if (!this.#gone.has(this.#rows[at])) merged.push(this.#rows[at]);
    }
  }

  /**
   * The place of the first row that is not before these parts; `behind`: of the first behind all
   * that begin with them.
   * @param {any[]} wanted @param {boolean} behind
   */
  #first(wanted, behind) {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const fullKey = this.#fullKey(this.#rows[middle]);
      const order = this.compare(behind ? fullKey.slice(0, wanted.length) : fullKey, wanted);
      if (order < 0 || (behind && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Row} row */
  #fullKey(row) {
    const path = parts(row, this.#path);
    return this.#path === this.#key ? path : [...path, ...parts(row, this.#key)];
  }
}

/** A row's key, part by part. @param {Row} row @param {Path} path @returns {any[]} */
function parts(row, path) {
  return Array.isArray(path) ? path.map((name) => row[name]) : [row[path]];
}

/** @param {unknown} part */
function isKey(part) {
  return typeof part === "string" || typeof part === "number";
}

/** Numbers come before texts, as in IndexedDB. @param {any} one @param {any} other */
function less(one, other) {
  return typeof one === typeof other ? one < other : typeof one === "number";
}

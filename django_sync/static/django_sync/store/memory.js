/** A store in memory: for Node, for tests, and for browsers that keep nothing. */

import { deepFreeze } from "./encoding.js";
import { SortedRows } from "./sorted_rows.js";
import { NAMES, TABLES } from "./tables.js";

/** @import { WriteOptions, Key, Range, Row, Table, Transaction } from "./tables.js" */

/** A store in memory: nothing outlives the page, or the process. */
export class MemoryStore {
  /** What it is. */
  kind = "memory";
  /** No other tab can see it. */
  name = null;
  #tables = new Map(NAMES.map((name) => [name, new SortedTable(name)]));
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @internal
   * @template T
   * @param {(tx: Transaction) => Promise<T>} body
   * @param {WriteOptions} [_options]
   * @returns {Promise<T>}
   */
  write(body, _options) {
    return this.#serially(async () => {
      const tx = new MemoryTransaction(this.#tables);
      try {
        return await body(tx);
      } catch (error) {
        tx.undo();
        throw error;
      }
    });
  }

  /**
   * @internal
   * @template T
   * @param {(tx: Transaction) => Promise<T>} body
   * @returns {Promise<T>}
   */
  read(body) {
    return this.#serially(() => body(new MemoryTransaction(this.#tables)));
  }

  /** @internal */
  close() {}

  /**
   * One after the other, in the order in which they were asked for.
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  #serially(run) {
    const done = this.#last.then(run);
    this.#last = done.catch(() => undefined); // the caller gets the error from `done`
    return done;
  }
}

/** A transaction on the tables, which can undo itself. */
class MemoryTransaction {
  #tables;
  /** @type {(() => void)[]} */
  #undoSteps = [];

  /** @param {Map<Table, SortedTable>} tables */
  constructor(tables) {
    this.#tables = tables;
  }

  /** @param {Table} table @param {Key} key */
  async get(table, key) {
    return this.#sorted(table).rows.get(keyText(key));
  }

  /** @param {Table} table @param {Range} [range] */
  async list(table, range = {}) {
    return this.#sorted(table).list(range);
  }

  /** @param {Table} table @param {Range} [range] */
  async count(table, range = {}) {
    return this.#sorted(table).count(range);
  }

  /** @param {Table} table @param {Row} row */
  put(table, row) {
    const key = keyText(keyOf(row, TABLES[table].key));
    this.#change(table, key, deepFreeze(structuredClone(row)));
  }

  /** @param {Table} table @param {Key} key */
  delete(table, key) {
    this.#change(table, keyText(key), undefined);
  }

  /** @param {Table} table */
  clear(table) {
    for (const key of [...this.#sorted(table).rows.keys()]) this.#change(table, key, undefined);
  }

  undo() {
    for (const undo of this.#undoSteps.reverse()) undo();
  }

  /** @param {Table} table @param {string} key @param {Row | undefined} row */
  #change(table, key, row) {
    const sorted = this.#sorted(table);
    const before = sorted.rows.get(key);
    this.#undoSteps.push(() => sorted.set(key, before));
    sorted.set(key, row);
  }

  /** @param {Table} table */
  #sorted(table) {
    return /** @type {SortedTable} */ (this.#tables.get(table));
  }
}

/** One table's rows by their spelled keys, and in the order of its key and of each index. */
class SortedTable {
  /** @type {Map<string, Row>} */
  rows = new Map();
  #byKey;
  /** @type {Map<string, SortedRows>} */
  #byIndex = new Map();

  /** @param {Table} table */
  constructor(table) {
    const { key, indexes } = TABLES[table];
    this.#byKey = new SortedRows(key, key);
    for (const [name, path] of Object.entries(indexes)) this.#byIndex.set(name, new SortedRows(path, key));
  }

  /** @param {string} key @param {Row | undefined} row */
  set(key, row) {
    const before = this.rows.get(key);
    if (row === undefined) this.rows.delete(key);
    else this.rows.set(key, row);
    for (const sorted of [this.#byKey, ...this.#byIndex.values()]) {
      if (before !== undefined) sorted.remove(before);
      if (row !== undefined) sorted.add(row);
    }
  }

  /** @param {Range} range */
  list({ index, only, after, limit = Infinity }) {
    return this.#rowsBy(index).between(only === undefined ? [] : [only].flat(), after, limit);
  }

  /** @param {Range} range */
  count({ index, only, after, limit }) {
    if (after !== undefined || limit !== undefined) return this.list({ index, only, after, limit }).length;
    return this.#rowsBy(index).count(only === undefined ? [] : [only].flat());
  }

  /** @param {string | undefined} index */
  #rowsBy(index) {
    if (index === undefined) return this.#byKey;
    const found = this.#byIndex.get(index);
    if (found === undefined) throw new RangeError(`no such index: ${index}`);
    return found;
  }
}

/** @param {Row} row @param {string | string[]} path @returns {any} */
function keyOf(row, path) {
  return Array.isArray(path) ? path.map((name) => row[name]) : row[path];
}

/** @param {Key} key */
function keyText(key) {
  return JSON.stringify(key);
}

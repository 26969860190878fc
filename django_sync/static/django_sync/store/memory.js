/** A store in memory: for Node, for tests, and for browsers that keep nothing. */

import { frozen } from "./encoding.js";
import { Ordered } from "./sorted_rows.js";
import { NAMES, TABLES } from "./tables.js";

/** @import { Care, Key, Range, Row, Table, Transaction } from "./tables.js" */

/** A store in memory: nothing outlives the page, or the process. */
export class MemoryStore {
  /** What it is. */
  kind = "memory";
  /** No other tab can see it. */
  name = null;
  #tables = new Map(NAMES.map((name) => [name, new Sheet(name)]));
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @internal
   * @template T
   * @param {(tx: Transaction) => Promise<T>} body
   * @param {Care} [_care]
   * @returns {Promise<T>}
   */
  write(body, _care) {
    return this.#alone(async () => {
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
    return this.#alone(() => body(new MemoryTransaction(this.#tables)));
  }

  /** @internal */
  close() {}

  /**
   * One after the other, in the order in which they were asked for.
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  #alone(run) {
    const done = this.#last.then(run);
    this.#last = done.catch(() => undefined); // whoever asked hears of it
    return done;
  }
}

/** A transaction on the sheets, which knows how to undo itself. */
class MemoryTransaction {
  #tables;
  /** @type {(() => void)[]} */
  #undoes = [];

  /** @param {Map<Table, Sheet>} tables */
  constructor(tables) {
    this.#tables = tables;
  }

  /** @param {Table} table @param {Key} key */
  async get(table, key) {
    return this.#sheet(table).rows.get(spelled(key));
  }

  /** @param {Table} table @param {Range} [range] */
  async list(table, range = {}) {
    return this.#sheet(table).list(range);
  }

  /** @param {Table} table @param {Range} [range] */
  async count(table, range = {}) {
    return this.#sheet(table).count(range);
  }

  /** @param {Table} table @param {Row} row */
  put(table, row) {
    const key = spelled(keyOf(row, TABLES[table].key));
    this.#change(table, key, frozen(structuredClone(row)));
  }

  /** @param {Table} table @param {Key} key */
  delete(table, key) {
    this.#change(table, spelled(key), undefined);
  }

  /** @param {Table} table */
  clear(table) {
    for (const key of [...this.#sheet(table).rows.keys()]) this.#change(table, key, undefined);
  }

  undo() {
    for (const undo of this.#undoes.reverse()) undo();
  }

  /** @param {Table} table @param {string} key @param {Row | undefined} row */
  #change(table, key, row) {
    const sheet = this.#sheet(table);
    const before = sheet.rows.get(key);
    this.#undoes.push(() => sheet.set(key, before));
    sheet.set(key, row);
  }

  /** @param {Table} table */
  #sheet(table) {
    return /** @type {Sheet} */ (this.#tables.get(table));
  }
}

/** One table's rows by their spelled keys, and in the order of its key and of each index. */
class Sheet {
  /** @type {Map<string, Row>} */
  rows = new Map();
  #byKey;
  /** @type {Map<string, Ordered>} */
  #byIndex = new Map();

  /** @param {Table} table */
  constructor(table) {
    const { key, indexes } = TABLES[table];
    this.#byKey = new Ordered(key, key);
    for (const [name, path] of Object.entries(indexes)) this.#byIndex.set(name, new Ordered(path, key));
  }

  /** @param {string} key @param {Row | undefined} row */
  set(key, row) {
    const before = this.rows.get(key);
    if (row === undefined) this.rows.delete(key);
    else this.rows.set(key, row);
    for (const ordered of [this.#byKey, ...this.#byIndex.values()]) {
      if (before !== undefined) ordered.remove(before);
      if (row !== undefined) ordered.add(row);
    }
  }

  /** @param {Range} range */
  list({ index, only, after, limit = Infinity }) {
    return this.#ordered(index).between(only === undefined ? [] : [only].flat(), after, limit);
  }

  /** @param {Range} range */
  count({ index, only, after, limit }) {
    if (after !== undefined || limit !== undefined) return this.list({ index, only, after, limit }).length;
    return this.#ordered(index).count(only === undefined ? [] : [only].flat());
  }

  /** @param {string | undefined} index */
  #ordered(index) {
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
function spelled(key) {
  return JSON.stringify(key);
}

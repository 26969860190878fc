/** A store in memory: for Node, for tests, and for browsers that keep nothing. */

import { frozen } from "./encoding.js";
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
    return [...this.#sheet(table).walk(range)];
  }

  /** @param {Table} table @param {Range} [range] */
  async count(table, range = {}) {
    if (range.only === undefined) return this.#sheet(table).rows.size;
    return [...this.#sheet(table).walk(range)].length;
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

/** One table's rows by their spelled keys. */
class Sheet {
  /** @type {Map<string, Row>} */
  rows = new Map();
  /** @type {Row[] | null} */
  #sorted = null;

  /** @param {Table} table */
  constructor(table) {
    this.layout = TABLES[table];
  }

  /** @param {string} key @param {Row | undefined} row */
  set(key, row) {
    this.#sorted = null;
    if (row === undefined) this.rows.delete(key);
    else this.rows.set(key, row);
  }

  /** @param {Range} range @returns {Generator<Row>} */
  *walk({ index, only, after, limit = Infinity }) {
    const path = index === undefined ? this.layout.key : this.layout.indexes[index];
    const wanted = only === undefined ? [] : parts(only);
    let left = limit;
    const rows = this.#inOrder();
    for (let at = this.#first(rows, index, wanted, after); at < rows.length && left > 0; at++) {
      const found = parts(keyOf(rows[at], path));
      if (found.includes(undefined)) continue; // as IndexedDB has it, a row without the key is in no index
      if (!wanted.every((part, place) => part === found[place])) {
        if (index === undefined) return;
        continue;
      }
      if (after !== undefined && !(found[wanted.length] > after)) continue;
      left -= 1;
      yield rows[at];
    }
  }

  #inOrder() {
    const { key } = this.layout;
    this.#sorted ??= [...this.rows.values()].sort((one, other) =>
      compare(parts(keyOf(one, key)), parts(keyOf(other, key))),
    );
    return this.#sorted;
  }

  /**
   * Where to begin: the rows are in the order of their keys.
   * @param {Row[]} rows @param {string | undefined} index @param {any[]} wanted
   * @param {string | number | undefined} after
   */
  #first(rows, index, wanted, after) {
    if (index !== undefined) return 0;
    const from = after === undefined ? wanted : [...wanted, after];
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(parts(keyOf(rows[middle], this.layout.key)), from) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @param {Row} row @param {string | string[]} path @returns {any} */
function keyOf(row, path) {
  return Array.isArray(path) ? path.map((name) => row[name]) : row[path];
}

/** @param {any} key @returns {any[]} */
function parts(key) {
  return Array.isArray(key) ? key : [key];
}

/** @param {Key} key */
function spelled(key) {
  return JSON.stringify(key);
}

/** @param {any[]} one @param {any[]} other */
function compare(one, other) {
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    if (one[at] !== other[at]) return one[at] < other[at] ? -1 : 1;
  }
  return one.length - other.length;
}

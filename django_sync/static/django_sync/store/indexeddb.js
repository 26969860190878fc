/** The store on a browser's disk. What IndexedDB throws becomes one of `errors.js` here. */

import { StorageFull, StorageLost, SyncError } from "../errors.js";
import { NAMES, SCHEMA_VERSION, TABLES } from "./tables.js";

/** @import { WriteOptions, Key, Range, Row, Table, Transaction } from "./tables.js" */

/** Milliseconds after which an opening that has not ended counts as blocked. */
const PATIENCE = 10_000;

/** One IndexedDB database, shared by all tabs of an origin. */
export class IndexedDBStore {
  kind = "indexeddb";
  /** @type {IDBDatabase | null} */
  #db = null;
  /** @type {Promise<IDBDatabase> | null} */
  #opening = null;
  #closed = false;

  /** @param {string} name @param {IDBFactory} factory */
  constructor(name, factory) {
    this.name = name;
    this.factory = factory;
  }

  /**
   * Open it, or make it.
   * @throws {StorageLost} where the browser does not allow it
   */
  async open() {
    await this.#open();
    return this;
  }

  /**
   * @template T
   * @param {(tx: Transaction) => Promise<T>} body
   * @param {WriteOptions} [care]
   * @returns {Promise<T>}
   */
  write(body, { durable = false } = {}) {
    return this.#run("readwrite", body, durable ? "strict" : "relaxed");
  }

  /**
   * @template T
   * @param {(tx: Transaction) => Promise<T>} body
   * @returns {Promise<T>}
   */
  read(body) {
    return this.#run("readonly", body, "default");
  }

  close() {
    this.#closed = true;
    this.#db?.close();
    this.#db = null;
  }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(tx: Transaction) => Promise<T>} body
   * @param {IDBTransactionDurability} durability
   * @returns {Promise<T>}
   */
  async #run(mode, body, durability) {
    const idb = await this.#begin(mode, durability);
    const ended = new Promise((resolve, reject) => {
      idb.oncomplete = resolve;
      idb.onabort = () => reject(storageError(idb.error));
    });
    ended.catch(() => undefined); // it throws below, unless `body` throws first
    let result;
    try {
      result = await body(new IndexedDBTransaction(idb));
    } catch (error) {
      try {
        idb.abort();
      } catch {
        await ended; // it has aborted by itself, and this throws the reason
      }
      throw error instanceof DOMException ? storageError(error) : error;
    }
    await ended;
    return result;
  }

  /**
   * A transaction; where the connection was cut (storage was cleared, or another program version
   * wanted it), once more on a new one.
   * @param {IDBTransactionMode} mode
   * @param {IDBTransactionDurability} durability
   */
  async #begin(mode, durability) {
    for (let attempt = 0; ; attempt++) {
      const db = this.#db ?? (await this.#open());
      try {
        return db.transaction(NAMES, mode, { durability });
      } catch (error) {
        this.#db = null;
        if (attempt > 0 || this.#closed) throw storageError(error);
      }
    }
  }

  /** One connection, however many ask for it. @returns {Promise<IDBDatabase>} */
  #open() {
    this.#opening ??= this.#connect().finally(() => (this.#opening = null));
    return this.#opening;
  }

  /** @returns {Promise<IDBDatabase>} */
  #connect() {
    return new Promise((resolve, reject) => {
      let waits = true;
      const late = setTimeout(() => failed(new StorageLost("The store does not open.")), PATIENCE);
      const failed = (/** @type {unknown} */ error) => {
        clearTimeout(late);
        waits = false;
        reject(storageError(error));
      };
      if (this.#closed) {
        failed(new StorageLost("The store was closed."));
        return;
      }
      let request;
      try {
        request = this.factory.open(this.name, SCHEMA_VERSION);
      } catch (error) {
        failed(error);
        return;
      }
      request.onupgradeneeded = () => createTables(request.result);
      request.onerror = () => failed(request.error);
      request.onsuccess = () => {
        clearTimeout(late);
        const db = request.result;
        if (waits && !this.#closed) resolve(this.#connectionKept(db));
        else {
          db.close(); // it is no longer wanted
          failed(new StorageLost("The store was closed."));
        }
      };
    });
  }

  /** @param {IDBDatabase} db */
  #connectionKept(db) {
    const forget = () => {
      if (this.#db === db) this.#db = null;
    };
    db.onclose = forget;
    db.onversionchange = () => {
      db.close();
      forget();
    };
    this.#db = db;
    return db;
  }
}

/** Make the tables that are not there yet. @param {IDBDatabase} db */
function createTables(db) {
  for (const name of NAMES.filter((one) => !db.objectStoreNames.contains(one))) {
    const { key, indexes } = TABLES[name];
    const table = db.createObjectStore(name, { keyPath: key });
    for (const [index, path] of Object.entries(indexes)) table.createIndex(index, path);
  }
}

/** A transaction with the interface of `store/tables.js`. */
class IndexedDBTransaction {
  #idb;

  /** @param {IDBTransaction} idb */
  constructor(idb) {
    this.#idb = idb;
  }

  /** @param {Table} table @param {Key} key @returns {Promise<Row | undefined>} */
  get(table, key) {
    return resultOf(this.#idb.objectStore(table).get(key));
  }

  /** @param {Table} table @param {Range} [range] @returns {Promise<Row[]>} */
  list(table, range = {}) {
    return resultOf(this.#source(table, range).getAll(bounds(range), range.limit));
  }

  /** @param {Table} table @param {Range} [range] @returns {Promise<number>} */
  count(table, range = {}) {
    return resultOf(this.#source(table, range).count(bounds(range) ?? undefined));
  }

  /** @param {Table} table @param {Row} row */
  put(table, row) {
    this.#idb.objectStore(table).put(row);
  }

  /** @param {Table} table @param {Key} key */
  delete(table, key) {
    this.#idb.objectStore(table).delete(key);
  }

  /** @param {Table} table */
  clear(table) {
    this.#idb.objectStore(table).clear();
  }

  /** @param {Table} table @param {Range} range */
  #source(table, range) {
    const found = this.#idb.objectStore(table);
    return range.index === undefined ? found : found.index(range.index);
  }
}

/**
 * A list sorts behind every string and number, so `[…only, []]` is behind all keys that begin so.
 * @param {Range} range
 */
function bounds({ only, after }) {
  if (only === undefined) return after === undefined ? null : IDBKeyRange.lowerBound(after, true);
  if (!Array.isArray(only)) return IDBKeyRange.only(only);
  const from = after === undefined ? only : [...only, after];
  return IDBKeyRange.bound(from, [...only, []], after !== undefined);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {unknown} error */
function storageError(error) {
  if (error instanceof SyncError) return error;
  const { name = "", message = "" } = /** @type {Partial<Error>} */ (error ?? {});
  if (name === "QuotaExceededError") {
    return new StorageFull("The browser has no room left for the store.", { cause: error });
  }
  return new StorageLost(`The store cannot be used: ${name} ${message}`.trim(), { cause: error });
}

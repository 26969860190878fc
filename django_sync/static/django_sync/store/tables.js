/**
 * The store's tables, and the interface of a store: `store/indexeddb.js` and `store/memory.js`
 * implement it. tests/javascript/store/stores.test.js tests both.
 *
 * A store runs transactions. One that writes runs alone, and is stored completely or not at all; what it
 * reads stays true until it ends. It may await only its own reads.
 */

/** @typedef {import("./encoding.js").Fields} Fields */

/** @typedef {"meta" | "collections" | "records" | "chunks" | "columns" | "contents" | "outbox" | "conflicts" | "rejections"} Table */
/** @typedef {string | number | (string | number)[]} Key */
/** @typedef {{[member: string]: any}} Row */

/**
 * @typedef {object} Range Rows by key, or by one of the table's indexes, in that order.
 * @property {string} [index]
 * @property {Key} [only] rows whose key, or whose key's first parts, are these
 * @property {string | number} [after] of those, the ones whose next part, or whose key, is behind this
 * @property {number} [limit]
 */

/**
 * @typedef {object} Transaction
 * @property {(table: Table, key: Key) => Promise<Row | undefined>} get
 * @property {(table: Table, range?: Range) => Promise<Row[]>} list
 * @property {(table: Table, range?: Range) => Promise<number>} count
 * @property {(table: Table, row: Row) => void} put
 * @property {(table: Table, key: Key) => void} delete
 * @property {(table: Table) => void} clear
 */

/** @typedef {{durable?: boolean}} WriteOptions `durable`: it is on the disk when the promise is fulfilled. */

/**
 * @typedef {object} Store Where records are kept: IndexedDB, `MemoryStore`, or one of your own.
 * @property {string} kind "indexeddb" or "memory"
 * @property {string | null} name by which other tabs know it; `null` where no other tab can see it
 * @property {<T>(body: (tx: Transaction) => Promise<T>, options?: WriteOptions) => Promise<T>} write
 * @property {<T>(body: (tx: Transaction) => Promise<T>) => Promise<T>} read
 * @property {() => void} close
 */

/** @type {Readonly<Record<Table, {key: string | string[], indexes: Record<string, string | string[]>}>>} */
export const TABLES = Object.freeze({
  meta: { key: "key", indexes: {} },
  collections: { key: "name", indexes: {} },
  records: {
    key: ["collection", "id"],
    // `gone` is set only where a deleted record is kept for the local edits that are based on it.
    indexes: { scope: ["collection", "scope"], gone: "gone" },
  },
  // Records that came together are stored in chunks (see store/chunks.js): `chunks` has the summaries,
  // `columns` the ids and the values of indexed fields, `contents` the records.
  chunks: { key: ["collection", "number"], indexes: {} },
  columns: { key: ["collection", "field", "number"], indexes: {} },
  contents: { key: "number", indexes: {} },
  outbox: { key: "seq", indexes: { object: ["collection", "objectId"], state: "state" } },
  conflicts: { key: "seq", indexes: {} },
  rejections: { key: "seq", indexes: {} },
});

/** @type {Table[]} */
export const NAMES = /** @type {Table[]} */ (Object.keys(TABLES));

/** Version 1 had no chunks. A store of version 1 is used as it is. */
export const SCHEMA_VERSION = 2;

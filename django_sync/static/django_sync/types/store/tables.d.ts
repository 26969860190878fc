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
export const TABLES: Readonly<Record<Table, {
    key: string | string[];
    indexes: Record<string, string | string[]>;
}>>;
/** @type {Table[]} */
export const NAMES: Table[];
/** Version 1 had no chunks. A store of version 1 is used as it is. */
export const SCHEMA_VERSION: 2;
export type Fields = import("./encoding.js").Fields;
export type Table = "meta" | "collections" | "records" | "chunks" | "columns" | "contents" | "outbox" | "conflicts" | "rejections";
export type Key = string | number | (string | number)[];
export type Row = {
    [member: string]: any;
};
/**
 * Rows by key, or by one of the table's indexes, in that order.
 */
export type Range = {
    index?: string | undefined;
    /**
     * rows whose key, or whose key's first parts, are these
     */
    only?: Key | undefined;
    /**
     * of those, the ones whose next part, or whose key, is behind this
     */
    after?: string | number | undefined;
    limit?: number | undefined;
};
export type Transaction = {
    get: (table: Table, key: Key) => Promise<Row | undefined>;
    list: (table: Table, range?: Range) => Promise<Row[]>;
    count: (table: Table, range?: Range) => Promise<number>;
    put: (table: Table, row: Row) => void;
    delete: (table: Table, key: Key) => void;
    clear: (table: Table) => void;
};
/**
 * `durable`: it is on the disk when the promise is fulfilled.
 */
export type WriteOptions = {
    durable?: boolean;
};
/**
 * Where records are kept: IndexedDB, `MemoryStore`, or one of your own.
 */
export type Store = {
    /**
     * "indexeddb" or "memory"
     */
    kind: string;
    /**
     * by which other tabs know it; `null` where no other tab can see it
     */
    name: string | null;
    write: <T>(body: (tx: Transaction) => Promise<T>, options?: WriteOptions) => Promise<T>;
    read: <T>(body: (tx: Transaction) => Promise<T>) => Promise<T>;
    close: () => void;
};

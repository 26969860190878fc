export class Records {
    /** @param {Tx} tx @param {ChunkCache} cache @param {Sizes} sizes */
    constructor(tx: Tx, cache: ChunkCache, sizes: Sizes);
    sizes: Sizes;
    chunks: Chunks;
    /** One record. @param {Key} key @returns {Promise<Row | undefined>} */
    get(key: Key): Promise<Row | undefined>;
    /**
     * Prepare for reading many records: if few have rows of their own, read all of these at once.
     * @param {Key[]} keys
     */
    expect(keys: Key[]): Promise<void>;
    /** Write one. @param {Row} row @param {boolean} [isNew] whether it is known not to be stored yet */
    put(row: Row, isNew?: boolean): void;
    /** Remove one. @param {Key} key */
    remove(key: Key): void;
    /**
     * Records in the order of their ids.
     * @param {string} collection
     * @param {{after?: string, limit: number}} range
     * @returns {Promise<Row[]>}
     */
    list(collection: string, { after, limit }: {
        after?: string;
        limit: number;
    }): Promise<Row[]>;
    /**
     * The ids of all records of earlier generations, some at a time. The caller may remove these
     * before it takes the next ones.
     * @param {string} collection
     * @param {number} [generation] all of them without it
     * @returns {AsyncGenerator<string[]>}
     */
    before(collection: string, generation?: number): AsyncGenerator<string[]>;
    /** The ids of a scope's records, in order. @param {string} collection @param {string} scope @returns {Promise<string[]>} */
    inScope(collection: string, scope: string): Promise<string[]>;
    /** Whether there is a record of that scope. @param {string} collection @param {string} scope */
    hasScope(collection: string, scope: string): Promise<boolean>;
    /** How many there are. @param {string} collection */
    count(collection: string): Promise<number>;
    /** Deleted records that are kept for the local edits on them. @returns {Promise<Row[]>} */
    keptDeleted(): Promise<Row[]>;
    /** Records that have rows of their own. @param {string} collection @param {{after?: string, limit?: number}} [range] */
    singles(collection: string, range?: {
        after?: string;
        limit?: number;
    }): Promise<Row[]>;
    /** Remove all. */
    clear(): void;
    /** Store what was written. */
    flush(): Promise<void>;
    /** Store the columns of these fields and no others. @param {Summary} summary @param {readonly string[]} fields */
    reindex(summary: Summary, fields: readonly string[]): Promise<void>;
    #private;
}
/**
 * `isNew`: it is not stored yet.
 */
export type Written = {
    key: Key;
    row: Row | null;
    isNew: boolean;
};
import type { Sizes } from "./chunks.js";
import { Chunks } from "./chunk_reader.js";
import type { Key } from "./overlay.js";
import type { Row } from "./tables.js";
import type { Summary } from "./chunks.js";
import type { Tx } from "./database.js";
import type { ChunkCache } from "./chunk_cache.js";

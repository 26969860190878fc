/** A store in memory: for Node, for tests, and for browsers that keep nothing. */
import type { Care, Store, Transaction } from "./tables.js";
/** @import { Care, Key, Range, Row, Store, Table, Transaction } from "./tables.js" */
/**
 * Nothing outlives the page, or the process.
 * @implements {Store}
 */
export declare class MemoryStore implements Store {
    #private;
    kind: string;
    name: null;
    /**
     * @template T
     * @param {(tx: Transaction) => Promise<T>} body
     * @param {Care} [_care]
     * @returns {Promise<T>}
     */
    write<T>(body: (tx: Transaction) => Promise<T>, _care?: Care): Promise<T>;
    /**
     * @template T
     * @param {(tx: Transaction) => Promise<T>} body
     * @returns {Promise<T>}
     */
    read<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
    close(): void;
}

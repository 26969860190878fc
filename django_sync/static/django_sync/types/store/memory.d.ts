/** @import { WriteOptions, Key, Range, Row, Table, Transaction } from "./tables.js" */
/** A store in memory: nothing outlives the page, or the process. */
export class MemoryStore {
    /** What it is. */
    kind: string;
    /** No other tab can see it. */
    name: null;
    /**
     * @internal
     * @template T
     * @param {(tx: Transaction) => Promise<T>} body
     * @param {WriteOptions} [_options]
     * @returns {Promise<T>}
     */
    write<T>(body: (tx: Transaction) => Promise<T>, _options?: WriteOptions): Promise<T>;
    /**
     * @internal
     * @template T
     * @param {(tx: Transaction) => Promise<T>} body
     * @returns {Promise<T>}
     */
    read<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
    /** @internal */
    close(): void;
    #private;
}
import type { Transaction } from "./tables.js";
import type { WriteOptions } from "./tables.js";

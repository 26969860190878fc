/** One IndexedDB database, shared by all tabs of an origin. */
export class IndexedDBStore {
    /** @param {string} name @param {IDBFactory} factory */
    constructor(name: string, factory: IDBFactory);
    kind: string;
    name: string;
    factory: IDBFactory;
    /**
     * Open it, or make it.
     * @throws {StorageLost} where the browser does not let us
     */
    open(): Promise<this>;
    /**
     * @template T
     * @param {(tx: Transaction) => Promise<T>} body
     * @param {Care} [care]
     * @returns {Promise<T>}
     */
    write<T>(body: (tx: Transaction) => Promise<T>, { durable }?: Care): Promise<T>;
    /**
     * @template T
     * @param {(tx: Transaction) => Promise<T>} body
     * @returns {Promise<T>}
     */
    read<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
    close(): void;
    #private;
}
import type { Transaction } from "./tables.js";
import type { Care } from "./tables.js";

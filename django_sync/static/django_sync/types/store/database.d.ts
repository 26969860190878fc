/** Transactions on a store. */
export class Database {
    /**
     * @param {Store} store
     * @param {() => void} [cleared] is called after a transaction on a store that was cleared since the one before
     * @param {import("./chunks.js").Sizes} [sizes]
     */
    constructor(store: Store, cleared?: () => void, sizes?: import("./chunks.js").Sizes);
    kind: string;
    name: string | null;
    /**
     * A transaction that writes; an error in it undoes it.
     * @template T
     * @param {(tx: Tx) => Promise<T>} body
     * @param {WriteOptions} [options]
     * @returns {Promise<T>}
     */
    write<T>(body: (tx: Tx) => Promise<T>, options?: WriteOptions): Promise<T>;
    /**
     * A transaction that reads one state of the store throughout.
     * @template T
     * @param {(tx: Tx) => Promise<T>} body
     * @returns {Promise<T>}
     */
    read<T>(body: (tx: Tx) => Promise<T>): Promise<T>;
    /** Forget everything, the client's id and its binding to a user included. */
    wipe(): Promise<void>;
    /** Set the indexes of what is written from now on; `store/upkeep.js` indexes the existing chunks. @param {Indexes} indexes */
    declare(indexes: Indexes): Promise<void>;
    close(): void;
    #private;
}
export type Meta = {
    key: "state";
    schemaVersion: number;
    /**
     * this installation's UUID
     */
    clientId: string;
    cursor: string | null;
    epoch: string | null;
    /**
     * of the service document
     */
    serverEpoch: string | null;
    /**
     * the socket or stream that feeds the store; 0 for none
     */
    stream: number;
    /**
     * how many pulls and streams have begun
     */
    pulls: number;
    /**
     * the last mutation's
     */
    seq: number;
    snapshot: {
        done: number;
        total: number;
    } | null;
    /**
     * whose replica it is
     */
    url: string | null;
    user: string | null;
    /**
     * wake-ups; missing in a store of an earlier version
     */
    wakes?: import("../store/wakeup_store.js").Count | undefined;
    /**
     * how the server may wake this browser
     */
    push?: import("../link/push_registration.js").Enabled | null | undefined;
    /**
     * the id of the session that was opened last
     */
    session?: string | null | undefined;
    /**
     * the number of the last chunk, and how often
     * summaries were changed; missing in a store of an earlier version
     */
    chunks?: {
        last: number;
        version: number;
    } | undefined;
    /**
     * the fields that have columns in chunks
     */
    indexes?: Indexes | undefined;
    /**
     * of the credentials that the server took for this store
     */
    fingerprint: string | null;
};
export type Tx = Transaction & {
    meta: Readonly<Meta>;
    set: (values: Partial<Meta>) => void;
    records: Records;
};
import type { WriteOptions } from "./tables.js";
import type { Indexes } from "./indexes.js";
import type { Store } from "./tables.js";
import type { Transaction } from "./tables.js";
import { Records } from "./records.js";

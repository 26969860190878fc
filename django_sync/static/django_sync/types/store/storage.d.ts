/** @import { Store } from "./tables.js" */
/**
 * @typedef {object} Storage What keeps the records.
 * @property {Store} store itself
 * @property {string} kind `indexeddb` or `memory`
 * @property {boolean} persisted whether the browser has promised not to clear it by itself; some ask
 *   their user first; the client does not wait for that, so it may become true later
 * @property {string | null} problem the reason why it is not on the disk
 */
/**
 * @param {string | Store} wanted a database's name, or a store
 * @param {boolean} persist
 * @returns {Promise<Storage>}
 */
export function openStorage(wanted: string | Store, persist: boolean): Promise<Storage>;
/**
 * What keeps the records.
 */
export type Storage = {
    /**
     * itself
     */
    store: Store;
    /**
     * `indexeddb` or `memory`
     */
    kind: string;
    /**
     * whether the browser has promised not to clear it by itself; some ask
     * their user first; the client does not wait for that, so it may become true later
     */
    persisted: boolean;
    /**
     * the reason why it is not on the disk
     */
    problem: string | null;
};
import type { Store } from "./tables.js";

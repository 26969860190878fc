/** Opens a client's store: on the disk where the browser allows it, else in memory. */

import { StorageLost, SyncError } from "../errors.js";
import { log } from "../log.js";
import { IndexedDBStore } from "./indexeddb.js";
import { MemoryStore } from "./memory.js";

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
export async function openStorage(wanted, persist) {
  if (typeof wanted !== "string") return { store: wanted, kind: wanted.kind, persisted: false, problem: null };
  try {
    const store = await new IndexedDBStore(`django_sync ${wanted}`, browserFactory()).open();
    const storage = { store, kind: store.kind, persisted: false, problem: null };
    if (persist) void askToPersist(storage);
    return storage;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    log.warn(`The store is in memory and ends with this page: ${error.detail}`);
    return { store: new MemoryStore(), kind: "memory", persisted: false, problem: error.detail };
  }
}

/** The browser's IndexedDB. Where it is forbidden, reading the property may throw. */
function browserFactory() {
  let found;
  try {
    found = globalThis.indexedDB;
  } catch (error) {
    throw new StorageLost(`The browser allows no storage here: ${error}`, { cause: error });
  }
  if (found === undefined) throw new StorageLost("There is no IndexedDB here.");
  return found;
}

/**
 * Ask for storage that is not cleared when room runs short (WHATWG Storage, section 5).
 * @param {Storage} storage
 */
async function askToPersist(storage) {
  const manager = globalThis.navigator?.storage;
  if (manager?.persist === undefined) return;
  try {
    storage.persisted = (await manager.persisted()) || (await manager.persist());
  } catch (error) {
    log.info("The browser does not promise to keep the store:", error);
  }
}

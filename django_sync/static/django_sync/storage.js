/** Which store a client gets: the disk where the browser lets us, else the memory, and it says so. */

import { StorageLost, SyncError } from "./errors.js";
import { IndexedDBStore } from "./indexeddb.js";
import { log } from "./log.js";
import { MemoryStore } from "./memory.js";

/** @import { Store } from "./tables.js" */

/**
 * @typedef {object} Storage What keeps the records.
 * @property {Store} store itself
 * @property {string} kind `indexeddb` or `memory`
 * @property {boolean} persisted whether the browser has promised not to clear it by itself
 * @property {string | null} problem why it is not the disk
 */

/**
 * @param {string | Store} wanted a database's name, or a store
 * @param {boolean} persist
 * @returns {Promise<Storage>}
 */
export async function opened(wanted, persist) {
  if (typeof wanted !== "string") return { store: wanted, kind: wanted.kind, persisted: false, problem: null };
  try {
    const store = await new IndexedDBStore(`django_sync ${wanted}`, factory()).open();
    return { store, kind: store.kind, persisted: persist && (await persisted()), problem: null };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    log.warn(`Nothing will outlive this page: ${error.detail}`);
    return { store: new MemoryStore(), kind: "memory", persisted: false, problem: error.detail };
  }
}

/** The browser's IndexedDB. Where that is forbidden, to read its name alone may throw. */
function factory() {
  let found;
  try {
    found = globalThis.indexedDB;
  } catch (error) {
    throw new StorageLost(`The browser keeps nothing here: ${error}`, { cause: error });
  }
  if (found === undefined) throw new StorageLost("This is no browser: there is no IndexedDB.");
  return found;
}

/** Ask for storage that is not cleared when room runs short (WHATWG Storage, section 5). */
async function persisted() {
  const storage = globalThis.navigator?.storage;
  if (storage?.persist === undefined) return false;
  try {
    return (await storage.persisted()) || (await storage.persist());
  } catch (error) {
    log.info("The browser promises nothing:", error);
    return false;
  }
}

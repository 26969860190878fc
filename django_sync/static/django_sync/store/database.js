/**
 * A store with its few single values, which each transaction has as `tx.meta`. This file does not
 * know what the tables are for.
 */

import { StoreMismatch } from "../errors.js";
import { newId } from "../ids.js";
import { ChunkCache } from "./chunk_cache.js";
import { SIZES } from "./chunks.js";
import { isEqual } from "./encoding.js";
import { Records } from "./records.js";
import { NAMES, SCHEMA_VERSION } from "./tables.js";

/** @import { Indexes } from "./indexes.js" */
/** @import { WriteOptions, Store, Transaction } from "./tables.js" */

/**
 * @typedef {object} Meta
 * @property {"state"} key
 * @property {number} schemaVersion
 * @property {string} clientId this installation's UUID
 * @property {string | null} cursor
 * @property {string | null} epoch
 * @property {string | null} serverEpoch of the service document
 * @property {number} stream the socket or stream that feeds the store; 0 for none
 * @property {number} pulls how many pulls and streams have begun
 * @property {number} seq the last mutation's
 * @property {{done: number, total: number} | null} snapshot
 * @property {string | null} url whose replica it is
 * @property {string | null} user
 * @property {import("../store/wakeup_store.js").Count} [wakes] wake-ups; missing in a store of an earlier version
 * @property {import("../link/push_registration.js").Enabled | null} [push] how the server may wake this browser
 * @property {string | null} [session] the id of the session that was opened last
 * @property {{last: number, version: number}} [chunks] the number of the last chunk, and how often
 *   summaries were changed; missing in a store of an earlier version
 * @property {Indexes} [indexes] the fields that have columns in chunks
 * @property {string | null} fingerprint of the credentials that the server took for this store
 */

/** @typedef {Transaction & {meta: Readonly<Meta>, set: (values: Partial<Meta>) => void, records: Records}} Tx */

/** @param {Indexes} indexes @returns {Meta} */
function newMeta(indexes) {
  return {
    key: "state", schemaVersion: SCHEMA_VERSION, clientId: newId(), cursor: null, epoch: null,
    serverEpoch: null, stream: 0, pulls: 0, seq: 0, snapshot: null, url: null, user: null,
    fingerprint: null, indexes,
  };
}

/** Transactions on a store. */
export class Database {
  #store;
  #cleared;
  #sizes;
  #cache = new ChunkCache();
  /** @type {Indexes} */
  #indexes = {};
  /** The client's id in the last transaction. @type {string | null} */
  #clientId = null;

  /**
   * @param {Store} store
   * @param {() => void} [cleared] is called after a transaction on a store that was cleared since the one before
   * @param {import("./chunks.js").Sizes} [sizes]
   */
  constructor(store, cleared = () => undefined, sizes = SIZES) {
    this.#store = store;
    this.#sizes = sizes;
    this.#cleared = cleared;
    this.kind = store.kind;
    this.name = store.name;
  }

  /**
   * A transaction that writes; an error in it undoes it.
   * @template T
   * @param {(tx: Tx) => Promise<T>} body
   * @param {WriteOptions} [options]
   * @returns {Promise<T>}
   */
  async write(body, options) {
    const { result, tx } = await this.#store.write(async (raw) => {
      const tx = await this.#begin(raw);
      const returned = await body(tx);
      await tx.records.flush();
      return { result: returned, tx };
    }, options);
    tx.records.chunks.committed();
    this.#noteClient(tx.meta.clientId);
    return result;
  }

  /**
   * A transaction that reads one state of the store throughout.
   * @template T
   * @param {(tx: Tx) => Promise<T>} body
   * @returns {Promise<T>}
   */
  async read(body) {
    const found = await this.#store.read(async (raw) => {
      const meta = /** @type {Meta | undefined} */ (await raw.get("meta", "state"));
      if (meta === undefined) return undefined;
      return { result: await body(this.#transaction(raw, meta)), clientId: meta.clientId };
    });
    // A store that was never written, or was cleared: create it, then read.
    if (found === undefined) return this.write(body);
    this.#noteClient(found.clientId);
    return found.result;
  }

  /** Forget everything, the client's id and its binding to a user included. */
  async wipe() {
    await this.#store.write(
      async (raw) => {
        for (const table of NAMES) raw.clear(table);
        raw.put("meta", newMeta(this.#indexes));
      },
      { durable: true },
    );
  }

  /** Set the indexes of what is written from now on; `store/upkeep.js` indexes the existing chunks. @param {Indexes} indexes */
  async declare(indexes) {
    this.#indexes = indexes;
    if (await this.read(async ({ meta }) => isEqual(meta.indexes ?? {}, indexes))) return;
    await this.write(async (tx) => tx.set({ indexes }));
  }

  close() {
    this.#store.close();
  }

  /** @param {string} clientId */
  #noteClient(clientId) {
    const before = this.#clientId;
    this.#clientId = clientId;
    if (before !== null && before !== clientId) this.#cleared();
  }

  /** @param {Transaction} raw */
  async #begin(raw) {
    let meta = /** @type {Meta | undefined} */ (await raw.get("meta", "state"));
    if (meta === undefined) {
      meta = newMeta(this.#indexes);
      raw.put("meta", meta);
    } else if (meta.schemaVersion < SCHEMA_VERSION) {
      meta = { ...meta, schemaVersion: SCHEMA_VERSION };
      raw.put("meta", meta);
    } else if (meta.schemaVersion > SCHEMA_VERSION) {
      throw new StoreMismatch(
        `The store has schema ${meta.schemaVersion}; this version reads ${SCHEMA_VERSION}.`,
      );
    }
    return this.#transaction(raw, meta);
  }

  /**
   * @param {Transaction} raw
   * @param {Meta} meta
   * @returns {Tx}
   */
  #transaction(raw, meta) {
    const tx = /** @type {Tx} */ ({
      get: (table, key) => raw.get(table, key),
      list: (table, range) => raw.list(table, range),
      count: (table, range) => raw.count(table, range),
      put: (table, row) => raw.put(table, row),
      delete: (table, key) => raw.delete(table, key),
      clear: (table) => raw.clear(table),
      meta,
      set(values) {
        tx.meta = { ...tx.meta, ...values };
        raw.put("meta", tx.meta);
      },
    });
    tx.records = new Records(tx, this.#cache, this.#sizes);
    return tx;
  }
}

/**
 * What the user sees: the server's record with the outbox on top. This file only reads the store;
 * `store/outbox.js`, `store/apply.js`, `store/results.js` and `conflicts.js` write.
 */

import { mutationOf, Record } from "../types.js";

/** @import { Change, Mutation } from "../types.js" */
/** @import { Tx } from "./database.js" */
/** @import { Fields } from "./encoding.js" */
/** @import { Row } from "./tables.js" */

/** @typedef {[collection: string, id: string]} Key */

/** The states of a mutation without a final result. */
export const OPEN = Object.freeze(["new", "sent", "aborted"]);

/** @param {Row} row */
export function isOpen(row) {
  return OPEN.includes(row.state);
}

/**
 * The server's record as the store has it.
 * @param {Tx} tx
 * @param {Key} key
 */
export function serverRow(tx, key) {
  return tx.records.get(key);
}

/**
 * The outbox's rows of one object, oldest first.
 * @param {Tx} tx
 * @param {Key} key
 */
export async function rowsOn(tx, key) {
  const rows = await tx.list("outbox", { index: "object", only: key });
  return rows.sort((one, other) => one.seq - other.seq);
}

/**
 * The outbox's rows of a collection by object, each object's oldest first.
 * @param {Tx} tx
 * @param {string} collection
 */
export async function mutationsByObject(tx, collection) {
  /** @type {Map<string, Row[]>} */
  const found = new Map();
  for (const row of await tx.list("outbox", { index: "object", only: [collection] })) {
    found.set(row.objectId, [...(found.get(row.objectId) ?? []), row]);
  }
  for (const rows of found.values()) rows.sort((one, other) => one.seq - other.seq);
  return found;
}

/**
 * Apply mutations to the server's object, in order; `null` where the user sees nothing. An update of
 * an object that is not there shows nothing: the user no longer sees the record.
 * @param {Fields | null} server
 * @param {Row[]} mutations
 * @returns {Fields | null}
 */
export function applyMutations(server, mutations) {
  let seen = server;
  for (const { op, fields } of mutations) {
    if (op === "create") seen = { ...seen, ...fields };
    else if (op === "update" && seen !== null) seen = { ...seen, ...fields };
    else if (op === "delete") seen = null;
  }
  return seen;
}

/**
 * The record that the user sees, of what the store has of one object.
 * @param {Key} key
 * @param {Row | undefined} row
 * @param {Row[]} mutations
 * @returns {Record | null}
 */
export function seenRecord([collection, id], row, mutations) {
  if (mutations.length === 0) {
    if (row === undefined || row.gone) return null;
    return new Record(collection, id, row.revision, row.scope, row.object);
  }
  const seen = applyMutations(row?.object ?? null, mutations);
  if (seen === null) return null;
  const pending = mutations.some((mutation) => mutation.state !== "settled");
  return new Record(collection, id, row?.revision ?? 0, row?.scope ?? null, seen, pending);
}

/**
 * The record that the user sees under this key.
 * @param {Tx} tx
 * @param {Key} key
 */
export async function visible(tx, key) {
  const [row, mutations] = await Promise.all([serverRow(tx, key), rowsOn(tx, key)]);
  return seenRecord(key, row, mutations);
}

/** @param {Row[]} rows @returns {Mutation[]} */
export function mutationsOf(rows) {
  return rows.map(mutationOf);
}

/**
 * @typedef {Map<string, Set<string>>} Filling Collections that were empty when a snapshot of them
 *   began, and the ids that have come into them since: an id that is not among these need not be read.
 */

/** @typedef {{changes: Change[], touched: Key[]}} Seen What a write has changed for the user. */

/**
 * Compares what the user saw of some objects with what is seen after a write. It keeps the records
 * that it read, and those that are put through it, so that a page reads each once.
 */
export class ChangeWatch {
  #tx;
  #origin;
  /** @type {Map<string, {key: Key, before: Record | null}>} */
  #looked = new Map();
  /** @type {Map<string, Row | undefined>} */
  #rows = new Map();
  #busy;
  #filling;

  /**
   * @param {Tx} tx
   * @param {"local" | "remote"} origin
   * @param {ReadonlySet<string> | null} [busy] the objects with entries in the outbox, spelled by
   *   `spelled`; `null` where that is not known
   * @param {Filling} [filling] collections of which it is known what they hold
   */
  constructor(tx, origin, busy = null, filling = new Map()) {
    this.#tx = tx;
    this.#origin = origin;
    this.#busy = busy;
    this.#filling = filling;
  }

  /**
   * Remember how these objects are seen now, before they are written.
   * @param {Key[]} keys
   */
  async look(keys) {
    const others = [];
    for (const key of keys) {
      if (this.#isNew(key)) this.#looked.set(keyText(key), { key, before: null });
      else if (!this.#looked.has(keyText(key))) others.push(key);
    }
    await this.#tx.records.expect(others);
    const before = await Promise.all(others.map((key) => this.#seen(key)));
    others.forEach((key, at) => {
      if (!this.#looked.has(keyText(key))) this.#looked.set(keyText(key), { key, before: before[at] });
    });
  }

  /** Whether it is known, without reading, that the store does not have it. @param {Key} key */
  #isNew(key) {
    const [collection, id] = key;
    const name = keyText(key);
    const known = this.#filling.get(collection);
    if (known === undefined || known.has(id) || this.#busy === null || this.#busy.has(name)) return false;
    return !this.#rows.has(name) && !this.#looked.has(name);
  }

  /** The server's record. @param {Key} key */
  async row(key) {
    const name = keyText(key);
    if (!this.#rows.has(name)) {
      const known = this.#filling.get(key[0]);
      if (known !== undefined && !known.has(key[1])) return undefined;
      const row = await serverRow(this.#tx, key);
      if (!this.#rows.has(name)) this.#rows.set(name, row);
    }
    return this.#rows.get(name);
  }

  /** Write a record of the server's. @param {Row} row */
  put(row) {
    this.#rows.set(keyText([row.collection, row.id]), row);
    const known = this.#filling.get(row.collection);
    const isNew = known !== undefined && !known.has(row.id);
    known?.add(row.id);
    this.#tx.records.put(row, isNew);
  }

  /** Remove a record of the server's. @param {Key} key */
  forget(key) {
    this.#rows.set(keyText(key), undefined);
    this.#tx.records.remove(key);
  }

  /** What has changed since, in the order of the calls of `look()`. @returns {Promise<Seen>} */
  async seen() {
    const looked = [...this.#looked.values()];
    const now = await Promise.all(looked.map(({ key }) => this.#seen(key)));
    /** @type {Change[]} */
    const changes = [];
    looked.forEach(({ key: [collection, id], before }, at) => {
      const record = now[at];
      if (before === record) return; // both null
      if (before !== null && record !== null && before.looksLike(record)) return;
      const kind = before === null ? "created" : record === null ? "deleted" : "updated";
      changes.push({ kind, collection, id, record, before, origin: this.#origin });
    });
    return { changes, touched: looked.map(({ key }) => key) };
  }

  /** @param {Key} key */
  async #seen(key) {
    const quiet = this.#busy !== null && !this.#busy.has(keyText(key));
    const mutations = quiet ? [] : await rowsOn(this.#tx, key);
    return seenRecord(key, await this.row(key), mutations);
  }
}

/** @param {Key} key */
export function keyText(key) {
  return key.join("/");
}

/**
 * Open conflicts: what the user sees, what they may decide, and which mutation that becomes.
 *
 * A conflict's mutation stays on top of the record until it is settled, so the user still sees what
 * they typed. Later edits of the object wait meanwhile, and become a part of the decision:
 *
 * - `keepClient` sends the conflict's mutation and the later edits as one new mutation on the
 *   server's revision;
 * - `merge` does the same with the given values on top;
 * - where the server deleted the object, both ask for it back, whole;
 * - `keepServer` drops the conflict's mutation; later edits of *other* fields go on as a new
 *   mutation, those of the same fields are dropped with it.
 */

import { mutationOf, Record } from "./types.js";
import { draft } from "./store/compaction.js";
import { isObject, toJson } from "./store/encoding.js";
import { append } from "./store/outbox.js";
import { rowsOn } from "./store/overlay.js";

/** @import { Mutation } from "./types.js" */
/** @import { Draft } from "./store/compaction.js" */
/** @import { Tx } from "./store/database.js" */
/** @import { Fields } from "./store/encoding.js" */
/** @import { Key } from "./store/overlay.js" */
/** @import { Row } from "./store/tables.js" */

/** A decision about one conflict. It does nothing until it is returned or settled with. */
export class Resolution {
  /** @internal @param {"server" | "client" | "merged"} kept @param {Fields | null} [values] */
  constructor(kept, values = null) {
    /** Whose version stays. */
    this.kept = kept;
    /** Of a merge. */
    this.values = values;
  }
}

/** A mutation that overlaps with another's change, and that no resolver on the server settled. */
export class Conflict {
  #settle;

  /**
   * @internal
   * @param {Row} row of the outbox
   * @param {Row} stored of the conflicts
   * @param {(conflict: Conflict, resolution: Resolution) => Promise<boolean>} settle
   */
  constructor(row, stored, settle) {
    this.#settle = settle;
    /** What was asked for, and is not done. @type {Mutation} */
    this.mutation = mutationOf(row);
    /** `update_update`, `update_delete`, `delete_update`, `create_create` or `unknown_base`. */
    this.kind = String(stored.kind);
    /** The names of the fields that clashed. @type {string[]} */
    this.fields = stored.fields;
    /** The values that the mutation was made on; `null` where they are not known. @type {Fields | null} */
    this.base = stored.base;
    /** The server's record; `null` where it was deleted there. @type {Record | null} */
    this.server = serverOf(stored.server, row);
    /** Of that record, or of the tombstone. */
    this.serverRevision = Number(stored.server.revision ?? 0);
    /** The feed's history that the revision is of. @type {string | null} */
    this.epoch = stored.epoch;
  }

  /** Its object's collection. */
  get collection() {
    return this.mutation.collection;
  }

  /** The object's id. */
  get id() {
    return this.mutation.objectId;
  }

  /** What the user asked for. */
  get client() {
    return this.mutation.fields;
  }

  /** The server's version stays; the local change is dropped. @returns {Resolution} */
  keepServer() {
    return new Resolution("server");
  }

  /** The local change is asked for again, on the server's revision. @returns {Resolution} */
  keepClient() {
    return new Resolution("client");
  }

  /**
   * These values are asked for, on the server's revision; others as the client has them.
   * @param {Fields} values
   * @returns {Resolution}
   */
  merge(values) {
    return new Resolution("merged", toJson(values));
  }

  /**
   * Carry out a decision; `false` where the conflict is no longer open.
   * @param {Resolution} resolution
   * @returns {Promise<boolean>}
   */
  settle(resolution) {
    return this.#settle(this, resolution);
  }
}

/** @param {Fields} server @param {Row} row */
function serverOf(server, { collection, objectId }) {
  if (!isObject(server.object)) return null;
  return new Record(collection, objectId, Number(server.revision ?? 0), server.scope ?? null, server.object);
}

/**
 * Store the conflict that a result reports.
 * @param {Tx} tx
 * @param {Row} row the mutation
 * @param {Fields} details
 */
export function keepConflict(tx, row, details) {
  tx.put("conflicts", {
    seq: row.seq,
    kind: String(details.kind),
    fields: Array.isArray(details.fields) ? details.fields.map(String) : [],
    base: isObject(details.base) ? details.base : row.base,
    server: isObject(details.server) ? details.server : { deleted: true },
    epoch: tx.meta.epoch,
  });
}

/**
 * The conflicts that wait for a decision, oldest first.
 * @param {Tx} tx
 * @param {(conflict: Conflict, resolution: Resolution) => Promise<boolean>} settle
 */
export async function openConflicts(tx, settle) {
  const found = await tx.list("conflicts");
  const rows = await Promise.all(found.map(({ seq }) => tx.get("outbox", seq)));
  return found.flatMap((stored, at) => {
    const row = rows[at];
    return row === undefined ? [] : [new Conflict(row, stored, settle)];
  });
}

/**
 * Replace the conflict's mutation, and the later edits, by what was decided.
 *
 * The new mutation is based on the revision that `conflict` shows, not on one that a pull brought
 * since: the user has not seen that one.
 * @param {Tx} tx
 * @param {Conflict} conflict
 * @param {Resolution} resolution
 * @returns {Promise<boolean>} whether it was open still
 */
export async function settleConflict(tx, conflict, resolution) {
  const { seq, id } = conflict.mutation;
  const [row, stored] = await Promise.all([tx.get("outbox", seq), tx.get("conflicts", seq)]);
  if (row === undefined || stored === undefined || row.id !== id) return false;
  const later = await takeBack(tx, row);
  const made = decided(conflict, later, resolution);
  if (made !== null) append(tx, [conflict.collection, conflict.id], made);
  return true;
}

/**
 * Remove the mutation and the later ones of its object; return the later ones. Those have no result
 * that the server keeps (`new`, `aborted`), so their content may go out under another id.
 * @param {Tx} tx
 * @param {Row} row
 */
async function takeBack(tx, row) {
  const later = (await rowsOn(tx, [row.collection, row.objectId])).filter(
    (other) => other.seq > row.seq && (other.state === "new" || other.state === "aborted"),
  );
  for (const { seq } of [row, ...later]) {
    tx.delete("outbox", seq);
    tx.delete("conflicts", seq);
  }
  return later;
}

/** @param {Tx} tx @param {Key} key */
async function conflictsOn(tx, key) {
  return (await rowsOn(tx, key)).filter((row) => row.state === "conflict");
}

/**
 * Show the server's newer record, or the tombstone, in an open conflict on it.
 * @param {Tx} tx
 * @param {string} epoch
 * @param {Fields} record
 */
export async function refreshConflicts(tx, epoch, record) {
  for (const row of await conflictsOn(tx, [record.collection, record.id])) {
    const stored = await tx.get("conflicts", row.seq);
    if (stored === undefined) continue;
    tx.put("conflicts", { ...stored, server: record, epoch, kind: currentKind(row.op, stored.kind, record) });
  }
}

/** What a conflict's kind is once the server has deleted the object, or has it again. @param {string} op @param {string} kind @param {Fields} record */
function currentKind(op, kind, record) {
  if (record.deleted) return op === "delete" ? kind : "update_delete";
  if (kind !== "update_delete") return kind;
  return op === "create" ? "create_create" : "update_update";
}

/**
 * The user no longer sees the objects: send what they typed, forget the rest.
 * @param {Tx} tx
 * @param {Key[]} keys
 */
export async function releaseConflicts(tx, keys) {
  for (const key of keys) {
    for (const row of await conflictsOn(tx, key)) {
      const { op, fields } = withLater(row, await takeBack(tx, row));
      const baseRevision = op === "create" ? null : (row.baseRevision ?? 0);
      append(tx, key, draft(op, fields, { baseRevision, epoch: row.epoch }));
    }
  }
}

/**
 * The objects of conflicts whose records a later complete pull did not show: a `drop` came before
 * the result that reported them.
 * @param {Tx} tx
 * @param {number} pull
 * @returns {Promise<Key[]>}
 */
export async function unseenConflicts(tx, pull) {
  /** @type {Key[]} */
  const found = [];
  for (const row of await tx.list("outbox", { index: "state", only: "conflict" })) {
    if (row.settledPull >= pull) continue;
    /** @type {Key} */
    const key = [row.collection, row.objectId];
    const [stored, record] = await Promise.all([tx.get("conflicts", row.seq), tx.records.get(key)]);
    if (stored !== undefined && !stored.server.deleted && record === undefined) found.push(key);
  }
  return found;
}

/** What the client asks for in all: the mutation with the later edits in it. @param {Row} row @param {Row[]} later */
function withLater(row, later) {
  let { op, fields } = /** @type {{op: Draft["op"], fields: Fields}} */ (row);
  for (const edit of later) {
    if (edit.op === "delete") [op, fields] = ["delete", {}];
    else [op, fields] = [op === "delete" ? "update" : op, { ...fields, ...edit.fields }];
  }
  return { op, fields };
}

/**
 * The mutation that a decision becomes, or `null` for none. Pure.
 * @param {Conflict} conflict
 * @param {Row[]} later
 * @param {Resolution} resolution
 * @returns {Draft | null}
 */
export function decided(conflict, later, resolution) {
  let { op, fields } = withLater(/** @type {any} */ (conflict.mutation), later);
  const { server, serverRevision: baseRevision, epoch } = conflict;
  if (resolution.kept === "server") {
    const asked = conflict.mutation.fields;
    fields = Object.fromEntries(Object.entries(fields).filter(([name]) => !Object.hasOwn(asked, name)));
    if (op === "delete" || server === null || Object.keys(fields).length === 0) return null;
  } else if (resolution.values !== null) {
    [op, fields] = ["update", { ...fields, ...resolution.values }];
  }
  if (op === "delete") return draft("delete", {}, { baseRevision, epoch });
  if (server === null) return draft("update", fields, { baseRevision, epoch, whole: true });
  const base = Object.fromEntries(
    Object.keys(fields).filter((name) => Object.hasOwn(server.object, name)).map((name) => [name, server.object[name]]),
  );
  return draft("update", fields, { baseRevision, epoch, base: Object.keys(base).length ? base : null });
}

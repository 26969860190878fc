/**
 * The outbox: local writes, what is sent of them, and what the results do to them.
 *
 * A write is one transaction with its entry. Nothing here writes server state: a result only moves
 * its entry on. `seq` always rises, over restarts too.
 */

import { newId } from "../ids.js";
import { draft, compact, mentions } from "./compaction.js";
import { isOpen, rowsOn, serverRow, keyText } from "./overlay.js";

/** @import { Mutation } from "../types.js" */
/** @import { Draft } from "./compaction.js" */
/** @import { Tx } from "./database.js" */
/** @import { Fields } from "./encoding.js" */
/** @import { Key } from "./overlay.js" */
/** @import { Row } from "./tables.js" */

/** Later entries that compaction looks through at most. */
const LONGEST_LOOK = 200;

/** Entries read at a time. */
const CHUNK = 500;

/** @typedef {{row: Row, body: string}} Outgoing A mutation with the text that is sent for it from now on. */

/** Objects whose mutations wait because an earlier one could not be sent. */
export class Blocked {
  /** @type {Set<string>} */
  #keys = new Set();
  /** @type {string[]} */
  #created = [];

  /** @param {Row} row */
  add(row) {
    this.#keys.add(keyText([row.collection, row.objectId]));
    if (row.op === "create") this.#created.push(row.objectId);
  }

  /** @param {Row} row */
  has(row) {
    if (this.#keys.has(keyText([row.collection, row.objectId]))) return true;
    return this.#created.some((id) => mentions(row.fields, id));
  }
}

/**
 * Enter a local write; merge it into an earlier entry where that changes nothing for others.
 * @param {Tx} tx
 * @param {Key} key
 * @param {"create" | "update" | "delete"} op
 * @param {Fields} fields
 */
export async function enter(tx, key, op, fields) {
  const entries = await rowsOn(tx, key);
  const asked = await draftOf(tx, key, op, fields, entries);
  const last = entries.at(-1);
  if (last === undefined || last.state !== "new") {
    append(tx, key, asked);
    return;
  }
  const near = await neighbours(tx, last, op);
  if (near === null) {
    append(tx, key, asked);
    return;
  }
  const decision = compact(asked, last, near.between, near.mentioned);
  if (decision.kind === "append") append(tx, key, asked);
  else if (decision.kind === "cancel") tx.delete("outbox", last.seq);
  else tx.put("outbox", { ...last, ...decision.draft });
}

/**
 * Put a mutation at the end, whatever came before.
 * @param {Tx} tx
 * @param {Key} key
 * @param {Draft} asked
 */
export function append(tx, [collection, objectId], asked) {
  const seq = tx.meta.seq + 1;
  tx.set({ seq });
  tx.put("outbox", {
    seq, id: newId(), collection, objectId, ...asked, whole: asked.whole ?? false,
    at: new Date().toISOString(), state: "new", body: null, settledPull: null,
    settledRevision: null,
  });
}

/** What came behind an entry; `null` where that is too much to look through. @param {Tx} tx @param {Row} last @param {string} op */
async function neighbours(tx, last, op) {
  const between = await tx.list("outbox", { after: last.seq, limit: LONGEST_LOOK });
  if (between.length === LONGEST_LOOK) return null;
  if (op !== "delete") return { between, mentioned: false };
  const all = await tx.list("outbox");
  const mentioned = all.some((row) => row.seq !== last.seq && mentions(row.fields, last.objectId));
  return { between, mentioned };
}

/** The outbox behind a `seq`, in order, read no further than it is walked. @param {Tx} tx @param {number} after @returns {AsyncGenerator<Row, void>} */
async function* behind(tx, after) {
  for (;;) {
    const rows = await tx.list("outbox", { after, limit: CHUNK });
    yield* rows;
    if (rows.length < CHUNK) return;
    after = rows[rows.length - 1].seq;
  }
}

/**
 * The draft with the server's state that the user knew when making it.
 *
 * A field that an earlier local mutation has set shows that mutation's value. So the base that the
 * user knew of it is the earlier mutation's; they have not seen a newer value of the server. Results
 * do not raise the base either: only a pull makes a value known.
 * @param {Tx} tx
 * @param {Key} key
 * @param {"create" | "update" | "delete"} op
 * @param {Fields} fields
 * @param {Row[]} entries
 * @returns {Promise<Draft>}
 */
async function draftOf(tx, key, op, fields, entries) {
  if (op === "create") return draft(op, fields);
  const row = await serverRow(tx, key);
  const hidden = row === undefined || Boolean(row.gone);
  const over = entries.filter(
    (entry) => hidden || op === "delete" || Object.keys(entry.fields).some((n) => Object.hasOwn(fields, n)),
  );
  const first = over[0];
  const baseRevision = first ? (first.baseRevision ?? 0) : (row?.revision ?? 0);
  const epoch = (first ? first.epoch : tx.meta.epoch) ?? tx.meta.epoch;
  if (op === "delete") return draft(op, {}, { baseRevision, epoch });
  const known = !hidden && row.revision === baseRevision ? only(row.object, fields) : {};
  const base = Object.assign(known, ...over.map((entry) => only(entry.base, fields)).reverse());
  return draft(op, fields, { baseRevision, epoch, base: Object.keys(base).length ? base : null });
}

/** Those of `values` that are among `fields`. @param {Fields | null} values @param {Fields} fields */
function only(values, fields) {
  return Object.fromEntries(
    Object.entries(values ?? {}).filter(([name]) => Object.hasOwn(fields, name)),
  );
}

/**
 * Whether something waits that has never been sent and may be.
 * @param {Tx} tx
 */
export async function hasNew(tx) {
  const unsent = await tx.list("outbox", { index: "state", only: "new" });
  if (unsent.length === 0) return false;
  const held = await heldBack(tx);
  return unsent.some((row) => !held.has(keyText([row.collection, row.objectId])));
}

/** Objects with an open conflict. @param {Tx} tx */
async function heldBack(tx) {
  const conflicts = await tx.list("outbox", { index: "state", only: "conflict" });
  return new Set(conflicts.map((row) => keyText([row.collection, row.objectId])));
}

/**
 * Mark the next batch as sent and fix its bytes, before any of it goes out.
 *
 * What was sent and never answered goes first and again; later edits of an object with an open
 * conflict are held back until it is settled. Only what has its `seq` in the span is taken.
 * @param {Tx} tx
 * @param {{from: number, to: number}} span
 * @param {number} limit mutations
 * @param {number} maxBytes
 * @param {Blocked} blocked
 * @returns {Promise<Outgoing[]>}
 */
export async function take(tx, { from, to }, limit, maxBytes, blocked) {
  const held = await heldBack(tx);
  /** @type {Outgoing[]} */
  const batch = [];
  let size = 0;
  for await (const row of behind(tx, from - 1)) {
    if (row.seq >= to) break;
    if (!isOpen(row)) continue;
    if (blocked.has(row)) {
      blocked.add(row);
      continue;
    }
    if (row.state !== "sent" && held.has(keyText([row.collection, row.objectId]))) continue;
    const body = row.body ?? wireBody(await whole(tx, row), tx.meta.epoch ?? tx.meta.serverEpoch);
    size += bytes(body) + 1;
    if (batch.length > 0 && (batch.length === limit || size > maxBytes)) break;
    batch.push({ row, body });
  }
  for (const { row, body } of batch) tx.put("outbox", { ...row, state: "sent", body });
  return batch;
}

/** With the last known record beneath, where the mutation brings its object back. @param {Tx} tx @param {Row} row */
async function whole(tx, row) {
  if (!row.whole || row.op !== "update") return row;
  const known = await serverRow(tx, [row.collection, row.objectId]);
  return known === undefined ? row : { ...row, fields: { ...known.object, ...row.fields } };
}

/**
 * The mutation as it is in a request. Where no pull has brought its object yet, the epoch is
 * that of now.
 * @param {Row} row
 * @param {string | null} epoch
 */
function wireBody(row, epoch) {
  return JSON.stringify({
    id: row.id,
    seq: row.seq,
    op: row.op,
    collection: row.collection,
    object_id: row.objectId,
    base_revision: row.baseRevision,
    epoch: row.epoch ?? (row.op === "create" ? undefined : (epoch ?? undefined)),
    fields: row.fields,
    base: row.base ?? undefined,
    at: row.at,
  });
}

const encoder = new TextEncoder();

/** @param {string} text */
export function bytes(text) {
  return encoder.encode(text).length;
}

/**
 * Move a sent entry on to the state that its result has; `undefined` where it is no longer open.
 * @param {Tx} tx
 * @param {number} seq
 * @param {Mutation["state"]} state
 * @param {number} revision the object's after it, from the result
 */
export async function finish(tx, seq, state, revision) {
  const row = await tx.get("outbox", seq);
  if (row === undefined || !isOpen(row)) return undefined;
  const settled = state === "settled" || state === "conflict";
  const ends = { body: null, settledPull: tx.meta.pulls, settledRevision: revision };
  tx.put("outbox", { ...row, state, ...(settled ? ends : {}) });
  return row;
}

/**
 * Remove settled mutations whose effect is in the records.
 *
 * With pulls they stay until the end of the first complete pull that began after the result. A socket
 * is one pull that does not end; there the object's revision shows it: the revision that the result
 * named, or a later one, has their effect in it.
 * @param {Tx} tx
 * @param {(key: Key) => Promise<Row | undefined>} record
 */
export async function removeSettled(tx, record) {
  for (const row of await tx.list("outbox", { index: "state", only: "settled" })) {
    const known = await record([row.collection, row.objectId]);
    if (known !== undefined && known.revision >= row.settledRevision) tx.delete("outbox", row.seq);
  }
}

/**
 * Keep only what the user typed in these objects' entries. The server's values go from the disk, also
 * out of bodies that were sent: the user no longer sees the objects, and the server can only refuse
 * the mutations now.
 * @param {Tx} tx
 * @param {Key[]} keys
 */
export async function stripServerValues(tx, keys) {
  for (const key of keys) {
    for (const row of await rowsOn(tx, key)) {
      let body = null;
      if (row.body !== null && (row.state === "sent" || row.state === "aborted")) {
        const { base: _, ...kept } = { ...JSON.parse(row.body), fields: row.fields };
        body = JSON.stringify(kept);
      }
      tx.put("outbox", { ...row, base: null, body });
    }
  }
}

/** What the server's results do to the outbox: they move entries on and write nothing else. */

import { keepConflict } from "../conflicts.js";
import { log } from "../log.js";
import { mutationOf, Rejection } from "../types.js";
import { isObject } from "./encoding.js";
import { finish, removeSettled } from "./outbox.js";
import { keyText, ChangeWatch } from "./overlay.js";

/** @import { Counts, Mutation } from "../types.js" */
/** @import { Tx } from "./database.js" */
/** @import { Fields } from "./encoding.js" */
/** @import { Outgoing } from "./outbox.js" */
/** @import { Seen } from "./overlay.js" */
/** @import { Row } from "./tables.js" */

/**
 * @typedef {object} Settled The effects of a batch of results, reported after the commit.
 * @property {number} final
 * @property {Seen} seen
 * @property {number[]} conflicts by `seq`
 * @property {number[]} rejections by `seq`
 */

/** @type {Readonly<Record<string, Mutation["state"]>>} */
const STATES = {
  applied: "settled", merged: "settled", conflict: "conflict", aborted: "aborted", rejected: "aborted",
};

/**
 * Enter the results of a batch, within one transaction. A result of a mutation that was not in the
 * batch, or of a status that this version does not know, is skipped: the mutation is sent again.
 * @param {Tx} tx
 * @param {Outgoing[]} batch
 * @param {unknown[]} results
 * @param {Counts} counts
 * @returns {Promise<Settled>}
 */
export async function enterResults(tx, batch, results, counts) {
  const asked = new Map(batch.map(({ row }) => [row.id, row]));
  const watch = new ChangeWatch(tx, "remote");
  const busy = batch.map(({ row }) => /** @type {[string, string]} */ ([row.collection, row.objectId]));
  await watch.look([...new Map(busy.map((key) => [keyText(key), key])).values()]);
  /** @type {Settled} */
  const settled = { final: 0, seen: { changes: [], touched: [] }, conflicts: [], rejections: [] };
  for (const result of results) {
    const id = isObject(result) ? String(result.id) : "";
    const row = asked.get(id);
    asked.delete(id);
    if (row === undefined) log.warn("The server sent a result for a mutation that was not sent:", result);
    else await enterResult(tx, row, /** @type {Fields} */ (result), counts, settled);
  }
  if (tx.meta.stream !== 0) await removeSettled(tx, (key) => watch.row(key));
  if (asked.size > 0) log.warn(`${asked.size} mutations had no result and are sent again.`);
  settled.seen = await watch.seen();
  return settled;
}

/** @param {Tx} tx @param {Row} sent @param {Fields} result @param {Counts} counts @param {Settled} settled */
async function enterResult(tx, sent, result, counts, settled) {
  const status = String(result.status);
  if (!Object.hasOwn(STATES, status)) {
    log.warn(`Status “${status}” is unknown; the mutation stays.`);
    return;
  }
  // Absent where the user no longer sees the object.
  const revision = Number.isSafeInteger(result.revision) ? result.revision : 0;
  const row = await finish(tx, sent.seq, STATES[status], revision);
  if (row === undefined) return; // Another tab had the result first.
  counts.sent += 1;
  if (status === "aborted") {
    counts.aborted += 1;
    return;
  }
  if (status === "conflict") {
    counts.conflicts += 1;
    keepConflict(tx, row, isObject(result.conflict) ? result.conflict : {});
    settled.conflicts.push(row.seq);
  } else if (status === "rejected") {
    counts.rejected += 1;
    reject(tx, row, isObject(result.problem) ? result.problem : {});
    settled.rejections.push(row.seq);
  } else {
    counts[/** @type {"applied" | "merged"} */ (status)] += 1;
  }
  settled.final += 1;
}

/** Remove the mutation from the outbox, but keep it until a handler was called with it. @param {Tx} tx @param {Row} row @param {Fields} problem */
function reject(tx, row, problem) {
  tx.delete("outbox", row.seq);
  tx.put("rejections", { seq: row.seq, mutation: { ...mutationOf(row), base: null }, problem });
}

/**
 * Refused mutations with which no handler was called yet, by `seq`.
 * @param {Tx} tx
 * @returns {Promise<Map<number, Rejection>>}
 */
export async function rejectionsOf(tx) {
  const rows = await tx.list("rejections");
  return new Map(rows.map((row) => [row.seq, new Rejection(row.mutation, row.problem)]));
}

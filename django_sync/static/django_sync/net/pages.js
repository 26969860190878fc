/** Reads pages leniently: what a newer server adds is skipped with a warning. Pure. */

import { Captive, Offline } from "../errors.js";
import { log } from "../log.js";
import { isObject, isText } from "../store/encoding.js";

/** @import { Fields } from "../store/encoding.js" */

/**
 * @typedef {{op: "put", collection: string, id: string, revision: number, scope: string, object: Fields}} Put
 * @typedef {{op: "delete", collection: string, id: string, revision: number}} Delete
 * @typedef {{op: "remove", collection: string, id: string}} Remove
 * @typedef {{op: "drop", collection: string, scope: string}} Drop
 * @typedef {{op: "begin", collection: string}} Begin
 * @typedef {Put | Delete | Remove | Drop | Begin} WireChange
 */

/**
 * @typedef {object} Page
 * @property {WireChange[]} changes
 * @property {string} cursor
 * @property {boolean} hasMore
 * @property {string} epoch
 * @property {{done: number, total: number} | null} snapshot
 */

/** @type {Readonly<Record<string, Record<string, (value: any) => boolean>>>} */
const MEMBERS = {
  put: { id: isText, revision: Number.isSafeInteger, scope: isText, object: isObject },
  delete: { id: isText, revision: Number.isSafeInteger },
  remove: { id: isText },
  drop: { scope: isText },
  begin: {},
};

/**
 * Read a pull's answer; throws `Captive` where it does not come from a django_sync server.
 * @param {any} body
 * @returns {Page}
 */
export function readPage(body) {
  const { changes, cursor, has_more: hasMore, epoch, snapshot } = body;
  if (!Array.isArray(changes) || !isText(cursor) || typeof hasMore !== "boolean" || !isText(epoch)) {
    throw new Captive("The answer is not a page of a django_sync server.");
  }
  const read = /** @type {WireChange[]} */ (changes.filter(isKnown));
  if (read.length < changes.length) {
    log.warn(`Skipped ${changes.length - read.length} changes of a kind that this version does not know.`);
  }
  const counted = isObject(snapshot) && Number.isFinite(snapshot.done) && Number.isFinite(snapshot.total);
  const progress = counted ? { done: snapshot.done, total: snapshot.total } : null;
  return { changes: read, cursor, hasMore, epoch, snapshot: progress };
}

/** @param {any} change */
function isKnown(change) {
  if (!isObject(change) || !isText(change.op)) throw new Offline("A change cannot be read.");
  const members = Object.hasOwn(MEMBERS, change.op) ? MEMBERS[change.op] : null;
  if (members === null) return false;
  const sound =
    isText(change.collection) &&
    Object.entries(members).every(([name, accepts]) => accepts(change[name]));
  if (!sound) throw new Offline(`A change “${change.op}” lacks members.`);
  return true;
}

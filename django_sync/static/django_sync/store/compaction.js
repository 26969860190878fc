/**
 * Whether a mutation is merged into one that was never sent. Pure decisions.
 *
 * Only little may be merged, because the server sees the outbox's order, and other mutations may
 * depend on it:
 *
 * - *directly behind*: nothing of another object lies between the two;
 * - an update of what is *created* here may also pass creates that neither mention the object nor
 *   are mentioned in the update;
 * - a create and its delete *cancel* each other where nothing else in the outbox mentions the object.
 *
 * A mutation that was sent is never changed: its body is fixed under its id.
 */

/** @import { Fields } from "./encoding.js" */
/** @import { Row } from "./tables.js" */

/**
 * @typedef {object} Draft A mutation to be: what is asked, and the server's state it was made on.
 * @property {"create" | "update" | "delete"} op
 * @property {Fields} fields
 * @property {number | null} baseRevision
 * @property {string | null} epoch
 * @property {Fields | null} base
 * @property {boolean} [whole] it brings a deleted object back: sent with the last known record
 *   beneath its fields
 */

/** @typedef {{kind: "append"} | {kind: "merge", draft: Draft} | {kind: "cancel"}} Decision */

/** @type {Decision} */
const APPEND = Object.freeze({ kind: "append" });

/**
 * @param {"create" | "update" | "delete"} op
 * @param {Fields} fields
 * @param {Partial<Draft>} [more]
 * @returns {Draft}
 */
export function draft(op, fields, more = {}) {
  return { op, fields, baseRevision: null, epoch: null, base: null, ...more };
}

/**
 * Whether some fields name an object.
 * @param {Fields} fields
 * @param {string} objectId
 */
export function mentions(fields, objectId) {
  return JSON.stringify(fields).includes(objectId);
}

/**
 * Decide about a draft.
 * @param {Draft} wanted
 * @param {Row | undefined} last the newest outbox entry of the same object
 * @param {Row[]} between what other objects' entries came after it
 * @param {boolean} mentioned whether any other entry of the outbox names the object
 * @returns {Decision}
 */
export function compact(wanted, last, between, mentioned) {
  if (last === undefined || last.state !== "new") return APPEND;
  const fields = { ...last.fields, ...wanted.fields };
  switch (`${last.op} ${wanted.op}`) {
    case "create update":
      return canPass(wanted, last, between) ? { kind: "merge", draft: draft("create", fields) } : APPEND;
    case "create delete":
      return mentioned ? APPEND : { kind: "cancel" };
    case "update update":
      return between.length === 0 && sameBase(wanted, last) ? compacted(wanted, last, fields) : APPEND;
    case "update delete":
      return between.length === 0 ? { kind: "merge", draft: onBaseOf(last, "delete", {}) } : APPEND;
  }
  return APPEND;
}

/** @param {Draft} wanted @param {Row} last @param {Row[]} between */
function canPass(wanted, last, between) {
  return between.every(
    (other) =>
      other.op === "create" &&
      !mentions(other.fields, last.objectId) &&
      !mentions(wanted.fields, other.objectId),
  );
}

/** @param {Draft} wanted @param {Row} last */
function sameBase(wanted, last) {
  const made = wanted.baseRevision === last.baseRevision && wanted.epoch === last.epoch;
  return made || Object.keys(wanted.fields).every((name) => Object.hasOwn(last.fields, name));
}

/** @param {Draft} wanted @param {Row} last @param {Fields} fields @returns {Decision} */
function compacted(wanted, last, fields) {
  const base = { ...wanted.base, ...last.base };
  const known = Object.keys(base).length > 0 ? base : null;
  return { kind: "merge", draft: { ...onBaseOf(last, "update", fields), base: known } };
}

/** @param {Row} last @param {"update" | "delete"} op @param {Fields} fields */
function onBaseOf(last, op, fields) {
  return draft(op, fields, { baseRevision: last.baseRevision, epoch: last.epoch });
}

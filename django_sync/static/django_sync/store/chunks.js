/**
 * What a chunk is: records of one collection and generation that are stored together in a few
 * rows, not in one row each, since each row costs IndexedDB time. Pure.
 *
 * A chunk has three parts. Its *summary* is small and may change: it has the first and the last id,
 * and the positions whose records are not valid any more. Its *columns* are the ids, and for each
 * indexed field the values in order. Its *content* is the records, each object as JSON text, so that
 * reading one record parses only that one. Columns and content never change, and no number is used
 * twice. So a copy in memory is valid as long as the summary exists.
 */

import { orderOf } from "./indexes.js";

/** @import { Column } from "./indexes.js" */
/** @import { Row } from "./tables.js" */

/**
 * @typedef {object} Summary
 * @property {string} collection
 * @property {number} number
 * @property {number} generation of all its records
 * @property {string[]} scopes that occur in it
 * @property {string} first id
 * @property {string} last id
 * @property {number} count of records, including those that are gone
 * @property {number} weight characters of all its records' JSON
 * @property {ReadonlySet<number>} gone positions of records that were changed, moved or removed since
 * @property {string[]} fields that it has a stored column of
 */

/**
 * @typedef {object} Content
 * @property {number} number
 * @property {number[]} revisions
 * @property {string | string[]} scopes one for all, or each record's
 * @property {string[]} objects as JSON
 */

/** @typedef {{summary: Summary, ids: string[], columns: Map<string, Column>, content: Content}} Chunk */

/** @typedef {{size: number, least: number, singles: number}} Sizes All in records: `size` is the most of a chunk, `least` the fewest, `singles` how many may stay outside of chunks. */

/** @type {Readonly<Sizes>} */
export const SIZES = Object.freeze({ size: 250, least: 50, singles: 1_000 });

/** Characters of JSON in a chunk at most, unless one record has more: reading a record reads its whole chunk. */
export const WEIGHT = 250_000;

/** @typedef {{row: Row, text: string}} Part A record and its object as JSON. */

/**
 * Rows of one collection and generation as chunks of about equal size.
 * @param {Row[]} rows
 * @param {number} size
 * @returns {Part[][]} each in the order of its ids
 */
export function cut(rows, size) {
  const each = Math.ceil(rows.length / Math.ceil(rows.length / size));
  /** @type {Part[][]} */
  const found = [];
  let weight = Infinity;
  for (const row of rows) {
    const text = JSON.stringify(row.object);
    weight += text.length;
    if (weight > WEIGHT || found[found.length - 1].length === each) {
      found.push([]);
      weight = text.length;
    }
    found[found.length - 1].push({ row, text });
  }
  for (const part of found) part.sort((one, other) => (one.row.id < other.row.id ? -1 : 1));
  return found;
}

/**
 * @param {number} number
 * @param {Part[]} parts in the order of their ids
 * @param {readonly string[]} fields to be indexed
 * @returns {Chunk}
 */
export function chunkOf(number, parts, fields) {
  const rows = parts.map(({ row }) => row);
  const { collection, generation } = rows[0];
  const scopes = [...new Set(rows.map(({ scope }) => scope))];
  return {
    summary: {
      collection, number, generation, scopes, first: rows[0].id, last: rows[rows.length - 1].id, count: rows.length,
      weight: parts.reduce((sum, { text }) => sum + text.length, 0), gone: new Set(), fields: [...fields],
    },
    ids: rows.map(({ id }) => id),
    columns: new Map(fields.map((field) => [field, orderOf(rows.map(({ object }) => object), field)])),
    content: {
      number,
      revisions: rows.map(({ revision }) => revision),
      scopes: scopes.length === 1 ? scopes[0] : rows.map(({ scope }) => scope),
      objects: parts.map(({ text }) => text),
    },
  };
}

/** The row of a summary. @param {Summary} summary @returns {Row} */
export function rowOf(summary) {
  return { ...summary, gone: [...summary.gone] };
}

/** @param {Row} row @returns {Summary} */
export function summaryOf(row) {
  return { .../** @type {Summary} */ (row), gone: new Set(row.gone) };
}

/** The scope of one of its records. @param {Content} content @param {number} at */
export function scopeAt({ scopes }, at) {
  return typeof scopes === "string" ? scopes : scopes[at];
}

/**
 * One of its records, as the table of single records would have it.
 * @param {Summary} summary
 * @param {Content} content
 * @param {string} id
 * @param {number} at
 * @returns {Row}
 */
export function recordAt({ collection, generation }, content, id, at) {
  const object = JSON.parse(content.objects[at]);
  return { collection, id, revision: content.revisions[at], scope: scopeAt(content, at), object, generation };
}

/** How many of its records are not gone. @param {Summary} summary */
export function liveIn({ count, gone }) {
  return count - gone.size;
}

/** The positions that are not gone. @param {Summary} summary */
export function livePositions({ count, gone }) {
  return Array.from({ length: count }, (_, at) => at).filter((at) => !gone.has(at));
}

/** Where an id is in a list in order, or -1. @param {string[]} ids @param {string} id */
export function positionOf(ids, id) {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? low : -1;
}

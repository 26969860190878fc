/**
 * Values of fields in order, and conditions on them. Pure. Both clients are tested with
 * `tests/vectors/indexes.json`.
 *
 * The order is: null or no such field, false, true, numbers, strings by Unicode code point, and last
 * arrays and objects, which all have the same place.
 */

import { Invalid } from "../errors.js";
import { toJson, isEqual } from "./encoding.js";

/** @import { Fields } from "./encoding.js" */

/** @typedef {Record<string, readonly string[]>} Indexes The indexed fields by collection. */

/** @typedef {{gt?: any, gte?: any, lt?: any, lte?: any}} Bounds Each a number, a text, `true` or `false`. */

/** @typedef {{field: string, equals?: any, bounds?: Bounds}} Condition */

/** @typedef {{values: any[], at: number[]}} Column A field's values in order, and at which position each is. */

const BOUNDS = ["gt", "gte", "lt", "lte"];

/** The rank of arrays and objects, which all have the same place. */
const OTHER = 4;

/** @param {unknown} value */
function rankOf(value) {
  if (value === null || value === undefined) return 0;
  if (typeof value === "boolean") return 1;
  if (typeof value === "number") return 2;
  return typeof value === "string" ? 3 : OTHER;
}

/**
 * Below zero where `one` comes first, above where `other` does.
 * @param {any} one
 * @param {any} other
 * @returns {number}
 */
export function compareValues(one, other) {
  if (one === other) return 0;
  const [rank, others] = [rankOf(one), rankOf(other)];
  if (rank !== others) return rank - others;
  if (rank === 3) return compareTexts(one, other);
  if (rank === 0 || rank === OTHER) return 0;
  return Number(one) - Number(other);
}

/**
 * Compare by code point. JavaScript compares UTF-16 code units: there a character above U+FFFF
 * begins with a surrogate, which comes before U+E000.
 * @param {string} one
 * @param {string} other
 */
function compareTexts(one, other) {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const [unit, others] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (unit !== others) return lifted(unit) - lifted(others);
  }
  return one.length - other.length;
}

/** @param {number} unit */
function lifted(unit) {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/**
 * A field's column over some objects; values that are the same stay in the objects' order.
 * @param {Fields[]} objects
 * @param {string} field
 * @returns {Column}
 */
export function orderOf(objects, field) {
  const values = objects.map((object) => indexed(object, field));
  const at = values.map((_, position) => position);
  at.sort((one, other) => compareValues(values[one], values[other]) || one - other);
  return { values: at.map((position) => values[position]), at };
}

/** The value that an index keeps of a field. @param {Fields} object @param {string} field */
function indexed(object, field) {
  const value = Object.hasOwn(object, field) ? object[field] : null;
  return rankOf(value) === OTHER ? [] : value;
}

/**
 * The conditions in an object of fields and their values or bounds.
 * @param {Fields} wanted
 * @returns {Condition[]}
 * @throws {Invalid} for a bound that has no order
 */
export function conditionsOf(wanted) {
  return Object.entries(toJson(wanted)).map(([field, value]) => {
    if (!isBounds(value)) return { field, equals: value };
    for (const [name, bound] of Object.entries(value)) {
      const rank = rankOf(bound);
      if (rank === 0 || rank === OTHER) throw new Invalid(`“${field}” cannot be compared with its bound “${name}”.`);
    }
    return { field, bounds: value };
  });
}

/** @param {unknown} value @returns {value is Bounds} */
function isBounds(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const names = Object.keys(value);
  return names.length > 0 && names.every((name) => BOUNDS.includes(name));
}

/** Whether an object meets all conditions. @param {Condition[]} conditions @param {Fields} object */
export function meets(conditions, object) {
  return conditions.every(({ field, equals, bounds }) => {
    if (!Object.hasOwn(object, field)) return false;
    return bounds === undefined ? isEqual(object[field], equals) : isWithin(object[field], bounds);
  });
}

/** @param {any} value @param {Bounds} bounds */
function isWithin(value, bounds) {
  return Object.entries(bounds).every(([name, bound]) => {
    if (rankOf(value) !== rankOf(bound)) return false;
    const compared = compareValues(value, bound);
    if (name === "gt") return compared > 0;
    if (name === "gte") return compared >= 0;
    return name === "lt" ? compared < 0 : compared <= 0;
  });
}

/** Whether an index can find what meets the condition: it cannot for arrays and objects. @param {Condition} condition */
export function isIndexable({ bounds, equals }) {
  return bounds !== undefined || rankOf(equals) !== OTHER;
}

/**
 * The part of a column that contains all values that meet a condition; the whole column for `null`.
 * @param {Column} column
 * @param {Condition | null} condition
 * @returns {[from: number, to: number]} `to` is exclusive
 */
export function partOf({ values }, condition) {
  if (condition === null) return [0, values.length];
  const { bounds, equals } = condition;
  if (bounds === undefined) return [before(values, equals), behind(values, equals)];
  let [from, to] = [0, values.length];
  for (const [name, bound] of Object.entries(bounds)) {
    from = Math.max(from, name === "gt" ? behind(values, bound) : name === "gte" ? before(values, bound) : firstOf(values, bound));
    to = Math.min(to, name === "lt" ? before(values, bound) : name === "lte" ? behind(values, bound) : endOf(values, bound));
  }
  return [from, Math.max(from, to)];
}

/** The position of the first value that is not less than this one. @param {any[]} values @param {any} value */
function before(values, value) {
  return split(values, (found) => compareValues(found, value) < 0);
}

/** The position of the first value above this one. @param {any[]} values @param {any} value */
function behind(values, value) {
  return split(values, (found) => compareValues(found, value) <= 0);
}

/** The position of the first value of this one's type, or of a later type. @param {any[]} values @param {any} value */
function firstOf(values, value) {
  return split(values, (found) => rankOf(found) < rankOf(value));
}

/** The position of the first value of a type after this one's. @param {any[]} values @param {any} value */
function endOf(values, value) {
  return split(values, (found) => rankOf(found) <= rankOf(value));
}

/** How many values at the beginning pass a test that no later value passes. @param {any[]} values @param {(value: any) => boolean} isSo */
function split(values, isSo) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(values[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Check the option `indexes`.
 * @param {Indexes} indexes
 * @param {readonly string[]} collections that the client has
 * @returns {Indexes}
 * @throws {Invalid} for a collection that the client does not have, and for fields that are no list of names
 */
export function declared(indexes, collections) {
  for (const [name, fields] of Object.entries(indexes)) {
    if (!collections.includes(name)) throw new Invalid(`indexes: ${name} is not among the client's collections.`);
    const sound = Array.isArray(fields) && fields.every((field) => typeof field === "string" && field !== "");
    if (!sound) throw new Invalid(`indexes: ${name} needs a list of fields' names.`);
  }
  return Object.fromEntries(Object.entries(indexes).map(([name, fields]) => [name, [...new Set(fields)].sort()]));
}

/** JSON values: their form on the wire, and whether two are equal. Pure. */

import { Invalid } from "../errors.js";

/** @typedef {{[name: string]: any}} Fields An object's fields by name, all of them JSON values. */

/**
 * `fields` as they are after JSON has written and read them; members that are `undefined` are left out.
 * @param {unknown} fields
 * @returns {Fields}
 * @throws {Invalid} for a value that JSON does not have
 */
export function toJson(fields) {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new Invalid("Fields must be an object.");
  }
  let text;
  try {
    text = JSON.stringify(fields, checkMember);
  } catch (error) {
    if (error instanceof Invalid) throw error;
    throw new Invalid(/** @type {Error} */ (error).message, { cause: error });
  }
  return JSON.parse(text);
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function checkMember(name, value) {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new Invalid(`“${name}” is ${value}: JSON has no such number.`);
  }
  if (typeof value === "string" && !isWellFormed(value)) {
    throw new Invalid(`“${name}” has half a surrogate pair, which UTF-8 cannot encode.`);
  }
  if (typeof value === "function" || typeof value === "symbol") {
    throw new Invalid(`“${name}” is a ${typeof value}: JSON has no such value.`);
  }
  return value;
}

/** @param {string} text */
function isWellFormed(text) {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}

/**
 * Whether two JSON values are equal; the order of an object's members does not count.
 * @param {unknown} left
 * @param {unknown} right
 * @returns {boolean}
 */
export function isEqual(left, right) {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) && Array.isArray(right) && left.length === right.length &&
      left.every((value, index) => isEqual(value, right[index]))
    );
  }
  const one = /** @type {Fields} */ (left);
  const other = /** @type {Fields} */ (right);
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name]))
  );
}

/**
 * Freeze a value and all in it.
 * @template T
 * @param {T} value
 * @returns {T}
 */
export function deepFreeze(value) {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/** @param {unknown} value @returns {value is string} */
export function isText(value) {
  return typeof value === "string";
}

/** @param {unknown} value @returns {value is {[name: string]: any}} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

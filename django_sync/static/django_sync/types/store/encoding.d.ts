/** @typedef {{[name: string]: any}} Fields An object's fields by name, all of them JSON values. */
/**
 * `fields` as they are after JSON has written and read them; members that are `undefined` are left out.
 * @param {unknown} fields
 * @returns {Fields}
 * @throws {Invalid} for a value that JSON does not have
 */
export function toJson(fields: unknown): Fields;
/**
 * Whether two JSON values are equal; the order of an object's members does not count.
 * @param {unknown} left
 * @param {unknown} right
 * @returns {boolean}
 */
export function isEqual(left: unknown, right: unknown): boolean;
/**
 * Freeze a value and all in it.
 * @template T
 * @param {T} value
 * @returns {T}
 */
export function deepFreeze<T>(value: T): T;
/** @param {unknown} value @returns {value is string} */
export function isText(value: unknown): value is string;
/** @param {unknown} value @returns {value is {[name: string]: any}} */
export function isObject(value: unknown): value is {
    [name: string]: any;
};
/**
 * An object's fields by name, all of them JSON values.
 */
export type Fields = {
    [name: string]: any;
};

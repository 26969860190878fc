/** JSON values: what they become on the wire, and whether two are the same. Pure. */
export type Json = null | boolean | number | string | Json[] | {
    [name: string]: Json;
};
export type Fields = {
    [name: string]: any;
};
/** @typedef {null | boolean | number | string | Json[] | {[name: string]: Json}} Json */
/** @typedef {{[name: string]: any}} Fields An object's fields by name, all of them JSON values. */
/**
 * `fields` as they will be after a journey through JSON; members that are `undefined` are left out.
 * @param {unknown} fields
 * @returns {Fields}
 * @throws {Invalid} for what JSON cannot say
 */
export declare function plain(fields: unknown): Fields;
/**
 * Whether two JSON values are the same; the order of an object's members does not count.
 * @param {unknown} left
 * @param {unknown} right
 * @returns {boolean}
 */
export declare function same(left: unknown, right: unknown): boolean;
/**
 * Freeze a value and all in it.
 * @template T
 * @param {T} value
 * @returns {T}
 */
export declare function frozen<T>(value: T): T;

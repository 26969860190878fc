/**
 * Below zero where `one` comes first, above where `other` does.
 * @param {any} one
 * @param {any} other
 * @returns {number}
 */
export function compareValues(one: any, other: any): number;
/**
 * A field's column over some objects; values that are the same stay in the objects' order.
 * @param {Fields[]} objects
 * @param {string} field
 * @returns {Column}
 */
export function orderOf(objects: Fields[], field: string): Column;
/**
 * The conditions in an object of fields and their values or bounds.
 * @param {Fields} wanted
 * @returns {Condition[]}
 * @throws {Invalid} for a bound that has no order
 */
export function conditionsOf(wanted: Fields): Condition[];
/** Whether an object meets all conditions. @param {Condition[]} conditions @param {Fields} object */
export function meets(conditions: Condition[], object: Fields): boolean;
/** Whether an index can find what meets the condition: it cannot for arrays and objects. @param {Condition} condition */
export function isIndexable({ bounds, equals }: Condition): boolean;
/**
 * The part of a column that contains all values that meet a condition; the whole column for `null`.
 * @param {Column} column
 * @param {Condition | null} condition
 * @returns {[from: number, to: number]} `to` is exclusive
 */
export function partOf({ values }: Column, condition: Condition | null): [from: number, to: number];
/**
 * Check the option `indexes`.
 * @param {Indexes} indexes
 * @param {readonly string[]} collections that the client has
 * @returns {Indexes}
 * @throws {Invalid} for a collection that the client does not have, and for fields that are no list of names
 */
export function declared(indexes: Indexes, collections: readonly string[]): Indexes;
/**
 * The indexed fields by collection.
 */
export type Indexes = Record<string, readonly string[]>;
/**
 * Each a number, a text, `true` or `false`.
 */
export type Bounds = {
    gt?: any;
    gte?: any;
    lt?: any;
    lte?: any;
};
export type Condition = {
    field: string;
    equals?: any;
    bounds?: Bounds;
};
/**
 * A field's values in order, and at which position each is.
 */
export type Column = {
    values: any[];
    at: number[];
};
import type { Fields } from "./encoding.js";

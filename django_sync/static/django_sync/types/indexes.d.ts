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
 * Read what is wanted of a record's fields.
 * @param {Fields} wanted
 * @returns {Condition[]}
 * @throws {Invalid} for a bound that has no order
 */
export function conditionsOf(wanted: Fields): Condition[];
/** Whether an object meets them all. @param {Condition[]} conditions @param {Fields} object */
export function meets(conditions: Condition[], object: Fields): boolean;
/** Whether an index leads to what meets it: an index does not tell arrays and objects apart. @param {Condition} condition */
export function isIndexable({ bounds, equals }: Condition): boolean;
/**
 * The part of a column in which all that meets a condition is; all of it for none.
 * @param {Column} column
 * @param {Condition | null} condition
 * @returns {[from: number, to: number]} `to` is behind the last
 */
export function partOf({ values }: Column, condition: Condition | null): [from: number, to: number];
/**
 * Read the option `indexes`.
 * @param {Indexes} indexes
 * @param {readonly string[]} collections that the client has
 * @returns {Indexes}
 * @throws {Invalid} for a collection that it does not have, and for what is no list of names
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

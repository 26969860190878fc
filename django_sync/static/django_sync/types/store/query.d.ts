/**
 * @param {Tx} tx
 * @param {string} collection
 * @param {Query} query
 * @returns {Promise<Record[]>}
 */
export function find(tx: Tx, collection: string, query: Query): Promise<Record[]>;
/** @typedef {{summary: Summary, at: number}} Candidate */
/** @typedef {{summary: Summary, ids: string[], column: Column, from: number, to: number}} Part The part of a chunk's column in which candidates are. */
/** Conditions, an order and a limit. */
export class Query {
    /**
     * @param {Wanted} wanted
     * @param {Ordering} [ordering]
     * @throws {Invalid} for a bound that has no order, and for a limit that is not a whole number from 0 on
     */
    constructor(wanted: Wanted, { orderBy, limit }?: Ordering);
    /** @type {Condition[]} */
    conditions: Condition[];
    /** @type {string | null} */
    field: string | null;
    isReversed: boolean;
    limit: number;
    /** Whether an object meets the conditions on its fields. @param {Record["object"]} object */
    meets(object: Record["object"]): boolean;
    /** @param {Record | null} record @returns {record is Record} */
    matches(record: Record | null): record is Record;
    /** Sort records in the order of the query, and cut at its limit. @param {Record[]} records */
    inOrder(records: Record[]): Record[];
    #private;
}
export type Head = {
    part: Part;
    next: number;
};
/**
 * In which order records are wanted, and how many.
 */
export type Ordering = {
    /**
     * a field, with `-` before it for the reverse; their ids without it
     */
    orderBy?: string | undefined;
    /**
     * the most records, the first in that order; all without it
     */
    limit?: number | undefined;
};
/**
 * Fields' values or bounds (`gt`, `gte`, `lt`, `lte`), or a function that says whether a record matches.
 */
export type Wanted = import("./encoding.js").Fields | ((record: Record) => boolean);
export type Candidate = {
    summary: Summary;
    at: number;
};
/**
 * The part of a chunk's column in which candidates are.
 */
export type Part = {
    summary: Summary;
    ids: string[];
    column: Column;
    from: number;
    to: number;
};
import type { Tx } from "./database.js";
import type { Record } from "../types.js";
import type { Condition } from "./indexes.js";
import type { Summary } from "./chunks.js";
import type { Column } from "./indexes.js";

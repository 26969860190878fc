/**
 * @param {Tx} tx
 * @param {string} collection
 * @param {Query} query
 * @returns {Promise<Record[]>}
 */
export function find(tx: Tx, collection: string, query: Query): Promise<Record[]>;
/** @typedef {{summary: Summary, at: number}} Candidate */
/** @typedef {{summary: Summary, ids: string[], column: Column, from: number, to: number}} Part The part of a chunk's column in which candidates are. */
/** What is asked of a collection. */
export class Query {
    /**
     * @param {Wanted} wanted
     * @param {Ordering} [ordering]
     * @throws {Invalid} for a bound without an order, and for a limit that is no number
     */
    constructor(wanted: Wanted, { orderBy, limit }?: Ordering);
    /** @type {Condition[]} */
    conditions: Condition[];
    /** @type {string | null} */
    field: string | null;
    isReversed: boolean;
    limit: number;
    /** Whether the fields are as they are wanted. @param {Record["object"]} object */
    meets(object: Record["object"]): boolean;
    /** @param {Record | null} record @returns {record is Record} */
    matches(record: Record | null): record is Record;
    /** Records in the order that is asked for, no more than are asked for. @param {Record[]} records */
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
     * so many, the first in that order; all without it
     */
    limit?: number | undefined;
};
/**
 * Fields' values or bounds (`gt`, `gte`, `lt`, `lte`), or a test of one's own.
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
import type { Record } from "./views.js";
import type { Condition } from "./indexes.js";
import type { Summary } from "./chunks.js";
import type { Column } from "./indexes.js";

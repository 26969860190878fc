/** @typedef {{row: Row, text: string}} Part A record and its object as JSON. */
/**
 * Rows of one collection and generation as chunks of about equal size.
 * @param {Row[]} rows
 * @param {number} size
 * @returns {Part[][]} each in the order of its ids
 */
export function cut(rows: Row[], size: number): Part[][];
/**
 * @param {number} number
 * @param {Part[]} parts in the order of their ids
 * @param {readonly string[]} fields to be indexed
 * @returns {Chunk}
 */
export function chunkOf(number: number, parts: Part[], fields: readonly string[]): Chunk;
/** The row of a summary. @param {Summary} summary @returns {Row} */
export function rowOf(summary: Summary): Row;
/** @param {Row} row @returns {Summary} */
export function summaryOf(row: Row): Summary;
/** The scope of one of its records. @param {Content} content @param {number} at */
export function scopeAt({ scopes }: Content, at: number): string;
/**
 * One of its records, as the table of single records would have it.
 * @param {Summary} summary
 * @param {Content} content
 * @param {string} id
 * @param {number} at
 * @returns {Row}
 */
export function recordAt({ collection, generation }: Summary, content: Content, id: string, at: number): Row;
/** How many of its records are not gone. @param {Summary} summary */
export function liveIn({ count, gone }: Summary): number;
/** The positions that are not gone. @param {Summary} summary */
export function livePositions({ count, gone }: Summary): number[];
/** Where an id is in a list in order, or -1. @param {string[]} ids @param {string} id */
export function positionOf(ids: string[], id: string): number;
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
export const SIZES: Readonly<Sizes>;
/** Characters of JSON in a chunk at most, unless one record has more: reading a record reads its whole chunk. */
export const WEIGHT: 250000;
/**
 * A record and its object as JSON.
 */
export type Part = {
    row: Row;
    text: string;
};
export type Summary = {
    collection: string;
    number: number;
    /**
     * of all its records
     */
    generation: number;
    /**
     * that occur in it
     */
    scopes: string[];
    /**
     * id
     */
    first: string;
    /**
     * id
     */
    last: string;
    /**
     * of records, including those that are gone
     */
    count: number;
    /**
     * characters of all its records' JSON
     */
    weight: number;
    /**
     * positions of records that were changed, moved or removed since
     */
    gone: ReadonlySet<number>;
    /**
     * that it has a stored column of
     */
    fields: string[];
};
export type Content = {
    number: number;
    revisions: number[];
    /**
     * one for all, or each record's
     */
    scopes: string | string[];
    /**
     * as JSON
     */
    objects: string[];
};
export type Chunk = {
    summary: Summary;
    ids: string[];
    columns: Map<string, Column>;
    content: Content;
};
/**
 * All in records: `size` is the most of a chunk, `least` the fewest, `singles` how many may stay outside of chunks.
 */
export type Sizes = {
    size: number;
    least: number;
    singles: number;
};
import type { Row } from "./tables.js";
import type { Column } from "./indexes.js";

/** @import { ChunkCache, Directory } from "./chunk_cache.js" */
/** @import { Content, Summary } from "./chunks.js" */
/** @import { Tx } from "./database.js" */
/** @import { Column } from "./indexes.js" */
/** @import { Key } from "./overlay.js" */
/** @import { Row } from "./tables.js" */
/** @typedef {{summary: Summary, at: number}} Place A position in a chunk. */
/** The column of ids is stored under this name; no field has it. */
export const IDS: "";
export class Chunks {
    /** @param {Tx} tx @param {ChunkCache} cache */
    constructor(tx: Tx, cache: ChunkCache);
    /** A collection's chunks. @param {string} collection @returns {Promise<Summary[]>} */
    summaries(collection: string): Promise<Summary[]>;
    /** A chunk's records. @param {number} number @param {boolean} [keep] whether to keep them in memory @returns {Promise<Content>} */
    content(number: number, keep?: boolean): Promise<Content>;
    /** The ids in some chunks. @param {string} collection @param {Summary[]} summaries @returns {Promise<string[][]>} */
    ids(collection: string, summaries: Summary[]): Promise<string[][]>;
    /**
     * The values of a field in some chunks; a column that is not stored is made from the records.
     * @param {string} collection
     * @param {string} field
     * @param {Summary[]} summaries
     * @returns {Promise<Column[]>}
     */
    columns(collection: string, field: string, summaries: Summary[]): Promise<Column[]>;
    /** The chunk and position of a record; `null` if no chunk has it. @param {Key} key @returns {Promise<Place | null>} */
    find([collection, id]: Key): Promise<Place | null>;
    /** Chunks with records of a scope. @param {string} collection @param {string} scope */
    withScope(collection: string, scope: string): Promise<Summary[]>;
    /** The positions of a scope's records. @param {Summary} summary @param {string} scope */
    ofScope(summary: Summary, scope: string): Promise<number[]>;
    /** The summaries; a transaction that changes them works on a copy. @returns {Promise<Directory>} */
    known(): Promise<Directory>;
    /** A number that no chunk has had. */
    nextNumber(): number;
    /** A chunk as it is in this transaction; the summaries are known. @param {Summary} summary @returns {Summary} */
    now({ collection, number }: Summary): Summary;
    /** Add a chunk, or replace the one with its number. @param {Summary} summary */
    replace(summary: Summary): void;
    /** Remove a chunk. @param {Summary} summary */
    drop({ collection, number }: Summary): void;
    /** Remove all chunks. */
    clear(): void;
    /** The transaction was committed. */
    committed(): void;
    #private;
}
/**
 * A position in a chunk.
 */
export type Place = {
    summary: Summary;
    at: number;
};
import type { Summary } from "./chunks.js";
import type { Content } from "./chunks.js";
import type { Column } from "./indexes.js";
import type { Key } from "./overlay.js";
import type { Directory } from "./chunk_cache.js";
import type { Tx } from "./database.js";
import type { ChunkCache } from "./chunk_cache.js";

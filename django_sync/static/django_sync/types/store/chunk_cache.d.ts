/** A cache with a limit of weight: the values that were used longest ago are dropped first. */
export class WeightedCache {
    /** @param {number} limit */
    constructor(limit: number);
    weight: number;
    /** @param {string | number} key */
    get(key: string | number): any;
    /** @param {string | number} key */
    has(key: string | number): boolean;
    /** @param {string | number} key @param {any} value @param {number} weight */
    set(key: string | number, value: any, weight: number): void;
    clear(): void;
    #private;
}
export class ChunkCache {
    /** The summaries of that version, or `null` if they are not in memory. @param {string} clientId @param {number} version */
    directory(clientId: string, version: number): Directory | null;
    /** @param {string} clientId @param {number} version @param {Directory} directory which must not be changed any more */
    keep(clientId: string, version: number, directory: Directory): void;
    /** @param {number} number @returns {Content | undefined} */
    content(number: number): Content | undefined;
    /** @param {Content} content */
    keepContent(content: Content): void;
    /** A stored column's row. @param {number} number @param {string} field @returns {Row | undefined} */
    column(number: number, field: string): Row | undefined;
    /** @param {number} number @param {string} field */
    hasColumn(number: number, field: string): boolean;
    /** @param {number} number @param {string} field @param {Row} row @param {number} weight how many values */
    keepColumn(number: number, field: string, row: Row, weight: number): void;
    #private;
}
/**
 * Summaries by collection and number.
 */
export type Directory = Map<string, Map<number, Summary>>;
import type { Content } from "./chunks.js";
import type { Row } from "./tables.js";
import type { Summary } from "./chunks.js";

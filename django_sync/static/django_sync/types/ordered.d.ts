/** More new rows than that, since the last read, are sorted together; fewer are inserted one by one. */
/**
 * Rows in the order of a path, and of the table's key among equals. A row whose path has a part
 * that is neither a text nor a number is left out, as IndexedDB leaves it out of an index.
 */
export class Ordered {
    /** @param {Path} path @param {Path} key */
    constructor(path: Path, key: Path);
    /** @param {Row} row */
    add(row: Row): void;
    /** @param {Row} row the very object that was added */
    remove(row: Row): void;
    /**
     * The rows whose first parts are `only`, and whose next part is behind `after`.
     * @param {any[]} only @param {string | number | undefined} after @param {number} limit
     */
    between(only: any[], after: string | number | undefined, limit: number): Row[];
    /** How many `between` would give. @param {any[]} only */
    count(only: any[]): number;
    /**
     * The order of two keys; a shorter one that begins the longer comes first.
     * @param {any[]} one @param {any[]} other
     */
    compare(one: any[], other: any[]): number;
    #private;
}
export type Path = string | string[];
import type { Row } from "./tables.js";

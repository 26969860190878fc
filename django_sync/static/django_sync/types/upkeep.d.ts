/**
 * Do the next step for one collection; return whether there was one.
 * @param {Tx} tx
 * @param {string} collection
 */
export function tidied(tx: Tx, collection: string): Promise<boolean>;
/** Runs the steps of one tab. */
export class Upkeep {
    /** @param {Database} db @param {readonly string[]} names of the collections */
    constructor(db: Database, names: readonly string[]);
    /** Something was written: check soon whether there is something to do. */
    poke(): void;
    /** Do all steps that are due. */
    run(): Promise<void>;
    stop(): void;
    #private;
}
export type Task = {
    summaries: Summary[];
    rows: Row[];
    reindex: boolean;
};
import type { Tx } from "./database.js";
import type { Database } from "./database.js";
import type { Summary } from "./chunks.js";
import type { Row } from "./tables.js";

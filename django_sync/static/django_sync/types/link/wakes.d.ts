/**
 * Wake-ups that are remembered in the store until an exchange that began after them is through.
 *
 * Three numbers: how many wake-ups were noted, up to which one a request has gone out, up to which
 * one all has come in. A wake-up that comes before any request has gone out for the last is that
 * one: a storm of them costs one transaction that writes for each request, and neither a page that
 * is closed nor another tab forgets one.
 */
/** @import { Database, Meta } from "../store/database.js" */
/** @typedef {{woken: number, asked: number, served: number}} Count */
/** What one store has been told and not fetched yet. */
export class Wakes {
    /** @param {Database} db */
    constructor(db: Database);
    /** Note a wake-up; it is on the disk then. Whether none was remembered before. */
    remember(): Promise<boolean>;
    /** Whether one is remembered. */
    hasPending(): Promise<boolean>;
    /** A request goes out now; what `served` is to be told when all has come in. */
    noteRequest(): Promise<number>;
    /** All that was new when the request went out is here. @param {number} number */
    noteServed(number: number): Promise<void>;
    #private;
}
export type Count = {
    woken: number;
    asked: number;
    served: number;
};
import type { Database } from "../store/database.js";

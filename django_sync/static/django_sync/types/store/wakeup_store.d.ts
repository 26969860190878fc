/**
 * Wake-ups, stored until an exchange that began after them is complete.
 *
 * Three numbers: how many wake-ups were noted, up to which one a request has gone out, up to which
 * one everything has come in. A wake-up that comes before a request went out for the last one counts
 * as that one: however many come, each request costs one transaction that writes. Neither a closed
 * page nor another tab loses one.
 */
/** @import { Database, Meta } from "./database.js" */
/** @typedef {{woken: number, asked: number, served: number}} Count */
/** The wake-ups of one store whose changes are not fetched yet. */
export class WakeupStore {
    /** @param {Database} db */
    constructor(db: Database);
    /** Note a wake-up; it is on the disk then. Whether none was remembered before. */
    remember(): Promise<boolean>;
    /** Whether one is remembered. */
    hasPending(): Promise<boolean>;
    /** A request goes out now; pass the number to `noteServed()` once everything has come in. */
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
import type { Database } from "./database.js";

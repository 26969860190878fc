/**
 * A live query: the records that match, kept up to date.
 *
 * It is told which objects were touched, and reads those again; what it read after a commit shows
 * that commit or a later one, so the last thing it tells is how things are. What is touched while
 * it reads is read in the next round, and rounds do not overlap.
 */
import type { Collection } from "./collection.js";
import type { Record } from "./views.js";
export declare class LiveQuery {
    #private;
    /**
     * @param {Collection} collection
     * @param {(record: Record) => boolean} matches
     * @param {(records: Record[]) => unknown} callback
     */
    constructor(collection: Collection, matches: (record: Record) => boolean, callback: (records: Record[]) => unknown);
    get collection(): string;
    /** @param {() => void} end */
    begin(end: () => void): void;
    /** Call the callback no more. */
    stop(): void;
    /** These objects may look different now; `null` where all may. @param {string[] | null} ids */
    touched(ids: string[] | null): void;
}

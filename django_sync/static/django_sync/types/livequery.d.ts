/** Calls back with the records that match, whenever they change; `Collection.live()` begins one. */
export class LiveQuery {
    /**
     * @internal
     * @param {Collection} collection
     * @param {Query} query
     * @param {(records: Record[]) => unknown} callback
     */
    constructor(collection: Collection, query: Query, callback: (records: Record[]) => unknown);
    /** Its collection's name. */
    get collection(): string;
    /** @internal @param {() => void} end */
    begin(end: () => void): void;
    /** Call the callback no more. */
    stop(): void;
    /** These objects may look different now; `null` where all may. @internal @param {string[] | null} ids */
    touched(ids: string[] | null): void;
    #private;
}
import type { Collection } from "./collection.js";
import type { Query } from "./store/query.js";
import type { Record } from "./types.js";

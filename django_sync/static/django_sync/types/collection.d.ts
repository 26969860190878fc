/**
 * @typedef {object} Observers What a collection reports to its client.
 * @property {(seen: Seen) => void} wrote something local was committed
 * @property {(query: LiveQuery) => () => void} watch a live query began; the function that it returns ends it
 */
/** A collection's records, read and written locally, at once, offline too. */
export class Collection {
    /** @internal @param {string} name @param {Database} db @param {Observers} observers */
    constructor(name: string, db: Database, observers: Observers);
    /** As the server registered it. */
    name: string;
    /**
     * Create an object and return its record, whose id is already the one it keeps.
     * @param {Fields} fields values by name, all of them JSON
     * @param {{id?: string}} [more] `id`, a UUID, may be chosen
     * @returns {Promise<Record>}
     * @throws {errors.AlreadyExists} where the id is taken
     */
    create(fields: Fields, { id }?: {
        id?: string;
    }): Promise<Record>;
    /**
     * Change some fields and return the record. Fields that have the value already are left out.
     * @param {string} id
     * @param {Fields} fields only what changes
     * @returns {Promise<Record>}
     * @throws {errors.NotFound} where there is no such record
     */
    update(id: string, fields: Fields): Promise<Record>;
    /**
     * Delete an object.
     * @param {string} id
     * @throws {errors.NotFound} where there is no such record
     */
    delete(id: string): Promise<void>;
    /** The record with this id, or `null`. @param {string} id @returns {Promise<Record | null>} */
    get(id: string): Promise<Record | null>;
    /**
     * Those with these ids, in one look at the store; `null` for each that there is not.
     * @param {string[]} ids
     * @returns {Promise<(Record | null)[]>}
     */
    getMany(ids: string[]): Promise<(Record | null)[]>;
    /** All records, in the order of their ids. @returns {Promise<Record[]>} */
    all(): Promise<Record[]>;
    /**
     * The records whose fields have these values, or are within these bounds, or for which a function
     * returns `true`: in the order of their ids, or of a field. All are of one state of the store. With
     * an index on a field of the query, only the records that the index finds are read.
     * @param {Wanted} wanted such as `{board: id, due: {gte: "2026-03-01", lt: "2026-04-01"}}`
     * @param {Ordering} [ordering] such as `{orderBy: "-due", limit: 20}`
     * @returns {Promise<Record[]>}
     * @throws {errors.Invalid} for a bound that is not a number, a text, `true` or `false`, and for a limit that is not a whole number from 0 on
     */
    filter(wanted: Wanted, ordering?: Ordering): Promise<Record[]>;
    /** @internal @param {Query} query @returns {Promise<Record[]>} */
    find(query: Query): Promise<Record[]>;
    /** All records, some hundreds at a time in the order of their ids; each page is one state of the store. @returns {AsyncGenerator<Record[]>} */
    pages(): AsyncGenerator<Record[]>;
    /** How many there are. @returns {Promise<number>} */
    count(): Promise<number>;
    /**
     * Call `callback` with the records that match, in the order of their ids or of a field: now, and
     * whenever one of them changes, comes or goes, by this client or by others.
     * @param {Wanted} wanted as for `filter()`
     * @param {(records: Record[]) => unknown} callback
     * @param {Ordering} [ordering]
     * @returns {LiveQuery} `stop()` ends it
     */
    live(wanted: Wanted, callback: (records: Record[]) => unknown, ordering?: Ordering): LiveQuery;
    #private;
}
/**
 * What a collection reports to its client.
 */
export type Observers = {
    /**
     * something local was committed
     */
    wrote: (seen: Seen) => void;
    /**
     * a live query began; the function that it returns ends it
     */
    watch: (query: LiveQuery) => () => void;
};
import type { Fields } from "./store/encoding.js";
import type { Record } from "./types.js";
import type { Wanted } from "./store/query.js";
import type { Ordering } from "./store/query.js";
import { Query } from "./store/query.js";
import { LiveQuery } from "./livequery.js";
import type { Database } from "./store/database.js";
import type { Seen } from "./store/overlay.js";

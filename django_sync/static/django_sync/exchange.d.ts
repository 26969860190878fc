/**
 * One full exchange with the server: the outbox goes out, then pages come in.
 *
 * Each step is one request and one transaction, and callbacks run between the steps; two exchanges
 * at once, in tabs or calls, are safe: the same mutation sent twice is harmless, and of two pages
 * one is discarded.
 */
import { SyncError } from "./errors.js";
import { Counts } from "./views.js";
import type { Binding } from "./binding.js";
import type { Database } from "./database.js";
import type { Network } from "./network.js";
import type { Seen } from "./overlay.js";
import type { Place, Replica } from "./replica.js";
import type { Settled } from "./results.js";
import type { Post } from "./sending.js";
import type { Service } from "./service.js";
export type Listener = {
    pulled: (seen: Seen, page: {
        hasMore: boolean;
    }) => void;
    settled: (settled: Settled) => void;
};
/** @import { Binding } from "./binding.js" */
/** @import { Database } from "./database.js" */
/** @import { Network } from "./network.js" */
/** @import { Seen } from "./overlay.js" */
/** @import { Page } from "./pages.js" */
/** @import { Place, Replica } from "./replica.js" */
/** @import { Settled } from "./results.js" */
/** @import { Post } from "./sending.js" */
/** @import { Service } from "./service.js" */
/**
 * @typedef {object} Listener Who is told of what came, after each commit.
 * @property {(seen: Seen, page: {hasMore: boolean}) => void} pulled
 * @property {(settled: Settled) => void} settled
 */
/** How one client speaks with its server. */
export declare class Exchange {
    #private;
    replica: Replica;
    names: readonly string[];
    /** @type {Service} */
    service: Service;
    /**
     * @param {Database} db
     * @param {Network} network
     * @param {Binding} binding
     * @param {Replica} replica
     * @param {readonly string[]} names of the collections
     * @param {Listener} listener
     */
    constructor(db: Database, network: Network, binding: Binding, replica: Replica, names: readonly string[], listener: Listener);
    /** Send the outbox and pull until `has_more` is false; throw what a part of it failed with. */
    run(): Promise<Counts>;
    /**
     * The same, but return what one mutation failed with where all the rest is done.
     * @param {{anew?: boolean}} [how] `anew` asks for the service document again
     * @returns {Promise<{counts: Counts, failure: SyncError | null}>}
     */
    go({ anew }?: {
        anew?: boolean;
    }): Promise<{
        counts: Counts;
        failure: SyncError | null;
    }>;
    /** Send the outbox and pull nothing; return what a part of it failed with. @param {Post} [post] */
    send(post?: Post): Promise<SyncError | null>;
    /** Have the server hold a pull until something is new; whether it brought anything. */
    listen(): Promise<boolean>;
    /** The cursor is void; make sure that it is not because the user is another one. @param {Place} place @param {SyncError} error */
    void(place: Place, error: SyncError): Promise<void>;
    /** What a pull asks for, and a stream. @param {Place} place @returns {Record<string, string>} */
    asked({ cursor }: Place): Record<string, string>;
}

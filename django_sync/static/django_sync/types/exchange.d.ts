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
export class Exchange {
    /**
     * @param {Database} db
     * @param {Network} network
     * @param {Binding} binding
     * @param {Replica} replica
     * @param {readonly string[]} names of the collections
     * @param {Listener} listener
     */
    constructor(db: Database, network: Network, binding: Binding, replica: Replica, names: readonly string[], listener: Listener);
    /** @type {Service} */
    service: Service;
    replica: Replica;
    names: readonly string[];
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
    /** Pull and send nothing, as a worker without a page does; what is in the outbox waits for one. */
    pull(): Promise<Counts>;
    /** Send the outbox and pull nothing; return what a part of it failed with. @param {Post} [post] */
    send(post?: Post): Promise<SyncError | null>;
    /** Have the server hold a pull until something is new; whether it brought anything. */
    listen(): Promise<boolean>;
    /** The cursor is void; make sure that it is not because the user is another one. @param {Place} place @param {SyncError} error */
    void(place: Place, error: SyncError): Promise<void>;
    /** What a pull asks for, and a stream. @param {{cursor: string | null}} place @returns {Record<string, string>} */
    asked({ cursor }: {
        cursor: string | null;
    }): Record<string, string>;
    /** What the server says of itself; asked where it is not known. */
    described(): Promise<Service>;
    #private;
}
/**
 * Who is told of what came, after each commit.
 */
export type Listener = {
    pulled: (seen: Seen, page: {
        hasMore: boolean;
    }) => void;
    settled: (settled: Settled) => void;
};
import type { Service } from "./service.js";
import type { Replica } from "./replica.js";
import { Counts } from "./views.js";
import { SyncError } from "./errors.js";
import type { Post } from "./sending.js";
import type { Place } from "./replica.js";
import type { Database } from "./database.js";
import type { Network } from "./network.js";
import type { Binding } from "./binding.js";
import type { Seen } from "./overlay.js";
import type { Settled } from "./results.js";

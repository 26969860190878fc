/** @import { Database, Tx } from "./database.js" */
/** @import { Filling, Seen } from "./overlay.js" */
/** @import { Page } from "./pages.js" */
/**
 * @typedef {object} Place Where the store stood when a request was made.
 * @property {string} clientId
 * @property {string | null} cursor
 * @property {string | null} epoch
 * @property {number} stream the socket or stream that feeds the store; 0 for none
 */
/** The server's state in one store. */
export class Replica {
    /** @param {Database} db */
    constructor(db: Database);
    /** Where the store stands. @returns {Promise<Place>} */
    place(): Promise<Place>;
    /**
     * Number a pull, so that results that came before it are told from later ones. It takes the store
     * from a socket or stream, whose frames are discarded from now on.
     */
    beginPull(): Promise<{
        pull: number;
        place: Place;
    }>;
    /** Take the store for a socket or stream, which counts as a pull that does not end. */
    beginStream(): Promise<Place>;
    /** Let pulls write again, where it still was this one's turn. @param {number} stream */
    endStream(stream: number): Promise<void>;
    /**
     * Apply a pull's page; `null` where the store has moved on and the page is discarded.
     * @param {Page} page
     * @param {Place} place
     * @param {readonly string[]} names
     * @param {number} pull
     */
    apply(page: Page, place: Place, names: readonly string[], pull: number): Promise<Seen | null>;
    /**
     * Apply what a socket or stream brought; `null` where it is the feeder no more.
     * @param {Page[]} frames
     * @param {Place} place
     * @param {string | null} cursor of the frame that stands for all of these; `null` where it has
     *   not come yet and the store's own stays
     * @param {readonly string[]} names
     */
    feed(frames: Page[], place: Place, cursor: string | null, names: readonly string[]): Promise<Seen | null>;
    /** Whether the store holds anything of a scope; an unscoped collection's is always known. @param {string} collection @param {string} scope */
    knows(collection: string, scope: string): Promise<boolean>;
    /**
     * The cursor is void: the next pull is a snapshot that replaces what is not in it. Nothing is
     * done where the store no longer stands there.
     * @param {Place} place
     */
    startOver(place: Place): Promise<void>;
    /** Forget all server state; outbox and open conflicts stay. */
    forget(): Promise<void>;
    #private;
}
/**
 * Where the store stood when a request was made.
 */
export type Place = {
    clientId: string;
    cursor: string | null;
    epoch: string | null;
    /**
     * the socket or stream that feeds the store; 0 for none
     */
    stream: number;
};
import type { Page } from "./pages.js";
import type { Seen } from "./overlay.js";
import type { Database } from "./database.js";

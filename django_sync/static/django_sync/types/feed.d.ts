/** Another feeder has the store. It never leaves the client. */
export class Superseded extends Error {
}
/** The feeder's turn of one line. */
export class Feed {
    /**
     * Take the store.
     * @param {Replica} replica
     * @param {readonly string[]} names
     * @param {Listener} listener
     * @param {() => void} synced
     */
    static begin(replica: Replica, names: readonly string[], listener: Listener, synced: () => void): Promise<Feed>;
    /**
     * @param {Replica} replica
     * @param {readonly string[]} names
     * @param {Listener} listener
     * @param {() => void} synced is called at the end of each catch-up
     * @param {Place} place
     */
    constructor(replica: Replica, names: readonly string[], listener: Listener, synced: () => void, place: Place);
    /** Frames of changes that were taken, for the server to count. */
    frames: number;
    caughtUp: boolean;
    place: Place;
    /** Whether changes are held back, or the replica is not caught up, until a cursor comes. */
    get waitsForCursor(): boolean;
    /** Let others feed the store. */
    end(): Promise<void>;
    /** Apply a frame, or keep it until its cursor comes. @param {Page} page */
    changes(page: Page): Promise<void>;
    /** All that came is stood for by `cursor`. @param {string} cursor */
    cursor(cursor: string): Promise<void>;
    #private;
}
import type { Place } from "./replica.js";
import type { Page } from "./pages.js";
import type { Replica } from "./replica.js";
import type { Listener } from "./exchange.js";

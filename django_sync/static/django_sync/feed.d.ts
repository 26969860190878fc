/**
 * What a line brings, on its way into the store.
 *
 * Changes are applied as they come; the cursor that stands for them follows. If the line breaks in
 * between, the next feeder begins again from the older cursor, so a frame may be applied before its
 * cursor only where that is harmless:
 *
 * - a `put` of a scope that the store holds already, a `delete`, a `remove`: what brought them is a
 *   change behind the older cursor, and is told again as it is then;
 * - not a `begin` or a `drop`: rights and memberships may turn back before the next feeder begins.
 *   The older cursor then knows of nothing, and what was forgotten would never come again;
 * - nor the first `put` of a scope: if the user is out of it again by then, the older cursor does
 *   not know that it was ever there to be dropped;
 * - nor a page of a catch-up: it is a pull's page, whose cursor follows at once.
 *
 * All these wait for their cursor, with what comes behind them, and are applied with it in one
 * transaction. While changes flow that is a second at most.
 */
import type { Listener } from "./exchange.js";
import type { Page } from "./pages.js";
import type { Place, Replica } from "./replica.js";
/** Another feeder has the store. It never leaves the client. */
export declare class Superseded extends Error {
}
/** The feeder's turn of one line. */
export declare class Feed {
    #private;
    place: Place;
    /** Frames of changes that were taken, for the server to count. */
    frames: number;
    caughtUp: boolean;
    /**
     * @param {Replica} replica
     * @param {readonly string[]} names
     * @param {Listener} listener
     * @param {() => void} synced is called at the end of each catch-up
     * @param {Place} place
     */
    constructor(replica: Replica, names: readonly string[], listener: Listener, synced: () => void, place: Place);
    /**
     * Take the store.
     * @param {Replica} replica
     * @param {readonly string[]} names
     * @param {Listener} listener
     * @param {() => void} synced
     */
    static begin(replica: Replica, names: readonly string[], listener: Listener, synced: () => void): Promise<Feed>;
    /** Let others feed the store. */
    end(): Promise<void>;
    /** Apply a frame, or keep it until its cursor comes. @param {Page} page */
    changes(page: Page): Promise<void>;
    /** All that came is stood for by `cursor`. @param {string} cursor */
    cursor(cursor: string): Promise<void>;
}

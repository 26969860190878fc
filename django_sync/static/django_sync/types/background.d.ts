/** @typedef {(problem: SyncError | null, retryIn: number | null) => void} Report
 *   Is told of each change: the problem that led there, the seconds until a retry. */
/** One client's link, and the loop behind it. */
export class Background {
    /** @param {Parts} parts @param {Backoff} backoff @param {Report} report @param {Around} around @param {Waking} waking */
    constructor(parts: Parts, backoff: Backoff, report: Report, around: Around, waking: Waking);
    /** @type {State} */
    state: State;
    /** @type {Transport | null} */
    transport: Transport | null;
    /** @type {SyncError | null} */
    problem: SyncError | null;
    around: Around;
    waking: Waking;
    /** Begin, or where it runs, try at once what waits for its user. */
    start(): void;
    /** End the loop, in the middle of a request too. */
    stop(): Promise<void>;
    /** Tell the loop, if there is one, what happened. A held request ends for it; others go on. @param {Event} event */
    post(event: Event): void;
    /** The page goes, perhaps to come back. */
    leave(): void;
    /**
     * Return after a complete exchange that began after this call. Throws what keeps the link from
     * trying, or `NotInStep` after `timeout` seconds.
     * @param {number} timeout seconds
     */
    waitUntilSynced(timeout: number): Promise<void>;
    /** The server answered, or did not. @param {boolean} answered */
    heard(answered: boolean): void;
    /** A page was applied, and more is to come. */
    behind(): void;
    /** Whether this is the loop that runs now, and not one that was stopped. @param {Acting} run */
    isHere(run: Acting): boolean;
    /** Empty the inbox. @returns {Event[]} */
    take(): Event[];
    get hasEvents(): boolean;
    /** Whether a request is on its way that each event cuts. @param {boolean} on */
    hold(on: boolean): void;
    /** Begin an exchange: its number. */
    begin(): number;
    /** All of that exchange came through. @param {number} number */
    complete(number: number): void;
    /**
     * Go where the table says, and tell of it.
     * @param {Acting} run
     * @param {Event} event
     * @param {SyncError | null} [problem]
     * @param {number} [retryIn] seconds
     * @returns {Act}
     */
    feed(run: Acting, event: Event, problem?: SyncError | null, retryIn?: number): Act;
    /** Tell how changes come in, and what is amiss all the same. @param {Acting} run @param {Transport | null} transport @param {SyncError | null} problem */
    show(run: Acting, transport: Transport | null, problem: SyncError | null): void;
    #private;
}
/**
 * Is told of each change: the problem that led there, the seconds until a retry.
 */
export type Report = (problem: SyncError | null, retryIn: number | null) => void;
import type { State } from "./link.js";
import type { Transport } from "./choice.js";
import { SyncError } from "./errors.js";
import type { Around } from "./around.js";
import type { Waking } from "./waking.js";
import type { Event } from "./link.js";
import { Acting } from "./acting.js";
import type { Act } from "./link.js";
import type { Parts } from "./lines.js";
import type { Backoff } from "./backoff.js";

/**
 * @typedef {object} Owner What is done in this tab with what others tell.
 * @property {Background} background
 * @property {Standing} standing
 * @property {(seen: Seen) => void} seen some objects may look different
 * @property {(collections: readonly string[]) => void} reload all of these may
 * @property {() => void} stop the user has signed out
 * @property {(seqs: number[]) => void} ask new conflicts
 */
/** One tab among those of its store. */
export class Together {
    /** @param {string | null} store its name; `null` where no other tab can see it @param {Owner} owner @param {Ways} [ways] */
    constructor(store: string | null, owner: Owner, ways?: Ways);
    /** Whether this tab holds the link. */
    get leads(): boolean;
    /** Hold the link as soon as no other tab does; whoever holds it tries at once. */
    lead(): void;
    /** Let another tab have it. */
    follow(): void;
    close(): void;
    /** Ask how the one that leads stands. */
    join(): void;
    /** A write was committed. @param {Seen} seen @param {boolean} [much] too much to tell each of it */
    tellSeen(seen: Seen, much?: boolean): void;
    /** @param {readonly string[]} collections */
    tellReload(collections: readonly string[]): void;
    /** The store is about to be wiped, for a log-out: no tab may fill it again. */
    tellWipe(): void;
    /** Something local waits to be sent. */
    tellWrote(): void;
    /** @param {number[]} seqs */
    tellConflicts(seqs: number[]): void;
    /** @param {Status} status */
    tellStatus({ problem, leads: _, ...status }: Status): void;
    /**
     * Have the tab that leads say when it is in step; where that one ends meanwhile, this one may.
     * @param {number} timeout seconds
     */
    waitUntilSynced(timeout: number): Promise<void>;
    #private;
}
/**
 * What is done in this tab with what others tell.
 */
export type Owner = {
    background: Background;
    standing: Standing;
    /**
     * some objects may look different
     */
    seen: (seen: Seen) => void;
    /**
     * all of these may
     */
    reload: (collections: readonly string[]) => void;
    /**
     * the user has signed out
     */
    stop: () => void;
    /**
     * new conflicts
     */
    ask: (seqs: number[]) => void;
};
import type { Seen } from "./overlay.js";
import type { Status } from "./views.js";
import type { Ways } from "./tabs.js";
import type { Background } from "./background.js";
import type { Standing } from "./standing.js";

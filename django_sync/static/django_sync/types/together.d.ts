/**
 * @typedef {object} Owner What is done in this tab with what others tell.
 * @property {Background} background
 * @property {Standing} standing
 * @property {(seen: Seen) => void} seen some objects may look different
 * @property {(collections: readonly string[]) => void} reload all of these may
 * @property {() => void} stop the user has signed out
 * @property {(seqs: number[]) => void} ask new conflicts
 * @property {() => Promise<void>} pushed how the browser is woken may be another way
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
    /** A wake-up was remembered. @param {Wake} event */
    tellWoken(event: Wake): void;
    /** How the browser is woken is another way now. */
    tellPush(): void;
    /** Whether a tab that holds the link sees to the wake-ups that are remembered. @param {Wake} event */
    isHeeded(event: Wake): Promise<boolean>;
    /** Do something while no tab holds the link. @template T @param {() => Promise<T>} run */
    exclusively<T>(run: () => Promise<T>): Promise<T>;
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
    /**
     * how the browser is woken may be another way
     */
    pushed: () => Promise<void>;
};
import type { Seen } from "./overlay.js";
import type { Event as Wake } from "./wakeups.js";
import type { Status } from "./views.js";
import type { Ways } from "./tabs.js";
import type { Background } from "./background.js";
import type { Standing } from "./standing.js";

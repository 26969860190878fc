/** @typedef {{type: string, [member: string]: any}} Message */
/**
 * @typedef {object} Ways What the browser has; tests pass their own.
 * @property {LockManager | undefined} [locks]
 * @property {typeof BroadcastChannel | undefined} [BroadcastChannel]
 */
export class Tabs {
    /**
     * @param {string | null} store its name; `null` where no other tab can see it
     * @param {(message: Message) => void} onMessage
     * @param {Ways} [ways]
     */
    constructor(store: string | null, onMessage: (message: Message) => void, ways?: Ways);
    leads: boolean;
    /** Send a message to the other tabs. @param {Message} message */
    post(message: Message): void;
    /**
     * Hold the link as soon as no other tab does: `begin` is called then.
     * @param {() => void} begin
     */
    lead(begin: () => void): void;
    /**
     * Do something while no tab holds the link, or at once where one does and does not answer: a
     * browser may have frozen it.
     * @template T
     * @param {() => Promise<T>} run
     * @returns {Promise<T>}
     */
    exclusively<T>(run: () => Promise<T>): Promise<T>;
    /** Leave the link to another tab. */
    follow(): void;
    close(): void;
    #private;
}
export type Message = {
    type: string;
    [member: string]: any;
};
/**
 * What the browser has; tests pass their own.
 */
export type Ways = {
    locks?: LockManager | undefined;
    BroadcastChannel?: typeof BroadcastChannel | undefined;
};

/**
 * The tabs of one store: one holds the link (Web Locks), the others hear of changes
 * (BroadcastChannel). Where the browser has no Web Locks, or nobody else can see the store, each is
 * on its own; that is safe, since a page is applied only where the store stands at its cursor.
 */
export type Message = {
    type: string;
    [member: string]: any;
};
export type Ways = {
    locks?: LockManager | undefined;
    BroadcastChannel?: typeof BroadcastChannel | undefined;
};
/** @typedef {{type: string, [member: string]: any}} Message */
/**
 * @typedef {object} Ways What the browser has; tests hand in their own.
 * @property {LockManager | undefined} [locks]
 * @property {typeof BroadcastChannel | undefined} [BroadcastChannel]
 */
export declare class Tabs {
    #private;
    leads: boolean;
    /**
     * @param {string | null} store its name; `null` where no other tab can see it
     * @param {(message: Message) => void} heard
     * @param {Ways} [ways]
     */
    constructor(store: string | null, heard: (message: Message) => void, ways?: Ways);
    /** Tell the other tabs. @param {Message} message */
    tell(message: Message): void;
    /**
     * Hold the link as soon as no other tab does: `begin` is called then.
     * @param {() => void} begin
     */
    lead(begin: () => void): void;
    /** Let another tab have it. */
    follow(): void;
    close(): void;
}

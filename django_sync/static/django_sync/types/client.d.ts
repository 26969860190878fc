export { logTo } from "./log.js";
export { MemoryStore } from "./store/memory.js";
/** @import { PushOptions } from "./link/push_registration.js" */
/** @import { NetworkInfo } from "./net/network_monitor.js" */
/** @typedef {import("./auth.js").Auth} Auth */
/** @typedef {import("./link/transports.js").Transport} Transport */
/** @typedef {import("./store/encoding.js").Fields} Fields */
/** @typedef {import("./store/indexes.js").Indexes} Indexes */
/** @typedef {import("./errors.js").Problem} Problem */
/** @typedef {import("./callbacks.js").ChangeHandler} ChangeHandler */
/** @typedef {import("./callbacks.js").ConflictHandler} ConflictHandler */
/** @typedef {import("./callbacks.js").RejectionHandler} RejectionHandler */
/** @typedef {import("./callbacks.js").StatusHandler} StatusHandler */
/** @typedef {import("./link/states.js").State} State */
/** @typedef {import("./log.js").Log} Log */
/** @typedef {import("./store/query.js").Ordering} Ordering */
/** @typedef {import("./store/query.js").Wanted} Wanted */
/** @typedef {import("./store/storage.js").Storage} Storage */
/** @typedef {import("./store/tables.js").Store} Store */
/** @typedef {import("./link/tabs.js").Ways} Ways */
/** @typedef {import("./types.js").Change} Change */
/** @typedef {import("./types.js").Counts} Counts */
/** @typedef {import("./types.js").Mutation} Mutation */
/** @typedef {import("./types.js").Status} Status */
/**
 * @typedef {object} Options What `SyncClient.open()` takes.
 * @property {string | Store} store a name of your choice, one for each user: the IndexedDB database is
 *   `django_sync` and that name; or a store such as `MemoryStore`
 * @property {readonly string[]} collections the names to keep in step
 * @property {Indexes} [indexes] which fields have an index, by collection, such as `{cards: ["board", "due"]}`;
 *   without it the store keeps the indexes that it has
 * @property {Auth | null} [auth] the credentials; none without it
 * @property {readonly Transport[]} [transports] which transports the link may use; all without it
 * @property {Backoff} [backoff] how long it waits after failures; `new Backoff()` without it
 * @property {Pace} [pace] how often it polls; `new Pace()` without it
 * @property {boolean} [persist] ask the browser not to clear the store when room runs short; true without it
 * @property {number} [timeout] seconds to wait for an answer; 30 without it
 * @property {typeof fetch} [fetch] instead of the browser's
 * @property {typeof WebSocket} [WebSocket] instead of the browser's
 * @property {Ways} [tabs] instead of the browser's Web Locks and BroadcastChannel
 */
/**
 * A replica of a user's records in this browser, and the way to its server.
 *
 * Several tabs may open one store, with the same collections. One of them holds the link; changes
 * reach all of them. `SyncClient.open()` makes a client.
 */
export class SyncClient {
    /**
     * Open the store and make a client. Where the browser keeps nothing, the client works in memory;
     * `client.storage` shows which.
     * @param {string} url where the project mounts django_sync; may be relative to the page
     * @param {Options} options of which `store` and `collections` are needed
     * @returns {Promise<SyncClient>}
     * @throws {errors.StoreMismatch} where the store belongs to another server or user
     */
    static open(url: string, options: Options): Promise<SyncClient>;
    /** @internal @param {string} url @param {Storage} storage @param {Options} options */
    constructor(url: string, storage: Storage, options: Options);
    /** What keeps the records, and what the browser has promised. @type {Storage} */
    storage: Storage;
    /** Where the server is, absolute. */
    url: string;
    /** This installation's UUID; the store makes and keeps it. */
    clientId(): Promise<string>;
    /**
     * A collection to read and write.
     * @param {string} name as the server registered it
     * @throws {errors.UnknownCollection} where it is not among the client's
     */
    collection(name: string): Collection;
    /**
     * Make one full exchange: send the outbox, pull until nothing is left.
     * @returns {Promise<Counts>}
     * @throws {errors.Offline} and others of `errors`; nothing is lost, and the next call goes on from there
     */
    sync(): Promise<Counts>;
    /**
     * Stay in step in the background, from now on until `stop()` or `close()`. While another tab does
     * it, this tab takes over as soon as that one ends. Where it runs already, the link tries again at
     * once what waits for the user, such as new credentials.
     */
    start(): void;
    /** Stop the background, also in the middle of a request. `start()` starts it again. */
    stop(): Promise<void>;
    /**
     * Wait until the background has made one full exchange that began after this call, in whichever
     * tab it is.
     * @param {{timeout?: number}} [how] seconds; 30 without it
     * @throws {errors.NotInStep} after that time, and what the link waits for its user with
     */
    waitUntilSynced({ timeout }?: {
        timeout?: number;
    }): Promise<void>;
    /**
     * Report what the page knows of the network; what is left out stays as it was. The client handles
     * the browser's own events by itself: online, offline, another network where the browser reports
     * it, the page visible again.
     * @param {NetworkInfo} info `type` is "wifi", "cellular", "ethernet", "unknown", or "none", which is `online: false`;
     *   `metered`: whether it costs; `foreground`: whether the user looks at the page
     * @throws {TypeError} for an unknown type
     */
    network(info: NetworkInfo): void;
    /**
     * Take a wake-up: the payload of a push. It is on the disk when the promise is fulfilled, and
     * handled as docs/reference/wake-ups.md describes; where no tab runs, by the next `sync()` or `start()`.
     * @param {unknown} payload JSON, or already decoded
     * @returns {Promise<boolean>} whether it was a wake-up for this client; everything else is ignored
     */
    wake(payload: unknown): Promise<boolean>;
    /**
     * Handle the remembered wake-ups, where no tab does: pull, and send nothing. For service workers,
     * which have no link.
     * @param {import("./link/wakeups.js").Event} [event] what has happened, for the tab that holds the link
     * @returns {Promise<Counts | null>} `null` where none is remembered, or a tab handles it
     */
    catchUp(event?: import("./link/wakeups.js").Event): Promise<Counts | null>;
    /**
     * Have the server wake this browser while no page is open. The user is asked, so call it from a
     * click. The page needs a service worker with the handlers of `worker.js`.
     * @param {PushOptions} [asked]
     * @throws {errors.NotSupported} where the browser, the user or the server does not allow it
     * @throws {errors.Offline} where the server's key is not known and the server does not answer
     */
    enablePush(asked?: PushOptions): Promise<void>;
    /** Whether this browser can be woken and the server offers it; `false` where that cannot be asked now. */
    isPushOffered(): Promise<boolean>;
    /** No longer wake this browser. @param {{registration?: ServiceWorkerRegistration}} [asked] */
    disablePush({ registration }?: {
        registration?: ServiceWorkerRegistration;
    }): Promise<void>;
    /** The browser has made another subscription: store it, and report it to the server. For service workers. @param {PushSubscriptionJSON} subscription */
    renewPush(subscription: PushSubscriptionJSON): Promise<void>;
    /** How the server may wake this browser, or `null`; its `problem` is the reason why the server will not. */
    get push(): {
        problem: errors.SyncError | null;
        subscription: PushSubscriptionJSON;
        vapidKey: string;
        /**
         * `null`: no notification is shown
         */
        notify: import("./link/push_registration.js").Notify | null;
        /**
         * of the server
         */
        url: string;
        collections: string[];
        user: string | null;
    } | null;
    /** What the client knows about its sync, now. @returns {Status} */
    get status(): Status;
    /** Mutations without a final result, in order. @returns {Promise<Mutation[]>} */
    outbox(): Promise<Mutation[]>;
    /** Conflicts that wait for a decision, over restarts too; `settle()` each. @returns {Promise<Conflict[]>} */
    conflicts(): Promise<Conflict[]>;
    /** Refused mutations with which no handler was called yet. @returns {Promise<Rejection[]>} */
    rejections(): Promise<Rejection[]>;
    /**
     * Call `handler` with each change of what the user sees in a collection, or in all (`null`).
     * Only the tab that holds the link calls it with a snapshot's content; live queries have it in all tabs.
     * @param {string | null} collection its name
     * @param {ChangeHandler} handler
     * @returns {() => void} which removes it
     */
    onChange(collection: string | null, handler: ChangeHandler): () => void;
    /**
     * Ask `handler` about each new conflict: it may give a resolution, or nothing to leave it open.
     * @param {ConflictHandler} handler
     * @returns {() => void} which removes it
     */
    onConflict(handler: ConflictHandler): () => void;
    /**
     * Call `handler` with mutations that the server refused for good. Each is kept until there was a handler.
     * @param {RejectionHandler} handler
     * @returns {() => void} which removes it
     */
    onRejected(handler: RejectionHandler): () => void;
    /** Call `handler` when `status` changes. @param {StatusHandler} handler @returns {() => void} which removes it */
    onStatus(handler: StatusHandler): () => void;
    /**
     * Forget the replica; the next exchange pulls everything again. Outbox and conflicts stay.
     * @param {{wipe?: boolean}} [how] `wipe` forgets everything, as for a log-out, and stops the link in
     *   all tabs
     */
    reset({ wipe }?: {
        wipe?: boolean;
    }): Promise<void>;
    /** Stop the background and close the store. A second call does nothing. */
    close(): Promise<void>;
    #private;
}
export type Auth = import("./auth.js").Auth;
export type Transport = import("./link/transports.js").Transport;
export type Fields = import("./store/encoding.js").Fields;
export type Indexes = import("./store/indexes.js").Indexes;
export type Problem = import("./errors.js").Problem;
export type ChangeHandler = import("./callbacks.js").ChangeHandler;
export type ConflictHandler = import("./callbacks.js").ConflictHandler;
export type RejectionHandler = import("./callbacks.js").RejectionHandler;
export type StatusHandler = import("./callbacks.js").StatusHandler;
export type State = import("./link/states.js").State;
export type Log = import("./log.js").Log;
export type Ordering = import("./store/query.js").Ordering;
export type Wanted = import("./store/query.js").Wanted;
export type Storage = import("./store/storage.js").Storage;
export type Store = import("./store/tables.js").Store;
export type Ways = import("./link/tabs.js").Ways;
export type Change = import("./types.js").Change;
export type Counts = import("./types.js").Counts;
export type Mutation = import("./types.js").Mutation;
export type Status = import("./types.js").Status;
/**
 * What `SyncClient.open()` takes.
 */
export type Options = {
    /**
     * a name of your choice, one for each user: the IndexedDB database is
     * `django_sync` and that name; or a store such as `MemoryStore`
     */
    store: string | Store;
    /**
     * the names to keep in step
     */
    collections: readonly string[];
    /**
     * which fields have an index, by collection, such as `{cards: ["board", "due"]}`;
     * without it the store keeps the indexes that it has
     */
    indexes?: import("./store/indexes.js").Indexes | undefined;
    /**
     * the credentials; none without it
     */
    auth?: import("./auth.js").Auth | null | undefined;
    /**
     * which transports the link may use; all without it
     */
    transports?: readonly import("./link/transports.js").Transport[] | undefined;
    /**
     * how long it waits after failures; `new Backoff()` without it
     */
    backoff?: Backoff | undefined;
    /**
     * how often it polls; `new Pace()` without it
     */
    pace?: Pace | undefined;
    /**
     * ask the browser not to clear the store when room runs short; true without it
     */
    persist?: boolean | undefined;
    /**
     * seconds to wait for an answer; 30 without it
     */
    timeout?: number | undefined;
    /**
     * instead of the browser's
     */
    fetch?: typeof fetch | undefined;
    /**
     * instead of the browser's
     */
    WebSocket?: {
        new (url: string | URL, protocols?: string | string[]): WebSocket;
        prototype: WebSocket;
        readonly CONNECTING: 0;
        readonly OPEN: 1;
        readonly CLOSING: 2;
        readonly CLOSED: 3;
    } | undefined;
    /**
     * instead of the browser's Web Locks and BroadcastChannel
     */
    tabs?: import("./link/tabs.js").Ways | undefined;
};
import { Backoff } from "./backoff.js";
import { Collection } from "./collection.js";
import { Conflict } from "./conflicts.js";
import * as errors from "./errors.js";
import { LiveQuery } from "./livequery.js";
import { Pace } from "./link/pace.js";
import { Record } from "./types.js";
import { Rejection } from "./types.js";
import { Resolution } from "./conflicts.js";
import type { NetworkInfo } from "./net/network_monitor.js";
import type { PushOptions } from "./link/push_registration.js";
export { Backoff, Collection, Conflict, errors, LiveQuery, Pace, Record, Rejection, Resolution };
export { BasicAuth, BearerAuth, SessionAuth, TokenAuth } from "./auth.js";

/**
 * Subscribe. A subscription for another key of the server ends: the push service would refuse its
 * pushes (RFC 8292, section 4.2).
 * @param {PushManager} manager
 * @param {string} vapidKey in base64url
 */
export function subscribe(manager: PushManager, vapidKey: string): Promise<PushSubscription>;
/** @import { SyncError } from "../errors.js" */
/** @import { Database } from "../store/database.js" */
/**
 * @typedef {object} Notify The content of the notification, where the page asks for one.
 * @property {string} title
 * @property {string} [body]
 * @property {string} [icon] its address
 * @property {string} [url] the page that a click opens
 */
/**
 * @typedef {object} Enabled What is kept of it in the store, for the service worker as well.
 * @property {PushSubscriptionJSON} subscription
 * @property {string} vapidKey
 * @property {Notify | null} notify `null`: no notification is shown
 * @property {string} url of the server
 * @property {string[]} collections
 * @property {string | null} user
 */
/**
 * @typedef {object} PushOptions How to be woken.
 * @property {string | null} [vapidKey] in base64url; the server's own without it
 * @property {Notify | null} [notify] the content of the notification; none is shown without it
 * @property {ServiceWorkerRegistration} [registration] the page's own without it
 */
/** A session's `push`. @typedef {{kind: "webpush", subscription: PushSubscriptionJSON} | null} SessionPush */
/** One store's push. */
export class PushRegistration {
    /** @param {Database} db @param {{url: string, collections: readonly string[], user: string | null}} about */
    constructor(db: Database, about: {
        url: string;
        collections: readonly string[];
        user: string | null;
    });
    /** @type {Enabled | null} */
    enabled: Enabled | null;
    /** Read what is kept; another tab, or the worker, may have written it. */
    load(): Promise<void>;
    /** What the session reports. @returns {SessionPush} */
    get push(): SessionPush;
    /** The server does not accept it. @param {SessionPush} push @param {SyncError} error */
    refused(push: SessionPush, error: SyncError): void;
    /** Why the server will not wake this browser. @type {SyncError | null} */
    problem: SyncError | null;
    /**
     * Ask the user and the browser; store the subscription.
     * @param {PushOptions & {vapidKey: string}} asked
     * @throws {NotSupported} where the browser, its user or its push service does not allow it
     */
    enable({ vapidKey, notify, registration }: PushOptions & {
        vapidKey: string;
    }): Promise<void>;
    /** Store a subscription, in place of the earlier one. @param {Pick<Enabled, "subscription" | "vapidKey" | "notify">} push */
    keep(push: Pick<Enabled, "subscription" | "vapidKey" | "notify">): Promise<void>;
    /** No longer wake this browser. @param {ServiceWorkerRegistration} [registration] */
    disable(registration?: ServiceWorkerRegistration): Promise<void>;
    #private;
}
/**
 * The content of the notification, where the page asks for one.
 */
export type Notify = {
    title: string;
    body?: string | undefined;
    /**
     * its address
     */
    icon?: string | undefined;
    /**
     * the page that a click opens
     */
    url?: string | undefined;
};
/**
 * What is kept of it in the store, for the service worker as well.
 */
export type Enabled = {
    subscription: PushSubscriptionJSON;
    vapidKey: string;
    /**
     * `null`: no notification is shown
     */
    notify: Notify | null;
    /**
     * of the server
     */
    url: string;
    collections: string[];
    user: string | null;
};
/**
 * How to be woken.
 */
export type PushOptions = {
    /**
     * in base64url; the server's own without it
     */
    vapidKey?: string | null | undefined;
    /**
     * the content of the notification; none is shown without it
     */
    notify?: Notify | null | undefined;
    /**
     * the page's own without it
     */
    registration?: ServiceWorkerRegistration | undefined;
};
/**
 * A session's `push`.
 */
export type SessionPush = {
    kind: "webpush";
    subscription: PushSubscriptionJSON;
} | null;
import type { SyncError } from "../errors.js";
import type { Database } from "../store/database.js";

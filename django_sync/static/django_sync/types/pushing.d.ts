/** @import { Background } from "./background.js" */
/** @import { Database } from "./database.js" */
/** @import { Asked, Enabling } from "./enabling.js" */
/** @import { Exchange } from "./exchange.js" */
/** @import { Network } from "./network.js" */
/** @import { Together } from "./together.js" */
/** @import { Wakes } from "./wakes.js" */
/** @import { Counts } from "./views.js" */
/** @import { Event } from "./wakeups.js" */
/**
 * @typedef {object} Parts What push stands on.
 * @property {Database} db
 * @property {readonly string[]} names of the collections
 * @property {Network} network
 * @property {Exchange} exchange
 * @property {Wakes} wakes
 * @property {Enabling} enabling
 * @property {Together} together
 * @property {Background} background
 */
/** One client's push. */
export class Pushing {
    /** @param {Parts} parts */
    constructor(parts: Parts);
    /** How the server may wake this browser, or `null`. */
    get told(): {
        problem: SyncError | null;
        subscription: PushSubscriptionJSON;
        vapidKey: string;
        /**
         * `null`: no notification is shown
         */
        notify: import("./enabling.js").Notify | null;
        /**
         * of the server
         */
        url: string;
        collections: string[];
        user: string | null;
    } | null;
    /** Read what is kept; whoever holds the link tells the server, where it knows otherwise. */
    load(): Promise<void>;
    /** @param {unknown} payload */
    wake(payload: unknown): Promise<boolean>;
    /** @param {Event} event @returns {Promise<Counts | null>} */
    catchUp(event: Event): Promise<Counts | null>;
    isOffered(): Promise<boolean>;
    /** @param {Asked} [asked] */
    enable({ vapidKey, ...asked }?: Asked): Promise<void>;
    /** @param {ServiceWorkerRegistration} [registration] */
    disable(registration?: ServiceWorkerRegistration): Promise<void>;
    /** @param {PushSubscriptionJSON} subscription */
    renew(subscription: PushSubscriptionJSON): Promise<void>;
    #private;
}
/**
 * What push stands on.
 */
export type Parts = {
    db: Database;
    /**
     * of the collections
     */
    names: readonly string[];
    network: Network;
    exchange: Exchange;
    wakes: Wakes;
    enabling: Enabling;
    together: Together;
    background: Background;
};
import { SyncError } from "./errors.js";
import type { Event } from "./wakeups.js";
import type { Counts } from "./views.js";
import type { Asked } from "./enabling.js";
import type { Database } from "./database.js";
import type { Network } from "./network.js";
import type { Exchange } from "./exchange.js";
import type { Wakes } from "./wakes.js";
import type { Enabling } from "./enabling.js";
import type { Together } from "./together.js";
import type { Background } from "./background.js";

/**
 * Whether and how the server may wake this browser. The browser gives a subscription, the store
 * keeps it, the session reports it. `worker.js` handles the pushes.
 */

import { NotSupported } from "../errors.js";

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
  #db;
  #about;
  /** What the server would not take, as JSON. @type {string | null} */
  #refused = null;
  /** @type {Enabled | null} */
  enabled = null;

  /** @param {Database} db @param {{url: string, collections: readonly string[], user: string | null}} about */
  constructor(db, about) {
    this.#db = db;
    this.#about = about;
  }

  /** Read what is kept; another tab, or the worker, may have written it. */
  async load() {
    this.enabled = await this.#db.read(async (tx) => tx.meta.push ?? null);
  }

  /** What the session reports. @returns {SessionPush} */
  get push() {
    if (this.enabled === null) return null;
    /** @type {SessionPush} */
    const push = { kind: "webpush", subscription: this.enabled.subscription };
    return JSON.stringify(push) === this.#refused ? null : push;
  }

  /** The server does not accept it. @param {SessionPush} push @param {SyncError} error */
  refused(push, error) {
    this.#refused = JSON.stringify(push);
    this.problem = error;
  }

  /** Why the server will not wake this browser. @type {SyncError | null} */
  problem = null;

  /**
   * Ask the user and the browser; store the subscription.
   * @param {PushOptions & {vapidKey: string}} asked
   * @throws {NotSupported} where the browser, its user or its push service does not allow it
   */
  async enable({ vapidKey, notify = null, registration }) {
    const found = registration ?? (await pageRegistration());
    if (found?.pushManager === undefined) throw new NotSupported("This browser cannot be woken by push.");
    if ((await globalThis.Notification?.requestPermission()) !== "granted") {
      throw new NotSupported("Notifications are not allowed, and without them browsers accept no push.");
    }
    const subscription = (await subscribe(found.pushManager, vapidKey)).toJSON();
    await this.keep({ subscription, vapidKey, notify });
  }

  /** Store a subscription, in place of the earlier one. @param {Pick<Enabled, "subscription" | "vapidKey" | "notify">} push */
  async keep(push) {
    const { url, collections, user } = this.#about;
    this.#refused = this.problem = null;
    this.enabled = { ...push, url, collections: [...collections], user };
    await this.#db.write(async (tx) => tx.set({ push: this.enabled }), { durable: true });
  }

  /** No longer wake this browser. @param {ServiceWorkerRegistration} [registration] */
  async disable(registration) {
    this.enabled = null;
    await this.#db.write(async (tx) => tx.set({ push: null }), { durable: true });
    const found = registration ?? (await pageRegistration());
    await (await found?.pushManager?.getSubscription())?.unsubscribe();
  }
}

/** The page's service worker, if it has one. */
async function pageRegistration() {
  return globalThis.navigator?.serviceWorker?.getRegistration();
}

/**
 * Subscribe. A subscription for another key of the server ends: the push service would refuse its
 * pushes (RFC 8292, section 4.2).
 * @param {PushManager} manager
 * @param {string} vapidKey in base64url
 */
export async function subscribe(manager, vapidKey) {
  const applicationServerKey = bytesOf(vapidKey);
  const before = await manager.getSubscription();
  const its = before?.options.applicationServerKey;
  if (before !== null && !(its && isSame(new Uint8Array(its), applicationServerKey))) await before.unsubscribe();
  try {
    return await manager.subscribe({ userVisibleOnly: true, applicationServerKey });
  } catch (error) {
    throw new NotSupported(`The browser's push service does not accept the subscription: ${error}`, { cause: error });
  }
}

/** @param {string} text base64url (RFC 4648, section 5) */
function bytesOf(text) {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (sign) => sign.charCodeAt(0));
  } catch (error) {
    throw new NotSupported("The server's key for push is no base64url.", { cause: error });
  }
}

/** @param {Uint8Array} one @param {Uint8Array} other */
function isSame(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

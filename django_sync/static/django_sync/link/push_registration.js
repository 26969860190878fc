/**
 * Whether and how the server may wake this browser: asked of the browser, kept in the store, told
 * with the session. What a push then does is for `worker.js`.
 */

import { NotSupported } from "../errors.js";

/** @import { SyncError } from "../errors.js" */
/** @import { Database } from "../store/database.js" */

/**
 * @typedef {object} Notify What a notification says where the user asked for one.
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
 * @property {Notify | null} [notify] what a notification says; none is shown without it
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

  /** What the session is to tell. @returns {SessionPush} */
  get push() {
    if (this.enabled === null) return null;
    /** @type {SessionPush} */
    const push = { kind: "webpush", subscription: this.enabled.subscription };
    return JSON.stringify(push) === this.#refused ? null : push;
  }

  /** The server does not do that. @param {SessionPush} push @param {SyncError} error */
  refused(push, error) {
    this.#refused = JSON.stringify(push);
    this.problem = error;
  }

  /** Why the server will not wake this browser. @type {SyncError | null} */
  problem = null;

  /**
   * Ask the user and the browser; keep what they say.
   * @param {PushOptions & {vapidKey: string}} asked
   * @throws {NotSupported} where the browser, its user or its push service do not let us
   */
  async enable({ vapidKey, notify = null, registration }) {
    const found = registration ?? (await pageRegistration());
    if (found?.pushManager === undefined) throw new NotSupported("This browser cannot be woken by push.");
    if ((await globalThis.Notification?.requestPermission()) !== "granted") {
      throw new NotSupported("Notifications are not allowed, and without them browsers let no push in.");
    }
    const subscription = (await subscribe(found.pushManager, vapidKey)).toJSON();
    await this.keep({ subscription, vapidKey, notify });
  }

  /** Keep a subscription, in place of the one that was. @param {Pick<Enabled, "subscription" | "vapidKey" | "notify">} push */
  async keep(push) {
    const { url, collections, user } = this.#about;
    this.#refused = this.problem = null;
    this.enabled = { ...push, url, collections: [...collections], user };
    await this.#db.write(async (tx) => tx.set({ push: this.enabled }), { durable: true });
  }

  /** Be woken no more. @param {ServiceWorkerRegistration} [registration] */
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
 * Subscribe. A subscription that was made for another key of the server's ends: its pushes would not
 * be taken (RFC 8292, section 4.2).
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
    throw new NotSupported(`The browser's push service does not take us: ${error}`, { cause: error });
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

/**
 * What a service worker does when the server wakes the browser.
 *
 *     import { handlePush } from "/static/django_sync/worker.js";
 *     handlePush(self);
 *
 * A push carries no data. It is remembered in the store first. Then, if a page is open, that page
 * handles it; else the worker pulls into the same store. Background Sync tries again what fails,
 * where the browser has it, and the next push or page does in any case.
 *
 * Browsers demand that the user sees each push (`userVisibleOnly`). Where the page asked for no
 * notification, the browser may show one of its own, and Safari ends the subscription.
 * docs/howto/web/browser-push.md lists what each browser demands.
 */

import { SessionAuth, SyncClient } from "./client.js";
import { log } from "./log.js";
import { subscribe } from "./link/push_registration.js";
import { WakeupStore } from "./store/wakeup_store.js";
import { concerns, readWakeUp } from "./link/wakeups.js";
import { Database } from "./store/database.js";
import { IndexedDBStore } from "./store/indexeddb.js";

/** @import { Enabled, Notify } from "./link/push_registration.js" */
/** @import { Event } from "./link/wakeups.js" */

/** The names of our databases begin with this; the name that the client gave follows. */
const PREFIX = "django_sync ";

/** The tag of our Background Sync events. */
const TAG = "django_sync";

/** @typedef {Enabled & {store: string}} StoredPush What a client keeps of its push; `store` is its name. */

/**
 * @typedef {object} Options
 * @property {(push: StoredPush) => Promise<SyncClient>} [open] opens the client of a store; with the
 *   browser's session cookie without it
 * @property {(push: StoredPush, changes: number | null) => Notify | null} [notification] what is shown,
 *   `null` for nothing; `changes` is how many came in, `null` where they could not be fetched
 */

/**
 * Handle `push`, `pushsubscriptionchange`, `notificationclick` and `sync`.
 * @param {any} scope the worker's global scope
 * @param {Options} [options]
 */
export function handlePush(scope, options = {}) {
  const worker = new Worker(scope, options);
  scope.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(worker.pushed(textOf(event.data))));
  scope.addEventListener("pushsubscriptionchange", (/** @type {any} */ event) => event.waitUntil(worker.renewed(event.newSubscription)));
  scope.addEventListener("sync", (/** @type {any} */ event) => {
    if (event.tag === TAG) event.waitUntil(worker.retried());
  });
  scope.addEventListener("notificationclick", (/** @type {any} */ event) => {
    if (!String(event.notification.tag).startsWith(PREFIX)) return;
    event.notification.close();
    event.waitUntil(worker.clicked(event.notification.data));
  });
}

/** @param {any} data a `PushMessageData` */
function textOf(data) {
  return data === null || data === undefined ? "" : data.text();
}

class Worker {
  #scope;
  #open;
  #notification;
  /** One push at a time: many may come at once. @type {Promise<unknown>} */
  #queue = Promise.resolve();

  /** @param {any} scope @param {Options} options */
  constructor(scope, { open = openClient, notification = requestedNotification }) {
    this.#scope = scope;
    this.#open = open;
    this.#notification = notification;
  }

  /** @param {string} text */
  async pushed(text) {
    const wakeUp = readWakeUp(text);
    if (wakeUp === null) return;
    /** @type {[StoredPush, Event][]} */
    const woken = [];
    for (const push of await storedPushes(wakeUp.session)) {
      if (!concerns(wakeUp, push.collections)) continue;
      const first = await withStore(push.store, (db) => new WakeupStore(db).remember());
      woken.push([push, first ? "woken" : "again"]);
    }
    await this.#serially(async () => {
      for (const [push, event] of woken) {
        if (!(await this.#fetch(push, event))) await this.#retryLater();
      }
    });
  }

  /** Background Sync has a network again. What fails rejects, so that the browser comes back. */
  async retried() {
    await this.#serially(async () => {
      for (const push of await storedPushes()) {
        if (!(await this.#fetch(push, "waits"))) throw new Error(`${push.store} could not be fetched.`);
      }
    });
  }

  /** The browser has ended a subscription, and may have made another. @param {PushSubscription | null | undefined} made */
  async renewed(made) {
    for (const push of await storedPushes()) {
      const { pushManager } = this.#scope.registration;
      const subscription = made ?? (await subscribe(pushManager, push.vapidKey));
      const client = await this.#open(push);
      try {
        await client.renewPush(subscription.toJSON());
      } catch (error) {
        log.warn("The server does not know of the new subscription; the next page reports it:", error);
      } finally {
        await client.close();
      }
    }
  }

  /** @param {{url: string | null}} data of the notification */
  async clicked({ url }) {
    const { clients, registration } = this.#scope;
    const target = new URL(url ?? registration.scope, registration.scope).href;
    const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
    const found = windows.find((/** @type {any} */ one) => one.url === target) ??
      windows.find((/** @type {any} */ one) => one.url.startsWith(registration.scope));
    await (found === undefined ? clients.openWindow(target) : found.focus());
  }

  /** @param {() => Promise<void>} run */
  #serially(run) {
    const done = this.#queue.then(run);
    this.#queue = done.catch(() => undefined); // the caller gets the error from `done`
    return done;
  }

  /** Fetch what the wake-ups of a store are for; return whether it is fetched, or a page does it. @param {StoredPush} push @param {Event} event */
  async #fetch(push, event) {
    if (!(await withStore(push.store, (db) => new WakeupStore(db).hasPending()))) return true;
    /** @type {number | null} */
    let changes = null;
    let isDone = false;
    try {
      const client = await this.#open(push);
      try {
        const counts = await client.catchUp(event);
        if (counts === null) return true; // a page does it, and its user sees it there
        changes = counts.changes;
        isDone = true;
      } finally {
        await client.close();
      }
    } catch (error) {
      log.info(`${push.store} could not be fetched:`, error);
    }
    const isNews = changes === null ? event === "woken" : changes > 0; // of repeated failures only the first is shown
    if (isNews) await this.#show(push, changes);
    return isDone;
  }

  /** @param {StoredPush} push @param {number | null} changes */
  async #show(push, changes) {
    const { clients, registration } = this.#scope;
    const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
    const notification = this.#notification(push, changes);
    if (notification === null || windows.some((/** @type {any} */ one) => one.visibilityState === "visible")) return;
    const { title, url = null, ...more } = notification;
    await registration.showNotification(title, { ...more, tag: PREFIX + push.store, data: { url } });
  }

  async #retryLater() {
    try {
      await this.#scope.registration.sync?.register(TAG);
    } catch (error) {
      log.info("The browser does not try again by itself:", error); // it is not allowed
    }
  }
}

/** What the user asked for, if anything. @param {StoredPush} kept */
function requestedNotification({ notify }) {
  return notify;
}

/** @param {StoredPush} kept */
function openClient({ store, url, collections, user }) {
  return SyncClient.open(url, { store, collections, auth: new SessionAuth({ user }), persist: false });
}

/**
 * The stores whose user wants to be woken: that of a session, or all where it is none's.
 * @param {string} [session]
 * @returns {Promise<StoredPush[]>}
 */
async function storedPushes(session = "") {
  /** @type {{push: StoredPush, session: string | null | undefined}[]} */
  const found = [];
  for (const { name = "" } of await globalThis.indexedDB.databases()) {
    if (!name.startsWith(PREFIX)) continue;
    const store = name.slice(PREFIX.length);
    try {
      const meta = await withStore(store, (db) => db.read(async (tx) => tx.meta));
      if (meta.push) found.push({ push: { ...meta.push, store }, session: meta.session });
    } catch (error) {
      log.info(`The store ${store} cannot be read here:`, error);
    }
  }
  const its = found.filter((one) => one.session === session);
  return (its.length > 0 ? its : found).map(({ push }) => push);
}

/**
 * @template T
 * @param {string} name
 * @param {(db: Database) => Promise<T>} run
 */
async function withStore(name, run) {
  const store = await new IndexedDBStore(PREFIX + name, globalThis.indexedDB).open();
  try {
    return await run(new Database(store));
  } finally {
    store.close();
  }
}

/** `SyncClient`, the public API. `parts.js` makes what is behind it. */

import { Backoff } from "./backoff.js";
import { Collection } from "./collection.js";
import { Conflict, Resolution } from "./conflicts.js";
import * as errors from "./errors.js";
import { watchPage } from "./link/browser_events.js";
import { Pace } from "./link/pace.js";
import { LiveQuery } from "./livequery.js";
import { assemble } from "./parts.js";
import { declared } from "./store/indexes.js";
import { isOpen, mutationsOf } from "./store/overlay.js";
import { rejectionsOf } from "./store/results.js";
import { openStorage } from "./store/storage.js";
import { Record, Rejection } from "./types.js";

export { BasicAuth, BearerAuth, SessionAuth, TokenAuth } from "./auth.js";
export { logTo } from "./log.js";
export { MemoryStore } from "./store/memory.js";
// Imported first and then exported: else the declarations would lack what this file names itself.
export { Backoff, Collection, Conflict, errors, LiveQuery, Pace, Record, Rejection, Resolution };

/** @import { PushOptions } from "./link/push_registration.js" */
/** @import { NetworkInfo } from "./net/network_monitor.js" */

// The types that users import: `import { SyncClient, type Status } from "…/client.js"`.
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
  #parts;
  #stopWatching;
  /** What keeps the records, and what the browser has promised. @type {Storage} */
  storage;

  /** @internal @param {string} url @param {Storage} storage @param {Options} options */
  constructor(url, storage, options) {
    /** Where the server is, absolute. */
    this.url = url;
    this.storage = storage;
    this.#parts = assemble(url, storage, options, () => void this.stop());
    this.#stopWatching = watchPage((info) => this.network(info), () => this.#parts.background.leave());
  }

  /**
   * Open the store and make a client. Where the browser keeps nothing, the client works in memory;
   * `client.storage` shows which.
   * @param {string} url where the project mounts django_sync; may be relative to the page
   * @param {Options} options of which `store` and `collections` are needed
   * @returns {Promise<SyncClient>}
   * @throws {errors.StoreMismatch} where the store belongs to another server or user
   */
  static async open(url, options) {
    const indexes = options.indexes && declared(options.indexes, options.collections);
    const absolute = new URL(url.endsWith("/") ? url : `${url}/`, globalThis.location?.href).href;
    const storage = await openStorage(options.store, options.persist ?? true);
    const client = new SyncClient(absolute, storage, options);
    try {
      await client.#parts.owner.check();
      if (indexes) await client.#parts.db.declare(indexes);
    } catch (error) {
      await client.close();
      throw error;
    }
    await client.#parts.push.load();
    await client.#parts.status.recount();
    client.#parts.tabs.askStatus();
    return client;
  }

  /** This installation's UUID; the store makes and keeps it. */
  async clientId() {
    return (await this.#parts.replica.place()).clientId;
  }

  /**
   * A collection to read and write.
   * @param {string} name as the server registered it
   * @throws {errors.UnknownCollection} where it is not among the client's
   */
  collection(name) {
    if (!this.#parts.names.includes(name)) {
      throw new errors.UnknownCollection(`${name} is not among the client's collections.`);
    }
    return new Collection(name, this.#parts.db, this.#parts.observers);
  }

  /**
   * Make one full exchange: send the outbox, pull until nothing is left.
   * @returns {Promise<Counts>}
   * @throws {errors.Offline} and others of `errors`; nothing is lost, and the next call goes on from there
   */
  async sync() {
    try {
      const counts = await this.#parts.exchange.run();
      this.#parts.status.show({ problem: null, retryAt: null });
      if (this.#parts.background.state !== "live") this.#parts.background.post("reachable");
      return counts;
    } catch (error) {
      if (error instanceof errors.SyncError) this.#parts.status.show({ problem: error });
      if (error instanceof errors.Offline) this.#parts.networkMonitor.recordAnswer(error);
      throw error;
    } finally {
      await this.#parts.status.recount();
    }
  }

  /**
   * Stay in step in the background, from now on until `stop()` or `close()`. While another tab does
   * it, this tab takes over as soon as that one ends. Where it runs already, the link tries again at
   * once what waits for the user, such as new credentials.
   */
  start() {
    if (this.#parts.tabs.leads) this.#parts.background.start();
    else this.#parts.tabs.lead();
  }

  /** Stop the background, also in the middle of a request. `start()` starts it again. */
  async stop() {
    await this.#parts.background.stop();
    this.#parts.tabs.follow();
    this.#parts.status.show({ leads: false });
  }

  /**
   * Wait until the background has made one full exchange that began after this call, in whichever
   * tab it is.
   * @param {{timeout?: number}} [how] seconds; 30 without it
   * @throws {errors.NotInStep} after that time, and what the link waits for its user with
   */
  async waitUntilSynced({ timeout = 30 } = {}) {
    const alone = this.#parts.tabs.leads || this.#parts.db.name === null;
    await (alone ? this.#parts.background : this.#parts.tabs).waitUntilSynced(timeout);
  }

  /**
   * Report what the page knows of the network; what is left out stays as it was. The client handles
   * the browser's own events by itself: online, offline, another network where the browser reports
   * it, the page visible again.
   * @param {NetworkInfo} info `type` is "wifi", "cellular", "ethernet", "unknown", or "none", which is `online: false`;
   *   `metered`: whether it costs; `foreground`: whether the user looks at the page
   * @throws {TypeError} for an unknown type
   */
  network(info) {
    const { type } = this.#parts.networkMonitor.update(info);
    this.#parts.background.post(type === "none" ? "unreachable" : "reachable");
  }

  /**
   * Take a wake-up: the payload of a push. It is on the disk when the promise is fulfilled, and
   * handled as docs/reference/wake-ups.md describes; where no tab runs, by the next `sync()` or `start()`.
   * @param {unknown} payload JSON, or already decoded
   * @returns {Promise<boolean>} whether it was a wake-up for this client; everything else is ignored
   */
  async wake(payload) {
    return this.#parts.push.wake(payload);
  }

  /**
   * Handle the remembered wake-ups, where no tab does: pull, and send nothing. For service workers,
   * which have no link.
   * @param {import("./link/wakeups.js").Event} [event] what has happened, for the tab that holds the link
   * @returns {Promise<Counts | null>} `null` where none is remembered, or a tab handles it
   */
  async catchUp(event = "waits") {
    try {
      return await this.#parts.push.catchUp(event);
    } finally {
      await this.#parts.status.recount();
    }
  }

  /**
   * Have the server wake this browser while no page is open. The user is asked, so call it from a
   * click. The page needs a service worker with the handlers of `worker.js`.
   * @param {PushOptions} [asked]
   * @throws {errors.NotSupported} where the browser, the user or the server does not allow it
   * @throws {errors.Offline} where the server's key is not known and the server does not answer
   */
  async enablePush(asked) {
    await this.#parts.push.enable(asked);
  }

  /** Whether this browser can be woken and the server offers it; `false` where that cannot be asked now. */
  async isPushOffered() {
    return this.#parts.push.isOffered();
  }

  /** No longer wake this browser. @param {{registration?: ServiceWorkerRegistration}} [asked] */
  async disablePush({ registration } = {}) {
    await this.#parts.push.disable(registration);
  }

  /** The browser has made another subscription: store it, and report it to the server. For service workers. @param {PushSubscriptionJSON} subscription */
  async renewPush(subscription) {
    await this.#parts.push.renew(subscription);
  }

  /** How the server may wake this browser, or `null`; its `problem` is the reason why the server will not. */
  get push() {
    return this.#parts.push.info;
  }

  /** What the client knows about its sync, now. @returns {Status} */
  get status() {
    return this.#parts.status.status;
  }

  /** Mutations without a final result, in order. @returns {Promise<Mutation[]>} */
  async outbox() {
    const rows = await this.#parts.db.read((tx) => tx.list("outbox"));
    return mutationsOf(rows.filter(isOpen));
  }

  /** Conflicts that wait for a decision, over restarts too; `settle()` each. @returns {Promise<Conflict[]>} */
  conflicts() {
    return this.#parts.observers.conflicts();
  }

  /** Refused mutations with which no handler was called yet. @returns {Promise<Rejection[]>} */
  async rejections() {
    return [...(await this.#parts.db.read(rejectionsOf)).values()];
  }

  /**
   * Call `handler` with each change of what the user sees in a collection, or in all (`null`).
   * Only the tab that holds the link calls it with a snapshot's content; live queries have it in all tabs.
   * @param {string | null} collection its name
   * @param {ChangeHandler} handler
   * @returns {() => void} which removes it
   */
  onChange(collection, handler) {
    if (collection !== null) this.collection(collection);
    return this.#parts.observers.callbacks.onChange(collection, handler);
  }

  /**
   * Ask `handler` about each new conflict: it may give a resolution, or nothing to leave it open.
   * @param {ConflictHandler} handler
   * @returns {() => void} which removes it
   */
  onConflict(handler) {
    return this.#parts.observers.callbacks.onConflict(handler);
  }

  /**
   * Call `handler` with mutations that the server refused for good. Each is kept until there was a handler.
   * @param {RejectionHandler} handler
   * @returns {() => void} which removes it
   */
  onRejected(handler) {
    const forget = this.#parts.observers.callbacks.onRejected(handler);
    void this.#parts.observers.reportRejections();
    return forget;
  }

  /** Call `handler` when `status` changes. @param {StatusHandler} handler @returns {() => void} which removes it */
  onStatus(handler) {
    return this.#parts.observers.callbacks.onStatus(handler);
  }

  /**
   * Forget the replica; the next exchange pulls everything again. Outbox and conflicts stay.
   * @param {{wipe?: boolean}} [how] `wipe` forgets everything, as for a log-out, and stops the link in
   *   all tabs
   */
  async reset({ wipe = false } = {}) {
    if (wipe) {
      // The other tabs learn of it first: the next to hold the link would pull everything again.
      this.#parts.tabs.sendWipe();
      await this.#parts.background.stop();
      try {
        await this.#parts.db.wipe();
      } finally {
        await this.stop();
      }
      await this.#parts.push.load();
    } else {
      await this.#parts.replica.forget();
      this.#parts.background.post("reachable");
    }
    this.#parts.observers.reloadAll();
    await this.#parts.status.recount();
  }

  /** Stop the background and close the store. A second call does nothing. */
  async close() {
    await this.stop();
    this.#stopWatching();
    this.#parts.observers.stopQueries();
    this.#parts.tabs.close();
    this.#parts.upkeep.stop();
    this.#parts.db.close();
  }
}

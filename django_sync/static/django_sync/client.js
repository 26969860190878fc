/** `SyncClient`: what a page holds; it wires the parts and tells their events. */

import { Backoff } from "./backoff.js";
import { Events } from "./callbacks.js";
import { Collection } from "./collection.js";
import { Conflict, openConflicts, Resolution, settleConflict } from "./conflicts.js";
import * as errors from "./errors.js";
import { LiveQuery } from "./livequery.js";
import { Record, Rejection } from "./types.js";
import { Alarm } from "./waker.js";
import { Background } from "./link/background.js";
import { heedPage } from "./link/browser_events.js";
import { Exchange } from "./link/exchange.js";
import { Pace } from "./link/pace.js";
import { Pushing } from "./link/push.js";
import { Enabling } from "./link/push_registration.js";
import { Standing } from "./link/status.js";
import { Together } from "./link/tab_messages.js";
import { Choice, LADDER } from "./link/transports.js";
import { Wakes } from "./link/wakes.js";
import { Waking } from "./link/waking.js";
import { Network } from "./net/http.js";
import { Around } from "./net/network_monitor.js";
import { differs } from "./net/network_state.js";
import { Database } from "./store/database.js";
import { declared } from "./store/indexes.js";
import { isOpen, mutationsOf, Watch } from "./store/overlay.js";
import { Binding } from "./store/owner.js";
import { Replica } from "./store/replica.js";
import { rejectionsOf } from "./store/results.js";
import { opened } from "./store/storage.js";
import { Upkeep } from "./store/upkeep.js";

export { BasicAuth, BearerAuth, SessionAuth, TokenAuth } from "./auth.js";
export { logTo } from "./log.js";
export { MemoryStore } from "./store/memory.js";
// What is named below too is imported first: the declarations would lack it otherwise.
export { Backoff, Collection, Conflict, errors, LiveQuery, Pace, Record, Rejection, Resolution };

/** @import { Asked } from "./link/push_registration.js" */
/** @import { Told } from "./net/network_monitor.js" */
/** @import { Seen } from "./store/overlay.js" */
/** @import { Settled } from "./store/results.js" */

// The types that users name: `import { SyncClient, type Status } from "…/client.js"`.
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
 * @property {Auth | null} [auth] who the client is to the server; nobody without it
 * @property {readonly Transport[]} [transports] which ways the link may use; all without it
 * @property {Backoff} [backoff] how failures are waited for; `new Backoff()` without it
 * @property {Pace} [pace] how often it polls; `new Pace()` without it
 * @property {boolean} [persist] ask the browser not to clear the store when room runs short; true without it
 * @property {number} [timeout] seconds for which an answer is waited for; 30 without it
 * @property {typeof fetch} [fetch] instead of the browser's
 * @property {typeof WebSocket} [WebSocket] instead of the browser's
 * @property {Ways} [tabs] instead of the browser's Web Locks and BroadcastChannel
 */

/**
 * A replica of a user's records in this browser, and the way to its server.
 *
 * Several tabs may open one store, with the same collections: one of them holds the link, each
 * hears of changes. `SyncClient.open()` makes one.
 */
export class SyncClient {
  #db;
  #names;
  #events = new Events();
  #replica;
  #exchange;
  #background;
  #binding;
  #standing;
  /** @type {Together} */
  #together;
  /** @type {Set<LiveQuery>} */
  #queries = new Set();
  /** @type {Set<number>} */
  #telling = new Set();
  #forgetPage;
  #around;
  /** @type {Pushing} */
  #pushing;
  #upkeep;
  /** What keeps the records, and what the browser has promised. @type {Storage} */
  storage;

  /** @internal @param {string} url @param {Storage} storage @param {Options} options */
  constructor(url, storage, options) {
    const { collections, auth = null, transports = LADDER, pace = new Pace(), backoff = new Backoff() } = options;
    const { WebSocket = globalThis.WebSocket } = options;
    /** Where the server is, absolute. */
    this.url = url;
    this.storage = storage;
    this.#names = Object.freeze([...new Set(collections)]);
    const db = new Database(storage.store, () => this.#reloadAll());
    this.#db = db;
    this.#around = new Around((state) => this.#showNetwork(state));
    const enabling = new Enabling(db, { url, collections: this.#names, user: auth?.identity ?? null });
    const wakes = new Wakes(db);
    const network = (/** @type {(error: errors.SyncError | null) => void} */ heard) =>
      new Network(url, auth, {
        fetch: options.fetch, timeout: options.timeout, heard, took: (seconds) => this.#around.took(seconds),
      });
    this.#binding = new Binding(db, url, auth);
    this.#replica = new Replica(db);
    this.#upkeep = new Upkeep(db, this.#names);
    this.#standing = new Standing(db, (status) => {
      this.#events.tellStatus(status);
      this.#together.tellStatus(status);
    });
    const over = (/** @type {Network} */ way) =>
      new Exchange(db, way, this.#binding, this.#replica, this.#names, this.#listener);
    const calls = network((error) => this.#around.heard(error));
    this.#exchange = over(calls);
    const lines = network((error) => {
      this.#around.heard(error);
      this.#background.heard(!(error instanceof errors.Offline));
    });
    const alarm = new Alarm();
    const able = LADDER.filter((t) => transports.includes(t) && (t !== "websocket" || WebSocket !== undefined));
    this.#background = new Background(
      { db, network: lines, exchange: over(lines), listener: this.#listener, choice: new Choice(able), pace, alarm, WebSocket, enabling },
      backoff,
      (problem, retryIn) => {
        const { state: link, transport } = this.#background;
        const retryAt = retryIn === null ? null : new Date(Date.now() + retryIn * 1000);
        this.#standing.show({ link, transport, problem, retryAt });
      },
      this.#around,
      new Waking(wakes, alarm),
    );
    this.#together = new Together(
      storage.store.name,
      {
        background: this.#background,
        standing: this.#standing,
        seen: (seen) => this.#seen(seen),
        reload: (names) => this.#reload(names),
        stop: () => void this.stop(),
        ask: (seqs) => void this.#ask(seqs),
        pushed: () => this.#pushing.load(),
      },
      options.tabs,
    );
    this.#pushing = new Pushing({
      db, names: this.#names, network: calls, exchange: this.#exchange, wakes, enabling,
      together: this.#together, background: this.#background,
    });
    this.#forgetPage = heedPage((told) => this.network(told), () => this.#background.leave());
  }

  /**
   * Open the store and make a client; where the browser keeps nothing it works in memory, and
   * `client.storage` says so.
   * @param {string} url where the project mounts django_sync; may be relative to the page
   * @param {Options} options of which `store` and `collections` are needed
   * @returns {Promise<SyncClient>}
   * @throws {errors.StoreMismatch} where the store belongs to another server or user
   */
  static async open(url, options) {
    const indexes = options.indexes && declared(options.indexes, options.collections);
    const absolute = new URL(url.endsWith("/") ? url : `${url}/`, globalThis.location?.href).href;
    const storage = await opened(options.store, options.persist ?? true);
    const client = new SyncClient(absolute, storage, options);
    try {
      await client.#binding.check();
      if (indexes) await client.#db.declare(indexes);
    } catch (error) {
      await client.close();
      throw error;
    }
    await client.#pushing.load();
    await client.#standing.look();
    client.#together.join();
    return client;
  }

  /** This installation's UUID; the store makes and keeps it. */
  async clientId() {
    return (await this.#replica.place()).clientId;
  }

  /**
   * A collection to read and write.
   * @param {string} name as the server registered it
   * @throws {errors.UnknownCollection} where it is not among the client's
   */
  collection(name) {
    if (!this.#names.includes(name)) {
      throw new errors.UnknownCollection(`${name} is not among the client's collections.`);
    }
    return new Collection(name, this.#db, {
      wrote: (seen) => this.#wrote(seen),
      watched: (query) => {
        this.#queries.add(query);
        return () => this.#queries.delete(query);
      },
    });
  }

  /**
   * Make one full exchange: send the outbox, pull until nothing is left.
   * @returns {Promise<Counts>}
   * @throws {errors.Offline} and others of `errors`; nothing is lost, and the next call goes on from there
   */
  async sync() {
    try {
      const counts = await this.#exchange.run();
      this.#standing.show({ problem: null, retryAt: null });
      if (this.#background.state !== "live") this.#background.post("reachable");
      return counts;
    } catch (error) {
      if (error instanceof errors.SyncError) this.#standing.show({ problem: error });
      if (error instanceof errors.Offline) this.#around.heard(error);
      throw error;
    } finally {
      await this.#standing.look();
    }
  }

  /**
   * Stay in step in the background, from now on until `stop()` or `close()`: in this tab, or, while
   * another tab does it, as soon as that one ends. Where it runs already, it tries at once what
   * waits for its user, such as new credentials.
   */
  start() {
    if (this.#together.leads) this.#background.start();
    else this.#together.lead();
  }

  /** End the background, in the middle of a request too. `start()` begins it again. */
  async stop() {
    await this.#background.stop();
    this.#together.follow();
    this.#standing.show({ leads: false });
  }

  /**
   * Wait until the background has made one full exchange that began after this call, in whichever
   * tab it is.
   * @param {{timeout?: number}} [how] seconds; 30 without it
   * @throws {errors.NotInStep} after that time, and what the link waits for its user with
   */
  async waitUntilSynced({ timeout = 30 } = {}) {
    const alone = this.#together.leads || this.#db.name === null;
    await (alone ? this.#background : this.#together).waitUntilSynced(timeout);
  }

  /**
   * Tell what the page knows; what is left out stays as it was. The browser's own events (online,
   * offline, another network where it says so, the page in sight again) are heeded by themselves.
   * @param {Told} told `type` is "wifi", "cellular", "ethernet", "unknown", or "none", which is `online: false`;
   *   `metered`: whether it costs; `foreground`: whether somebody looks at the page
   * @throws {TypeError} for a type that is none
   */
  network(told) {
    const { type } = this.#around.told(told);
    this.#background.post(type === "none" ? "unreachable" : "reachable");
  }

  /**
   * Take a wake-up: what a push brought. It is on the disk when the promise is fulfilled, and is seen
   * to as docs/reference/wake-ups.md has it; where no tab runs, the next `sync()` or `start()` does.
   * @param {unknown} payload JSON, or already decoded
   * @returns {Promise<boolean>} whether it was one that concerns this client; all else is passed by
   */
  async wake(payload) {
    return this.#pushing.wake(payload);
  }

  /**
   * See to wake-ups that are remembered, where no tab does: pull, and send nothing. For service
   * workers, which have no link.
   * @param {import("./link/wakeups.js").Event} [event] what has happened, to the tab that holds the link
   * @returns {Promise<Counts | null>} `null` where none is remembered, or a tab sees to it
   */
  async catchUp(event = "waits") {
    try {
      return await this.#pushing.catchUp(event);
    } finally {
      await this.#standing.look();
    }
  }

  /**
   * Have the server wake this browser while no page is open. The user is asked, so call it from a
   * click. The page needs a service worker with the handlers of `worker.js`.
   * @param {Asked} [asked]
   * @throws {errors.NotSupported} where browser, user or server do not let us
   * @throws {errors.Offline} where the server's key is not known and cannot be asked for
   */
  async enablePush(asked) {
    await this.#pushing.enable(asked);
  }

  /** Whether this browser can be woken and the server offers it; `false` where that cannot be asked now. */
  async isPushOffered() {
    return this.#pushing.isOffered();
  }

  /** Be woken no more. @param {{registration?: ServiceWorkerRegistration}} [asked] */
  async disablePush({ registration } = {}) {
    await this.#pushing.disable(registration);
  }

  /** The browser has made another subscription: keep it, tell the server. For service workers. @param {PushSubscriptionJSON} subscription */
  async renewPush(subscription) {
    await this.#pushing.renew(subscription);
  }

  /** How the server may wake this browser, or `null`; why the server will not is its `problem`. */
  get push() {
    return this.#pushing.told;
  }

  /** What the client knows about its sync, now. @returns {Status} */
  get status() {
    return this.#standing.status;
  }

  /** Mutations without a final result, in order. @returns {Promise<Mutation[]>} */
  async outbox() {
    const rows = await this.#db.read((tx) => tx.list("outbox"));
    return mutationsOf(rows.filter(isOpen));
  }

  /** Conflicts that wait for a decision, over restarts too; `settle()` each. @returns {Promise<Conflict[]>} */
  conflicts() {
    return this.#db.read((tx) => openConflicts(tx, (conflict, resolution) => this.#settle(conflict, resolution)));
  }

  /** Refused mutations that no handler has been told of yet. @returns {Promise<Rejection[]>} */
  async rejections() {
    return [...(await this.#db.read(rejectionsOf)).values()];
  }

  /**
   * Call `handler` with each change of what the user sees in a collection, or in all (`null`).
   * A snapshot's content is told in the tab that holds the link only; live queries have it in all.
   * @param {string | null} collection its name
   * @param {ChangeHandler} handler
   * @returns {() => void} which takes it away again
   */
  onChange(collection, handler) {
    if (collection !== null) this.collection(collection);
    return this.#events.onChange(collection, handler);
  }

  /**
   * Ask `handler` about each new conflict: it may give a resolution, or nothing to leave it open.
   * @param {ConflictHandler} handler
   * @returns {() => void} which takes it away again
   */
  onConflict(handler) {
    return this.#events.onConflict(handler);
  }

  /**
   * Tell `handler` of mutations that the server refused for good. Each is kept until one was told.
   * @param {RejectionHandler} handler
   * @returns {() => void} which takes it away again
   */
  onRejected(handler) {
    const forget = this.#events.onRejected(handler);
    void this.#tellRejections();
    return forget;
  }

  /** Tell `handler` when `status` changes. @param {StatusHandler} handler @returns {() => void} which takes it away again */
  onStatus(handler) {
    return this.#events.onStatus(handler);
  }

  /**
   * Forget the replica; the next exchange pulls it anew. Outbox and conflicts stay.
   * @param {{wipe?: boolean}} [how] `wipe` forgets everything, as for a log-out, and stops the link in
   *   all tabs
   */
  async reset({ wipe = false } = {}) {
    if (wipe) {
      // Others hear of it before this tab lets go: the next would pull all of it again.
      this.#together.tellWipe();
      await this.#background.stop();
      try {
        await this.#db.wipe();
      } finally {
        await this.stop();
      }
      await this.#pushing.load();
    } else {
      await this.#replica.forget();
      this.#background.post("reachable");
    }
    this.#reloadAll();
    await this.#standing.look();
  }

  /** Stop the background and close the store. A second call does nothing. */
  async close() {
    await this.stop();
    this.#forgetPage();
    for (const query of [...this.#queries]) query.stop();
    this.#together.close();
    this.#upkeep.stop();
    this.#db.close();
  }

  // What the parts report.

  /** @type {import("./link/exchange.js").Listener} */
  #listener = {
    pulled: (seen, { hasMore }) => {
      this.#tell(seen, hasMore);
      if (hasMore) this.#background.behind();
      else this.#upkeep.poke();
    },
    settled: (settled) => this.#settled(settled),
  };

  /** @param {Settled} settled */
  #settled({ seen, conflicts, rejections }) {
    this.#tell(seen);
    if (conflicts.length > 0) {
      void this.#ask(conflicts);
      this.#together.tellConflicts(conflicts);
    }
    if (rejections.length > 0) void this.#tellRejections();
  }

  /** Something local was committed. @param {Seen} seen */
  #wrote(seen) {
    this.#tell(seen);
    this.#background.post("wrote");
    this.#together.tellWrote();
  }

  /** A write was committed: here, then in the other tabs. @param {Seen} seen @param {boolean} [much] */
  #tell(seen, much) {
    this.#seen(seen);
    this.#together.tellSeen(seen, much);
  }

  /** @param {Seen} seen */
  #seen({ changes, touched }) {
    for (const query of this.#queries) {
      const ids = touched.filter(([collection]) => collection === query.collection).map(([, id]) => id);
      if (ids.length > 0) query.touched(ids);
    }
    this.#events.tellChanges(changes);
    void this.#standing.look();
  }

  /** Nothing that was shown may be there still, in any tab. */
  #reloadAll() {
    this.#reload(this.#names);
    this.#together.tellReload(this.#names);
  }

  /** @param {readonly string[]} collections */
  #reload(collections) {
    for (const query of this.#queries) if (collections.includes(query.collection)) query.touched(null);
    void this.#standing.look();
  }

  /** @param {import("./net/network_state.js").NetworkState} state */
  #showNetwork(state) {
    const { reach } = this.#standing.status;
    if (state.reachability === reach.reachability && !differs(reach, state)) return; // a hair's breadth
    const words = /** @type {const} */ ({ unknown: "unknown", reachable: "online", unreachable: "offline", captive: "offline" });
    this.#standing.show({ reach: state, network: words[state.reachability] });
  }

  /** @param {number[]} seqs */
  async #ask(seqs) {
    for (const conflict of await this.conflicts()) {
      if (!seqs.includes(conflict.mutation.seq)) continue;
      const resolution = await this.#events.ask(conflict);
      if (resolution !== null) await this.#settle(conflict, resolution);
    }
  }

  /** @param {Conflict} conflict @param {Resolution} resolution */
  async #settle(conflict, resolution) {
    const { done, seen } = await this.#db.write(
      async (tx) => {
        const watch = new Watch(tx, "local");
        await watch.look([[conflict.collection, conflict.id]]);
        const open = await settleConflict(tx, conflict, resolution);
        return { done: open, seen: await watch.seen() };
      },
      { durable: true },
    );
    this.#wrote(seen);
    return done;
  }

  async #tellRejections() {
    for (const [seq, rejection] of await this.#db.read(rejectionsOf)) {
      if (this.#telling.has(seq)) continue;
      this.#telling.add(seq);
      try {
        if (!this.#events.tellRejection(rejection)) continue;
        await this.#db.write(async (tx) => tx.delete("rejections", seq));
      } finally {
        this.#telling.delete(seq);
      }
    }
  }
}

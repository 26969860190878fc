/** `SyncClient`: what a page holds; it wires the parts and tells their events. */

import { Alarm } from "./alarm.js";
import { Background } from "./background.js";
import { Backoff } from "./backoff.js";
import { Binding } from "./binding.js";
import { Choice, LADDER } from "./choice.js";
import { Collection } from "./collection.js";
import { openConflicts, settleConflict } from "./conflicts.js";
import { Database } from "./database.js";
import * as errors from "./errors.js";
import { Events } from "./events.js";
import { Exchange } from "./exchange.js";
import { Network } from "./network.js";
import { mutationsOf, isOpen, Watch } from "./overlay.js";
import { Pace } from "./pace.js";
import { Replica } from "./replica.js";
import { rejectionsOf } from "./results.js";
import { opened } from "./storage.js";
import { Tabs } from "./tabs.js";
import { Record } from "./views.js";

export { BasicAuth, BearerAuth, SessionAuth, TokenAuth } from "./auth.js";
export { Conflict, Resolution } from "./conflicts.js";
export { logTo } from "./log.js";
export { MemoryStore } from "./memory.js";
export { Rejection } from "./views.js";
export { Backoff, errors, Pace, Record };

/** @import { Auth } from "./auth.js" */
/** @import { Transport } from "./choice.js" */
/** @import { Conflict, Resolution } from "./conflicts.js" */
/** @import { ChangeHandler, ConflictHandler, RejectionHandler, StatusHandler } from "./events.js" */
/** @import { SocketClass } from "./line.js" */
/** @import { LiveQuery } from "./livequery.js" */
/** @import { Seen } from "./overlay.js" */
/** @import { Settled } from "./results.js" */
/** @import { Storage } from "./storage.js" */
/** @import { Store } from "./tables.js" */
/** @import { Message, Ways } from "./tabs.js" */
/** @import { Change, Counts, Mutation, Status } from "./views.js" */

/**
 * @typedef {object} Options
 * @property {string | Store} store the name of an IndexedDB database, or a store such as `MemoryStore`
 * @property {readonly string[]} collections the names to keep in step
 * @property {Auth | null} [auth]
 * @property {readonly Transport[]} [transports] which ways the link may use; all without it
 * @property {Backoff} [backoff] how failures are waited for
 * @property {Pace} [pace] how often it polls
 * @property {boolean} [persist] ask the browser not to clear the store when room runs short; true without it
 * @property {typeof fetch} [fetch] instead of the browser's
 * @property {SocketClass} [WebSocket] instead of the browser's
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
  #tabs;
  /** @type {Set<LiveQuery>} */
  #queries = new Set();
  /** @type {Status} */
  #status = {
    link: "stopped", network: "unknown", transport: null, pending: 0, conflicts: 0, progress: null,
    retryAt: null, problem: null, leads: false,
  };
  #looking = false;
  #lookAgain = false;
  /** @type {Set<number>} */
  #telling = new Set();
  /** @type {() => void} */
  #forgetPage = () => {};
  /** What keeps the records: `kind` is `indexeddb` or `memory`, `problem` why it is not the disk. @type {Storage} */
  storage;

  /** @param {string} url @param {Storage} storage @param {Options} options */
  constructor(url, storage, options) {
    const { collections, auth = null, transports = LADDER, pace = new Pace(), backoff = new Backoff() } = options;
    const { WebSocket = globalThis.WebSocket } = options;
    this.url = url;
    this.storage = storage;
    this.#names = Object.freeze([...new Set(collections)]);
    const db = new Database(storage.store);
    this.#db = db;
    const network = (/** @type {(answered: boolean) => void} */ heard) =>
      new Network(url, auth, { fetch: options.fetch, heard });
    const binding = new Binding(db, url, auth);
    this.#replica = new Replica(db);
    const over = (/** @type {Network} */ way) => new Exchange(db, way, binding, this.#replica, this.#names, this.#listener);
    this.#exchange = over(network((answered) => this.#heard(answered)));
    const lines = network((answered) => {
      this.#heard(answered);
      this.#background.heard(answered);
    });
    const able = LADDER.filter((t) => transports.includes(t) && (t !== "websocket" || WebSocket !== undefined));
    this.#background = new Background(
      { db, network: lines, exchange: over(lines), listener: this.#listener, choice: new Choice(able), pace, alarm: new Alarm(), WebSocket },
      backoff,
      (problem, retryIn) => {
        const retryAt = retryIn === null ? null : new Date(Date.now() + retryIn * 1000);
        this.#show({ problem, retryAt });
      },
    );
    this.#tabs = new Tabs(storage.store.name, (message) => this.#toldByTab(message), options.tabs);
    this.#forgetPage = heedPage(this);
  }

  /**
   * Open the store and make a client; where the browser keeps nothing it works in memory, and
   * `client.storage` says so.
   * @param {string} url where the project mounts django_sync; may be relative to the page
   * @param {Options} options
   * @returns {Promise<SyncClient>}
   * @throws {errors.StoreMismatch} where the store belongs to another server or user
   */
  static async open(url, options) {
    const absolute = new URL(url.endsWith("/") ? url : `${url}/`, globalThis.location?.href).href;
    const storage = await opened(options.store, options.persist ?? true);
    const client = new SyncClient(absolute, storage, options);
    try {
      await new Binding(client.#db, absolute, options.auth ?? null).check();
    } catch (error) {
      await client.close();
      throw error;
    }
    await client.#look();
    client.#tabs.tell({ type: "who" });
    return client;
  }

  /** This installation's UUID; the store makes and keeps it. */
  async clientId() {
    return (await this.#replica.place()).clientId;
  }

  /**
   * A collection to read and write.
   * @param {string} name
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
      this.#show({ problem: null, retryAt: null });
      if (this.#background.state !== "live") this.#background.post("reachable");
      return counts;
    } catch (error) {
      if (error instanceof errors.SyncError) this.#show({ problem: error });
      throw error;
    } finally {
      await this.#look();
    }
  }

  /**
   * Stay in step in the background, from now on until `stop()` or `close()`: in this tab, or, while
   * another tab does it, as soon as that one ends. Where it runs already, it tries at once what
   * waits for its user, such as new credentials.
   */
  start() {
    if (this.#tabs.leads) this.#background.start();
    else {
      this.#tabs.lead(() => {
        this.#show({ leads: true });
        this.#background.start();
        this.#tabs.tell({ type: "leads" });
      });
      this.#tabs.tell({ type: "start" });
    }
  }

  /** End the background, in the middle of a request too. `start()` begins it again. */
  async stop() {
    await this.#background.stop();
    this.#tabs.follow();
    this.#show({ leads: false });
  }

  /**
   * Wait until the background has made one full exchange that began after this call, in whichever
   * tab it is.
   * @param {{timeout?: number}} [how] seconds
   * @throws {errors.NotInStep} after that time, and what the link waits for its user with
   */
  async waitUntilSynced({ timeout = 30 } = {}) {
    if (this.#tabs.leads || this.#db.name === null) return this.#background.waitUntilSynced(timeout);
    await this.#otherTab(timeout);
  }

  /**
   * Tell what the page knows; what is left out stays as it was. The browser's own events (online,
   * offline, the page in sight again) are heeded by themselves.
   * @param {{online?: boolean, metered?: boolean, foreground?: boolean}} hints
   */
  network({ online, metered, foreground }) {
    const { hints } = this.#background;
    hints.metered = metered ?? hints.metered;
    hints.foreground = foreground ?? hints.foreground;
    this.#background.post(online === false ? "unreachable" : "reachable");
  }

  /** What the client knows about its sync, now. @returns {Status} */
  get status() {
    return this.#status;
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

  /** Refused mutations that no callback has been told of yet. */
  async rejections() {
    return [...(await this.#db.read(rejectionsOf)).values()];
  }

  /**
   * Call `handler` with each change of what the user sees in a collection, or in all (`null`).
   * A snapshot's content is told in the tab that holds the link only; live queries have it in all.
   * @param {string | null} collection
   * @param {ChangeHandler} handler
   * @returns {() => void} which takes it away again, as with the others
   */
  onChange(collection, handler) {
    if (collection !== null) this.collection(collection);
    return this.#events.onChange(collection, handler);
  }

  /**
   * Ask `handler` about each new conflict: it may give a resolution, or nothing to leave it open.
   * @param {ConflictHandler} handler
   */
  onConflict(handler) {
    return this.#events.onConflict(handler);
  }

  /**
   * Tell `handler` of mutations that the server refused for good. Each is kept until one was told.
   * @param {RejectionHandler} handler
   */
  onRejected(handler) {
    const forget = this.#events.onRejected(handler);
    void this.#tellRejections();
    return forget;
  }

  /** Tell `handler` when `status` changes. @param {StatusHandler} handler */
  onStatus(handler) {
    return this.#events.onStatus(handler);
  }

  /**
   * Forget the replica; the next exchange pulls it anew. Outbox and conflicts stay.
   * @param {{wipe?: boolean}} [how] `wipe` forgets everything, as for a log-out, and stops the link
   */
  async reset({ wipe = false } = {}) {
    if (wipe) {
      await this.stop();
      await this.#db.wipe();
    } else {
      await this.#replica.forget();
      this.#background.post("reachable");
    }
    this.#reload(this.#names);
    this.#tabs.tell({ type: "reload", collections: this.#names });
    await this.#look();
  }

  /** Stop the background and close the store. A second call does nothing. */
  async close() {
    await this.stop();
    this.#forgetPage();
    for (const query of [...this.#queries]) query.stop();
    this.#tabs.close();
    this.#db.close();
  }

  // What the parts report.

  /** @type {import("./exchange.js").Listener} */
  #listener = {
    pulled: (seen, { hasMore }) => {
      this.#tell(seen, hasMore);
      if (hasMore) this.#background.behind();
    },
    settled: (settled) => this.#settled(settled),
  };

  /** @param {Settled} settled */
  #settled({ seen, conflicts, rejections }) {
    this.#tell(seen, false);
    if (conflicts.length > 0) {
      void this.#ask(conflicts);
      this.#tabs.tell({ type: "conflicts", seqs: conflicts });
    }
    if (rejections.length > 0) void this.#tellRejections();
  }

  /** Something local was committed. @param {Seen} seen */
  #wrote(seen) {
    this.#tell(seen, false);
    this.#background.post("wrote");
    this.#tabs.tell({ type: "wrote" });
  }

  /** A write was committed: here, then in the other tabs. @param {Seen} seen @param {boolean} much */
  #tell(seen, much) {
    this.#seen(seen);
    if (seen.touched.length === 0) this.#tabs.tell({ type: "look" });
    else if (much) {
      const collections = [...new Set(seen.touched.map(([collection]) => collection))];
      this.#tabs.tell({ type: "reload", collections });
    } else this.#tabs.tell({ type: "seen", seen });
  }

  /** @param {Seen} seen */
  #seen({ changes, touched }) {
    for (const query of this.#queries) {
      const ids = touched.filter(([collection]) => collection === query.collection).map(([, id]) => id);
      if (ids.length > 0) query.touched(ids);
    }
    this.#events.tellChanges(changes);
    void this.#look();
  }

  /** @param {readonly string[]} collections */
  #reload(collections) {
    for (const query of this.#queries) if (collections.includes(query.collection)) query.touched(null);
    void this.#look();
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
      if (this.#events.tellRejection(rejection)) {
        await this.#db.write(async (tx) => tx.delete("rejections", seq));
      }
      this.#telling.delete(seq);
    }
  }

  /** @param {boolean} answered */
  #heard(answered) {
    this.#show({ network: answered ? "online" : "offline" });
  }

  /** Count anew what waits; one look at a time. */
  async #look() {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#lookAgain) {
        this.#lookAgain = false;
        const counted = await this.#db.read(async (tx) => {
          const states = await Promise.all(
            ["new", "sent", "aborted"].map((state) => tx.count("outbox", { index: "state", only: state })),
          );
          return {
            pending: states.reduce((sum, count) => sum + count, 0),
            conflicts: await tx.count("conflicts"),
            progress: tx.meta.snapshot,
          };
        });
        this.#show(counted);
      }
    } catch (error) {
      if (error instanceof errors.SyncError) this.#show({ problem: error });
      else throw error;
    } finally {
      this.#looking = false;
    }
  }

  /** @param {Partial<Status>} news */
  #show(news) {
    const before = this.#status;
    const { state, transport } = this.#background;
    const own = this.#tabs.leads || before.leads ? { link: state, transport } : {};
    const now = { ...before, ...own, ...news };
    const same = Object.entries(now).every(([name, value]) =>
      Object.is(value, before[/** @type {keyof Status} */ (name)]) || JSON.stringify(value) === JSON.stringify(before[/** @type {keyof Status} */ (name)]));
    if (same) return;
    this.#status = Object.freeze(now);
    this.#events.tellStatus(this.#status);
    if (this.#tabs.leads) this.#tabs.tell({ type: "status", status: told(this.#status) });
  }

  /** @param {Message} message */
  #toldByTab(message) {
    switch (message.type) {
      case "seen":
        this.#seen({ changes: message.seen.changes.map(revived), touched: message.seen.touched });
        break;
      case "reload":
        this.#reload(message.collections);
        break;
      case "look":
        void this.#look();
        break;
      case "wrote":
        this.#background.post("wrote");
        break;
      case "conflicts":
        void this.#ask(message.seqs);
        break;
      case "start":
        if (this.#tabs.leads) this.#background.start();
        break;
      case "who":
        if (this.#tabs.leads) this.#tabs.tell({ type: "status", status: told(this.#status) });
        break;
      case "status":
        if (!this.#tabs.leads) this.#show(heardOf(message.status));
        break;
      case "sync":
        if (this.#tabs.leads) void this.#syncFor(message.ref, message.timeout);
        break;
      default:
        this.#awaiting.get(message.ref)?.(message);
    }
  }

  /** @type {Map<string, (message: Message) => void>} */
  #awaiting = new Map();

  /** @param {string} ref @param {number} timeout */
  async #syncFor(ref, timeout) {
    try {
      await this.#background.waitUntilSynced(timeout);
      this.#tabs.tell({ type: "synced", ref });
    } catch (error) {
      const { code = "error", message = "" } = /** @type {errors.SyncError} */ (error);
      this.#tabs.tell({ type: "synced", ref, problem: { code, detail: message } });
    }
  }

  /** Have the tab that holds the link say when it is in step; if none does, or that one ends, this one may. @param {number} timeout */
  async #otherTab(timeout) {
    const ref = crypto.randomUUID?.() ?? String(Math.random());
    const until = Date.now() + timeout * 1000;
    try {
      while (Date.now() < until) {
        if (this.#tabs.leads) return await this.#background.waitUntilSynced((until - Date.now()) / 1000);
        const answer = await this.#answered(ref, (until - Date.now()) / 1000);
        if (answer === null) continue;
        if (answer.problem) throw errors.fromProblem(answer.problem);
        return;
      }
    } finally {
      this.#awaiting.delete(ref);
    }
    throw new errors.NotInStep(`Not in step after ${timeout} s.`);
  }

  /** An answer, or `null` after a second: the tab that led may be gone. @param {string} ref @param {number} timeout @returns {Promise<Message | null>} */
  #answered(ref, timeout) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), 1_000);
      this.#awaiting.set(ref, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      this.#tabs.tell({ type: "sync", ref, timeout });
    });
  }
}

/** What another tab told of a change: its records are plain objects after the journey. @param {Change} change @returns {Change} */
function revived(change) {
  return { ...change, record: recordOf(change.record), before: recordOf(change.before) };
}

/** @param {Record | null} told */
function recordOf(told) {
  if (told === null) return null;
  return new Record(told.collection, told.id, told.revision, told.scope, told.object, told.pending);
}

/** A status as another tab can be told of it. @param {Status} status */
function told({ problem, leads: _, ...status }) {
  return { ...status, problem: problem && { code: problem.code, detail: problem.detail } };
}

/** @param {any} status @returns {Partial<Status>} */
function heardOf(status) {
  return { ...status, problem: status.problem && errors.fromProblem(status.problem) };
}

/**
 * Heed what the browser tells: the network came or went, the page is looked at again.
 * @param {SyncClient} client
 * @returns {() => void} which ends it
 */
function heedPage(client) {
  const { window, document } = globalThis;
  if (window === undefined || document === undefined) return () => {};
  const ending = new AbortController();
  const { signal } = ending;
  window.addEventListener("online", () => client.network({ online: true }), { signal });
  window.addEventListener("offline", () => client.network({ online: false }), { signal });
  window.addEventListener("pageshow", () => client.network({}), { signal });
  const seen = () => {
    if (document.visibilityState === "visible") client.network({});
  };
  document.addEventListener("visibilitychange", seen, { signal });
  return () => ending.abort();
}

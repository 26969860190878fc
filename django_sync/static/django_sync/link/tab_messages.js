/**
 * The messages between the tabs of one store: that something was written, what is seen now, the status
 * of the tab that holds the link. `link/tabs.js` decides which one holds it.
 */

import { fromProblem, NotInStep, SyncError } from "../errors.js";
import { newId } from "../ids.js";
import { Record } from "../types.js";
import { Tabs } from "./tabs.js";

/** @import { Seen } from "../store/overlay.js" */
/** @import { Change, Status } from "../types.js" */
/** @import { Background } from "./background.js" */
/** @import { StatusTracker } from "./status.js" */
/** @import { Message, Ways } from "./tabs.js" */
/** @import { Event as Wake } from "./wakeups.js" */

/** Milliseconds; a tab that has not answered by then may be gone. */
const PATIENCE = 1_000;

/**
 * @typedef {object} Owner What this tab does when a message comes.
 * @property {Background} background
 * @property {StatusTracker} status
 * @property {(seen: Seen) => void} seen some objects may look different
 * @property {(collections: readonly string[]) => void} reload all of these may
 * @property {() => void} stop the user has signed out
 * @property {(seqs: number[]) => void} askConflicts new conflicts
 * @property {() => Promise<void>} reloadPush the push registration has changed
 */

/** One tab among those of its store. */
export class TabMessages {
  #owner;
  #tabs;
  /** @type {Map<string, (answer: Message | null) => void>} */
  #pendingReplies = new Map();

  /** @param {string | null} store its name; `null` where no other tab can see it @param {Owner} owner @param {Ways} [ways] */
  constructor(store, owner, ways) {
    this.#owner = owner;
    this.#tabs = new Tabs(store, (message) => this.#receive(message), ways);
  }

  /** Whether this tab holds the link. */
  get leads() {
    return this.#tabs.leads;
  }

  /** Hold the link as soon as no other tab does; the tab that holds it tries again at once. */
  lead() {
    const { background, status } = this.#owner;
    this.#tabs.lead(() => {
      status.show({ leads: true });
      background.start();
      for (const wake of this.#pendingReplies.values()) wake(null);
    });
    this.#tabs.post({ type: "start" });
  }

  /** Leave the link to another tab. */
  follow() {
    this.#tabs.follow();
  }

  close() {
    this.#tabs.close();
  }

  /** Ask the tab that leads for its status. */
  askStatus() {
    this.#tabs.post({ type: "who" });
  }

  /** A write was committed. @param {Seen} seen @param {boolean} [much] whether it is too much to list */
  sendSeen(seen, much = false) {
    if (much) this.sendReload([...new Set(seen.touched.map(([collection]) => collection))]);
    else this.#tabs.post({ type: "seen", seen });
  }

  /** @param {readonly string[]} collections */
  sendReload(collections) {
    this.#tabs.post({ type: "reload", collections });
  }

  /** The store is about to be wiped, for a log-out: no tab may fill it again. */
  sendWipe() {
    this.#tabs.post({ type: "wipe" });
  }

  /** Something local waits to be sent. */
  sendWrote() {
    this.#tabs.post({ type: "wrote" });
  }

  /** A wake-up was remembered. @param {Wake} event */
  sendWakeUp(event) {
    this.#tabs.post({ type: "woken", event });
  }

  /** The push registration has changed. */
  sendPush() {
    this.#tabs.post({ type: "push" });
  }

  /** Whether a tab that holds the link handles the remembered wake-ups. @param {Wake} event */
  async isHandledElsewhere(event) {
    if (this.leads) return true;
    const message = { type: "woken", event };
    return (await this.#reply(newId(), PATIENCE / 1000, message)) !== null;
  }

  /** Do something while no tab holds the link. @template T @param {() => Promise<T>} run */
  exclusively(run) {
    return this.#tabs.exclusively(run);
  }

  /** @param {number[]} seqs */
  sendConflicts(seqs) {
    this.#tabs.post({ type: "conflicts", seqs });
  }

  /** @param {Status} status */
  sendStatus({ problem, leads: _, ...status }) {
    if (!this.leads) return;
    const problemInfo = problem && { code: problem.code, detail: problem.detail };
    this.#tabs.post({ type: "status", status: { ...status, problem: problemInfo } });
  }

  /**
   * Ask the tab that leads to report when it is in step; where it ends meanwhile, this tab may lead.
   * @param {number} timeout seconds
   */
  async waitUntilSynced(timeout) {
    const ref = newId();
    const until = Date.now() + timeout * 1000;
    for (let left = timeout; left > 0; left = (until - Date.now()) / 1000) {
      if (this.leads) return this.#owner.background.waitUntilSynced(left);
      const answer = await this.#reply(ref, left);
      if (answer?.problem) throw fromProblem(answer.problem);
      if (answer !== null) return;
    }
    throw new NotInStep(`Not in step after ${timeout} s.`);
  }

  /** The answer, or `null` where it is time to check again which tab leads. @param {string} ref @param {number} left seconds @param {Message} [message] @returns {Promise<Message | null>} */
  #reply(ref, left, message = { type: "sync" }) {
    return new Promise((resolve) => {
      const done = (/** @type {Message | null} */ answer) => {
        clearTimeout(timer);
        this.#pendingReplies.delete(ref);
        resolve(answer);
      };
      const timer = setTimeout(() => done(null), Math.min(PATIENCE, left * 1000));
      this.#pendingReplies.set(ref, done);
      this.#tabs.post({ ...message, ref, timeout: left });
    });
  }

  /** @param {Message} message */
  #receive(message) {
    const { background, status, seen, reload, stop, askConflicts, reloadPush } = this.#owner;
    switch (message.type) {
      case "seen":
        return seen({ ...message.seen, changes: message.seen.changes.map(changeOf) });
      case "reload":
        return reload(message.collections);
      case "wipe":
        return stop();
      case "conflicts":
        return askConflicts(message.seqs);
      case "wrote":
        return background.post("wrote");
      case "push":
        return void reloadPush();
      case "synced":
        return this.#pendingReplies.get(message.ref)?.(message);
    }
    if (this.leads) this.#receiveAsLeader(message);
    else if (message.type === "status") status.show(statusOf(message.status));
  }

  /** What only the tab that holds the link does. @param {Message} message */
  #receiveAsLeader(message) {
    const { background, status } = this.#owner;
    if (message.type === "start") background.start();
    else if (message.type === "woken") this.#receiveWakeUp(message);
    else if (message.type === "who") this.sendStatus(status.status);
    else if (message.type === "sync") void this.#syncFor(message.ref, message.timeout);
  }

  /** @param {Message} message */
  #receiveWakeUp({ event, ref }) {
    this.#owner.background.wakeUps.add(event);
    if (ref !== undefined) this.#tabs.post({ type: "synced", ref });
  }

  /** @param {string} ref @param {number} timeout seconds */
  async #syncFor(ref, timeout) {
    try {
      await this.#owner.background.waitUntilSynced(timeout);
      this.#tabs.post({ type: "synced", ref });
    } catch (error) {
      const { code, detail } = error instanceof SyncError ? error : new SyncError(String(error));
      this.#tabs.post({ type: "synced", ref, problem: { code, detail } });
    }
  }
}

/** A change from another tab, with records again: a message carries plain objects. @param {Change} change @returns {Change} */
function changeOf(change) {
  return { ...change, record: recordOf(change.record), before: recordOf(change.before) };
}

/** @param {Record | null} copy */
function recordOf(copy) {
  if (copy === null) return null;
  return new Record(copy.collection, copy.id, copy.revision, copy.scope, copy.object, copy.pending);
}

/** @param {any} status @returns {Partial<Status>} */
function statusOf(status) {
  return { ...status, problem: status.problem && fromProblem(status.problem) };
}

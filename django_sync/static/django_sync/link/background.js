/**
 * Keeps the replica in step in the background: it holds the link's state, and runs one loop.
 *
 * Only that loop uses the network here. Others put events into its inbox; where the loop waits for
 * a held request, the request is cut. So a local write goes out at once, and `stop()` need not wait.
 */

import { NotInStep, SyncError } from "../errors.js";
import { Loop } from "./loop.js";
import { move } from "./states.js";

/** @import { Backoff } from "../backoff.js" */
/** @import { NetworkMonitor } from "../net/network_monitor.js" */
/** @import { Parts } from "./connections.js" */
/** @import { Act, Event, State } from "./states.js" */
/** @import { Transport } from "./transports.js" */
/** @import { WakeUpHandler } from "./wakeup_handler.js" */

/** The states that wait for the user. @type {readonly State[]} */
const RESTING = ["auth_required", "refused", "ended", "blocked"];

/** @typedef {(problem: SyncError | null, retryIn: number | null) => void} Report
 *   Is called at each change, with the problem that led to it and the seconds until a retry. */

/** One client's link, and the loop behind it. */
export class Background {
  #parts;
  #backoff;
  #report;
  /** @type {Loop | null} */
  #loop = null;
  #holding = false;
  /** @type {Set<Event>} */
  #inbox = new Set();
  #lastBegun = 0;
  #lastCompleted = 0;
  /** @type {Set<() => void>} */
  #watchers = new Set();
  /** @type {State} */
  state = "stopped";
  /** @type {Transport | null} */
  transport = null;
  /** @type {SyncError | null} */
  problem = null;

  /** @param {Parts} parts @param {Backoff} backoff @param {Report} report @param {NetworkMonitor} networkMonitor @param {WakeUpHandler} wakeUps */
  constructor(parts, backoff, report, networkMonitor, wakeUps) {
    this.networkMonitor = networkMonitor;
    this.wakeUps = wakeUps;
    this.#parts = parts;
    this.#backoff = backoff;
    this.#report = report;
  }

  // What others call.

  /** Begin; or, where the loop runs, try again at once what waits for the user. */
  start() {
    if (this.#loop !== null) {
      this.post("start");
      return;
    }
    const [state, act] = move(this.state, "start");
    this.state = state;
    this.#inbox.clear();
    this.#loop = new Loop(this, this.#parts, this.#backoff);
    void this.#loop.run(act);
    this.#report(null, null);
  }

  /** End the loop, in the middle of a request too. */
  async stop() {
    const loop = this.#loop;
    if (loop === null) return;
    this.#loop = null;
    [this.state] = move(this.state, "stop");
    this.transport = this.problem = null;
    this.#parts.http.cut();
    this.#parts.waker.wake();
    this.#notifyWatchers();
    this.#report(null, null);
    await loop.ended;
  }

  /** Put an event into the inbox, if there is a loop. It ends a held request; other requests go on. @param {Event} event */
  post(event) {
    if (this.#loop === null) return;
    this.#inbox.add(event);
    if (this.#holding) this.#parts.http.cut();
    this.#parts.waker.wake();
  }

  /** The page goes; it may come back. */
  leave() {
    this.#loop?.leave();
  }

  /**
   * Return after a complete exchange that began after this call. Throws what keeps the link from
   * trying, or `NotInStep` after `timeout` seconds.
   * @param {number} timeout seconds
   */
  async waitUntilSynced(timeout) {
    const wanted = this.#lastBegun + 1;
    this.post("start");
    const until = this.#parts.waker.now() + timeout;
    while (this.#lastCompleted < wanted) {
      if (this.#loop === null) throw new NotInStep("The link is stopped.");
      const rests = RESTING.includes(this.state);
      if (rests && this.#lastBegun >= wanted && this.problem !== null) throw this.problem;
      const left = until - this.#parts.waker.now();
      if (left <= 0) throw new NotInStep(`Not in step after ${timeout} s.`, { cause: this.problem });
      await this.#changed(left);
    }
  }

  // What the network and the exchange report.

  /** A request was answered, or was not. @param {boolean} answered */
  noteAnswer(answered) {
    if (answered && this.#loop !== null) this.feed(this.#loop, "answered");
  }

  /** A page was applied, and more pages follow. */
  noteBehind() {
    if (this.#loop !== null) this.feed(this.#loop, "behind");
  }

  // What the loop calls.

  /** Whether this is the loop that runs now, and not one that was stopped. @param {Loop} loop */
  isCurrent(loop) {
    return loop === this.#loop;
  }

  /** Empty the inbox. @returns {Event[]} */
  take() {
    const events = [...this.#inbox];
    this.#inbox.clear();
    return events;
  }

  get hasEvents() {
    return this.#inbox.size > 0;
  }

  /** Whether there is a held request, which each event cuts. @param {boolean} on */
  hold(on) {
    this.#holding = on;
  }

  /** Begin an exchange; return its number. */
  begin() {
    this.#lastBegun += 1;
    return this.#lastBegun;
  }

  /** That exchange is complete. @param {number} number */
  complete(number) {
    this.#lastCompleted = number;
    this.#notifyWatchers();
  }

  /**
   * Go where the table says, and report it.
   * @param {Loop} loop
   * @param {Event} event
   * @param {SyncError | null} [problem]
   * @param {number} [retryIn] seconds
   * @returns {Act}
   */
  feed(loop, event, problem = null, retryIn = 0) {
    if (!this.isCurrent(loop)) return "end";
    const before = [this.state, this.problem];
    const [state, act] = move(this.state, event);
    this.state = state;
    if (act !== "go on") this.problem = problem;
    if (state !== "live") this.transport = null;
    this.#notifyWatchers();
    if (act === "wait") this.#report(this.problem, retryIn);
    else if (before[0] !== this.state || before[1] !== this.problem) this.#report(this.problem, null);
    return act;
  }

  /** Report how changes come in, and the problem that there is all the same. @param {Loop} loop @param {Transport | null} transport @param {SyncError | null} problem */
  show(loop, transport, problem) {
    const now = this.state === "live" ? transport : null;
    if (!this.isCurrent(loop) || (this.transport === now && this.problem === problem)) return;
    this.transport = now;
    this.problem = problem;
    this.#report(problem, null);
  }

  #notifyWatchers() {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const wake of watchers) wake();
  }

  /** Wait until something has changed, for so many seconds at most. @param {number} seconds */
  #changed(seconds) {
    return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const timer = setTimeout(resolve, Math.min(seconds * 1000, 2 ** 31 - 1));
      this.#watchers.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

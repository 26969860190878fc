/**
 * Stays in step by itself: one loop that acts on `link/states.js`'s table.
 *
 * Only that loop speaks over the network here. Others put events into its inbox; where it waits for
 * a held request, the request is cut. So a local write goes out at once, and `stop()` waits for
 * nobody.
 */

import { NotInStep, SyncError } from "../errors.js";
import { Acting } from "./loop.js";
import { move } from "./states.js";

/** @import { Backoff } from "../backoff.js" */
/** @import { Around } from "../net/network_monitor.js" */
/** @import { Parts } from "./connections.js" */
/** @import { Act, Event, State } from "./states.js" */
/** @import { Transport } from "./transports.js" */
/** @import { Waking } from "./waking.js" */

/** Where it waits for its user. @type {readonly State[]} */
const RESTING = ["auth_required", "refused", "ended", "blocked"];

/** @typedef {(problem: SyncError | null, retryIn: number | null) => void} Report
 *   Is told of each change: the problem that led there, the seconds until a retry. */

/** One client's link, and the loop behind it. */
export class Background {
  #parts;
  #backoff;
  #report;
  /** @type {Acting | null} */
  #run = null;
  #holding = false;
  /** @type {Set<Event>} */
  #inbox = new Set();
  #begun = 0;
  #completed = 0;
  /** @type {Set<() => void>} */
  #watchers = new Set();
  /** @type {State} */
  state = "stopped";
  /** @type {Transport | null} */
  transport = null;
  /** @type {SyncError | null} */
  problem = null;

  /** @param {Parts} parts @param {Backoff} backoff @param {Report} report @param {Around} around @param {Waking} waking */
  constructor(parts, backoff, report, around, waking) {
    this.around = around;
    this.waking = waking;
    this.#parts = parts;
    this.#backoff = backoff;
    this.#report = report;
  }

  // What others call.

  /** Begin, or where it runs, try at once what waits for its user. */
  start() {
    if (this.#run !== null) {
      this.post("start");
      return;
    }
    const [state, act] = move(this.state, "start");
    this.state = state;
    this.#inbox.clear();
    this.#run = new Acting(this, this.#parts, this.#backoff);
    void this.#run.run(act);
    this.#report(null, null);
  }

  /** End the loop, in the middle of a request too. */
  async stop() {
    const run = this.#run;
    if (run === null) return;
    this.#run = null;
    [this.state] = move(this.state, "stop");
    this.transport = this.problem = null;
    this.#parts.network.cut();
    this.#parts.alarm.ring();
    this.#stir();
    this.#report(null, null);
    await run.ended;
  }

  /** Tell the loop, if there is one, what happened. A held request ends for it; others go on. @param {Event} event */
  post(event) {
    if (this.#run === null) return;
    this.#inbox.add(event);
    if (this.#holding) this.#parts.network.cut();
    this.#parts.alarm.ring();
  }

  /** The page goes, perhaps to come back. */
  leave() {
    this.#run?.leave();
  }

  /**
   * Return after a complete exchange that began after this call. Throws what keeps the link from
   * trying, or `NotInStep` after `timeout` seconds.
   * @param {number} timeout seconds
   */
  async waitUntilSynced(timeout) {
    const wanted = this.#begun + 1;
    this.post("start");
    const until = this.#parts.alarm.now() + timeout;
    while (this.#completed < wanted) {
      if (this.#run === null) throw new NotInStep("The link is stopped.");
      const rests = RESTING.includes(this.state);
      if (rests && this.#begun >= wanted && this.problem !== null) throw this.problem;
      const left = until - this.#parts.alarm.now();
      if (left <= 0) throw new NotInStep(`Not in step after ${timeout} s.`, { cause: this.problem });
      await this.#stirred(left);
    }
  }

  // What the network and the exchange tell.

  /** The server answered, or did not. @param {boolean} answered */
  heard(answered) {
    if (answered && this.#run !== null) this.feed(this.#run, "answered");
  }

  /** A page was applied, and more is to come. */
  behind() {
    if (this.#run !== null) this.feed(this.#run, "behind");
  }

  // What the loop calls.

  /** Whether this is the loop that runs now, and not one that was stopped. @param {Acting} run */
  isHere(run) {
    return run === this.#run;
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

  /** Whether a request is on its way that each event cuts. @param {boolean} on */
  hold(on) {
    this.#holding = on;
  }

  /** Begin an exchange: its number. */
  begin() {
    this.#begun += 1;
    return this.#begun;
  }

  /** All of that exchange came through. @param {number} number */
  complete(number) {
    this.#completed = number;
    this.#stir();
  }

  /**
   * Go where the table says, and tell of it.
   * @param {Acting} run
   * @param {Event} event
   * @param {SyncError | null} [problem]
   * @param {number} [retryIn] seconds
   * @returns {Act}
   */
  feed(run, event, problem = null, retryIn = 0) {
    if (!this.isHere(run)) return "end";
    const before = [this.state, this.problem];
    const [state, act] = move(this.state, event);
    this.state = state;
    if (act !== "go on") this.problem = problem;
    if (state !== "live") this.transport = null;
    this.#stir();
    if (act === "wait") this.#report(this.problem, retryIn);
    else if (before[0] !== this.state || before[1] !== this.problem) this.#report(this.problem, null);
    return act;
  }

  /** Tell how changes come in, and what is amiss all the same. @param {Acting} run @param {Transport | null} transport @param {SyncError | null} problem */
  show(run, transport, problem) {
    const now = this.state === "live" ? transport : null;
    if (!this.isHere(run) || (this.transport === now && this.problem === problem)) return;
    this.transport = now;
    this.problem = problem;
    this.#report(problem, null);
  }

  #stir() {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const wake of watchers) wake();
  }

  /** Until something has changed, for so many seconds at most. @param {number} seconds */
  #stirred(seconds) {
    return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const timer = setTimeout(resolve, Math.min(seconds * 1000, 2 ** 31 - 1));
      this.#watchers.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

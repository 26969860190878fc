/**
 * Callbacks: called after the commit, in the order of the commits. One that throws is reported and
 * stops no other; one that is asynchronous is not waited for, unless it is asked for a decision.
 */

import { Resolution } from "./conflicts.js";
import { log } from "./log.js";

/** @import { Conflict } from "./conflicts.js" */
/** @import { Change, Rejection, Status } from "./types.js" */

/**
 * @typedef {(change: Change) => unknown} ChangeHandler
 * @typedef {(conflict: Conflict) => Resolution | null | undefined | void | Promise<Resolution | null | undefined | void>} ConflictHandler
 * @typedef {(rejection: Rejection) => unknown} RejectionHandler
 * @typedef {(status: Status) => unknown} StatusHandler
 */

/** The handlers of one client. */
export class Callbacks {
  /** @type {Set<{collection: string | null, handler: ChangeHandler}>} */
  #change = new Set();
  /** @type {Set<{handler: ConflictHandler}>} */
  #conflict = new Set();
  /** @type {Set<{handler: RejectionHandler}>} */
  #rejection = new Set();
  /** @type {Set<{handler: StatusHandler}>} */
  #status = new Set();

  /** @param {string | null} collection @param {ChangeHandler} handler */
  onChange(collection, handler) {
    return register(this.#change, { collection, handler });
  }

  /** @param {ConflictHandler} handler */
  onConflict(handler) {
    return register(this.#conflict, { handler });
  }

  /** @param {RejectionHandler} handler */
  onRejected(handler) {
    return register(this.#rejection, { handler });
  }

  /** @param {StatusHandler} handler */
  onStatus(handler) {
    return register(this.#status, { handler });
  }

  /** @param {Change[]} changes */
  callChange(changes) {
    for (const change of changes) {
      for (const { collection, handler } of [...this.#change]) {
        if (collection === null || collection === change.collection) callSafely(() => handler(change));
      }
    }
  }

  /** @param {Status} status */
  callStatus(status) {
    for (const { handler } of [...this.#status]) callSafely(() => handler(status));
  }

  /** Tell of a rejection; `false` where nobody listens. @param {Rejection} rejection */
  callRejected(rejection) {
    for (const { handler } of [...this.#rejection]) callSafely(() => handler(rejection));
    return this.#rejection.size > 0;
  }

  /** Ask the handlers in turn; the first that decides is heard. @param {Conflict} conflict @returns {Promise<Resolution | null>} */
  async askConflict(conflict) {
    for (const { handler } of [...this.#conflict]) {
      try {
        const answer = await handler(conflict);
        if (answer instanceof Resolution) return answer;
        if (answer !== undefined && answer !== null) log.error("That is no resolution:", answer);
      } catch (error) {
        log.error("A callback failed:", error);
      }
    }
    return null;
  }
}

/**
 * @template T
 * @param {Set<T>} handlers
 * @param {T} entry
 * @returns {() => void} which takes it away again
 */
function register(handlers, entry) {
  handlers.add(entry);
  return () => {
    handlers.delete(entry);
  };
}

/** @param {() => unknown} call */
function callSafely(call) {
  try {
    const result = call();
    if (result instanceof Promise) result.catch((error) => log.error("A callback failed:", error));
  } catch (error) {
    log.error("A callback failed:", error);
  }
}

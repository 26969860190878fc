/**
 * Callbacks: called after the commit, in the order of the commits. An error in one is logged and
 * stops no other. An asynchronous one is not awaited, unless it decides about a conflict.
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

  /** Call the handlers with a rejection; return `false` where there is none. @param {Rejection} rejection */
  callRejected(rejection) {
    for (const { handler } of [...this.#rejection]) callSafely(() => handler(rejection));
    return this.#rejection.size > 0;
  }

  /** Ask the handlers one after the other; the first decision counts. @param {Conflict} conflict @returns {Promise<Resolution | null>} */
  async askConflict(conflict) {
    for (const { handler } of [...this.#conflict]) {
      try {
        const answer = await handler(conflict);
        if (answer instanceof Resolution) return answer;
        if (answer !== undefined && answer !== null) log.error("A conflict handler returned something that is not a resolution:", answer);
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
 * @returns {() => void} which removes it
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

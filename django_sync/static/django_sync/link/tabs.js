/**
 * The tabs of one store: one holds the link (Web Locks), the others get messages about changes
 * (BroadcastChannel). Where the browser has no Web Locks, or no other tab can see the store, each tab
 * has a link of its own. That is safe: a page is applied only where the store is at its cursor.
 */

import { log } from "../log.js";

/** @typedef {{type: string, [member: string]: any}} Message */

/**
 * @typedef {object} Ways What the browser has; tests pass their own.
 * @property {LockManager | undefined} [locks]
 * @property {typeof BroadcastChannel | undefined} [BroadcastChannel]
 */

export class Tabs {
  #name;
  #locks;
  #channel;
  #onMessage;
  /** @type {(() => void) | null} */
  #release = null;
  /** @type {AbortController | null} */
  #request = null;
  leads = false;

  /**
   * @param {string | null} store its name; `null` where no other tab can see it
   * @param {(message: Message) => void} onMessage
   * @param {Ways} [ways]
   */
  constructor(store, onMessage, ways = {}) {
    const { locks = globalThis.navigator?.locks, BroadcastChannel = globalThis.BroadcastChannel } = ways;
    this.#name = `django_sync ${store}`;
    this.#onMessage = onMessage;
    this.#locks = store === null ? undefined : locks;
    this.#channel = store === null || !BroadcastChannel ? null : new BroadcastChannel(this.#name);
    if (this.#channel !== null) this.#channel.onmessage = ({ data }) => this.#onMessage(data);
  }

  /** Send a message to the other tabs. @param {Message} message */
  post(message) {
    this.#channel?.postMessage(message);
  }

  /**
   * Hold the link as soon as no other tab does: `begin` is called then.
   * @param {() => void} begin
   */
  lead(begin) {
    if (this.leads || this.#request !== null) return;
    if (this.#locks === undefined) {
      this.leads = true;
      begin();
      return;
    }
    const request = new AbortController();
    this.#request = request;
    this.#locks
      .request(this.#name, { signal: request.signal }, () => this.#hold(begin))
      .catch((error) => {
        if (error.name !== "AbortError") log.error("The tab cannot get the lock:", error);
      });
  }

  /**
   * Do something while no tab holds the link, or at once where one does and does not answer: a
   * browser may have frozen it.
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  async exclusively(run) {
    if (this.#locks === undefined) return run();
    return this.#locks.request(this.#name, { ifAvailable: true }, run);
  }

  /** Leave the link to another tab. */
  follow() {
    this.#request?.abort();
    this.#request = null;
    this.leads = false;
    this.#release?.();
    this.#release = null;
  }

  close() {
    this.follow();
    this.#channel?.close();
  }

  /** The lock is held until the promise is fulfilled, or the tab is closed. @param {() => void} begin */
  #hold(begin) {
    if (this.#request === null) return undefined;
    return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      this.#release = resolve;
      this.leads = true;
      begin();
    });
  }
}

/** A client's push: wake-ups that come in, and whether the server may wake the browser. */

import { NotSupported, SyncError } from "../errors.js";
import { concerns, readWakeUp } from "./wakeups.js";

/** @import { HttpClient } from "../net/http.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Counts } from "../types.js" */
/** @import { Background } from "./background.js" */
/** @import { Exchange } from "./exchange.js" */
/** @import { PushOptions, PushRegistration } from "./push_registration.js" */
/** @import { TabMessages } from "./tab_messages.js" */
/** @import { WakeupStore } from "../store/wakeup_store.js" */
/** @import { Event } from "./wakeups.js" */

/**
 * @typedef {object} Parts What push needs.
 * @property {Database} db
 * @property {readonly string[]} names of the collections
 * @property {HttpClient} http
 * @property {Exchange} exchange
 * @property {WakeupStore} wakes
 * @property {PushRegistration} registration
 * @property {TabMessages} tabs
 * @property {Background} background
 */

/** One client's push. */
export class Push {
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** How the server may wake this browser, or `null`. */
  get info() {
    const { enabled, problem } = this.#parts.registration;
    return enabled === null ? null : { ...enabled, problem };
  }

  /** Read what is stored; the tab that holds the link reports it to the server where that knows something else. */
  async load() {
    await this.#parts.registration.load();
    this.#parts.background.post("reachable");
  }

  /** @param {unknown} payload */
  async wake(payload) {
    const { wakes, tabs, background, names } = this.#parts;
    const wakeUp = readWakeUp(payload);
    if (wakeUp === null || !concerns(wakeUp, names)) return false;
    const event = (await wakes.remember()) ? "woken" : "again";
    if (tabs.leads) background.wakeUps.add(event);
    else tabs.sendWakeUp(event);
    return true;
  }

  /** @param {Event} event @returns {Promise<Counts | null>} */
  async catchUp(event) {
    const { wakes, tabs, exchange } = this.#parts;
    if (!(await wakes.hasPending()) || (await tabs.isHandledElsewhere(event))) return null;
    return tabs.exclusively(() => exchange.pull());
  }

  async isOffered() {
    if (!("PushManager" in globalThis)) return false;
    try {
      return (await this.#parts.exchange.serviceDocument()).vapidKey !== null;
    } catch (error) {
      if (error instanceof SyncError) return false;
      throw error;
    }
  }

  /** @param {PushOptions} [asked] */
  async enable({ vapidKey = null, ...asked } = {}) {
    const { exchange, registration } = this.#parts;
    const key = vapidKey ?? (await exchange.serviceDocument()).vapidKey;
    if (key === null) throw new NotSupported("The server does not wake browsers.");
    await registration.enable({ ...asked, vapidKey: key });
    this.#changed();
  }

  /** @param {ServiceWorkerRegistration} [registration] */
  async disable(registration) {
    await this.#parts.registration.disable(registration);
    this.#changed();
  }

  /** @param {PushSubscriptionJSON} subscription */
  async renew(subscription) {
    const { registration, tabs, http, db } = this.#parts;
    if (registration.enabled === null) return;
    await registration.keep({ ...registration.enabled, subscription });
    this.#changed();
    if (await tabs.isHandledElsewhere("waits")) return;
    const session = await db.read(async (tx) => tx.meta.session);
    // Where there is none, the next page opens one and reports it then.
    if (session) await http.patch(`sessions/${session}/`, JSON.stringify({ push: registration.push }));
  }

  #changed() {
    this.#parts.background.post("reachable");
    this.#parts.tabs.sendPush();
  }
}

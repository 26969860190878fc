/** Push, as a client has it: wake-ups that come in, and whether the browser is to be woken at all. */

import { NotSupported, SyncError } from "../errors.js";
import { concerns, readWakeUp } from "./wakeups.js";

/** @import { Network } from "../net/http.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Counts } from "../types.js" */
/** @import { Background } from "./background.js" */
/** @import { Exchange } from "./exchange.js" */
/** @import { Asked, Enabling } from "./push_registration.js" */
/** @import { Together } from "./tab_messages.js" */
/** @import { Wakes } from "./wakes.js" */
/** @import { Event } from "./wakeups.js" */

/**
 * @typedef {object} Parts What push stands on.
 * @property {Database} db
 * @property {readonly string[]} names of the collections
 * @property {Network} network
 * @property {Exchange} exchange
 * @property {Wakes} wakes
 * @property {Enabling} enabling
 * @property {Together} together
 * @property {Background} background
 */

/** One client's push. */
export class Pushing {
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** How the server may wake this browser, or `null`. */
  get told() {
    const { enabled, problem } = this.#parts.enabling;
    return enabled === null ? null : { ...enabled, problem };
  }

  /** Read what is kept; whoever holds the link tells the server, where it knows otherwise. */
  async load() {
    await this.#parts.enabling.load();
    this.#parts.background.post("reachable");
  }

  /** @param {unknown} payload */
  async wake(payload) {
    const { wakes, together, background, names } = this.#parts;
    const told = readWakeUp(payload);
    if (told === null || !concerns(told, names)) return false;
    const event = (await wakes.remember()) ? "woken" : "again";
    if (together.leads) background.waking.came(event);
    else together.tellWoken(event);
    return true;
  }

  /** @param {Event} event @returns {Promise<Counts | null>} */
  async catchUp(event) {
    const { wakes, together, exchange } = this.#parts;
    if (!(await wakes.wait()) || (await together.isHeeded(event))) return null;
    return together.exclusively(() => exchange.pull());
  }

  async isOffered() {
    if (!("PushManager" in globalThis)) return false;
    try {
      return (await this.#parts.exchange.described()).vapidKey !== null;
    } catch (error) {
      if (error instanceof SyncError) return false;
      throw error;
    }
  }

  /** @param {Asked} [asked] */
  async enable({ vapidKey = null, ...asked } = {}) {
    const { exchange, enabling } = this.#parts;
    const key = vapidKey ?? (await exchange.described()).vapidKey;
    if (key === null) throw new NotSupported("The server wakes no browsers.");
    await enabling.enable({ ...asked, vapidKey: key });
    this.#changed();
  }

  /** @param {ServiceWorkerRegistration} [registration] */
  async disable(registration) {
    await this.#parts.enabling.disable(registration);
    this.#changed();
  }

  /** @param {PushSubscriptionJSON} subscription */
  async renew(subscription) {
    const { enabling, together, network, db } = this.#parts;
    if (enabling.enabled === null) return;
    await enabling.keep({ ...enabling.enabled, subscription });
    this.#changed();
    if (await together.isHeeded("waits")) return;
    const session = await db.read(async (tx) => tx.meta.session);
    // Where there is none the next page opens one, and tells it then.
    if (session) await network.patch(`sessions/${session}/`, JSON.stringify({ push: enabling.push }));
  }

  #changed() {
    this.#parts.background.post("reachable");
    this.#parts.together.tellPush();
  }
}

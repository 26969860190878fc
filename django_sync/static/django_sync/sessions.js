/**
 * The session: what the server is told of this client, and what it decides in turn. Asked before a
 * line is opened, for the ticket and for the transport that the server would have used.
 */

import * as errors from "./errors.js";
import { seconds } from "./frames.js";
import { log } from "./log.js";

/** @import { Transport } from "./choice.js" */
/** @import { Fields } from "./encoding.js" */
/** @import { Network } from "./network.js" */
/** @import { Hints } from "./pace.js" */

/**
 * @typedef {object} Decision What the server answered; times in seconds.
 * @property {string} id
 * @property {string} transport
 * @property {string} url of a socket, with its ticket
 * @property {number} heartbeat
 * @property {number | null} pollInterval
 * @property {number | null} upgradeAfter
 */

/** Answers of servers that are older, smaller, or have none for this user. */
const NONE = [errors.NotFound, errors.MethodNotAllowed, errors.PermissionDenied, errors.Invalid];

/** Of this client library, as the server's list of sessions shows it. */
export const VERSION = "0.1.0";

/** One client's session, opened once and told of what changes. */
export class Sessions {
  #network;
  #names;
  /** @type {string | null} */
  #id = null;

  /** @param {Network} network @param {readonly string[]} names of the collections */
  constructor(network, names) {
    this.#network = network;
    this.#names = names;
  }

  /** Open another at the next time. */
  forget() {
    this.#id = null;
    delete this.#network.said["Sync-Session"];
  }

  /**
   * Tell how things stand; return what is decided, or `null` where none can be asked.
   * @param {string} clientId
   * @param {Transport[]} able
   * @param {Transport[]} failed
   * @param {Hints} hints
   * @returns {Promise<Decision | null>}
   */
  async ask(clientId, able, failed, { metered, foreground }) {
    const told = { transports: able, failed, network: { metered }, foreground };
    if (this.#id !== null) {
      try {
        return this.#read(await this.#network.patch(`sessions/${this.#id}/`, JSON.stringify(told)));
      } catch (error) {
        if (!(error instanceof errors.NotFound)) throw error;
        this.forget(); // It has ended; another begins.
      }
    }
    const whole = { ...told, client_id: clientId, collections: this.#names, platform: platform(), version: VERSION };
    try {
      return this.#read(await this.#network.post("sessions/", JSON.stringify(whole)));
    } catch (error) {
      if (error instanceof errors.ClientMismatch) {
        throw new errors.StoreMismatch(error.detail, { cause: error });
      }
      const none = NONE.some((kind) => error instanceof kind);
      const fails = error instanceof errors.SyncError && error.constructor === errors.SyncError;
      if (!none && !fails) throw error;
      log.info("The server opens no session:", error);
      return null;
    }
  }

  /** @param {Fields} body @returns {Decision} */
  #read({ id, transport, url, heartbeat, poll_interval: pollInterval, upgrade_after: upgradeAfter }) {
    if (typeof id !== "string" || typeof transport !== "string") {
      throw new errors.Offline("The answer is no session of a django_sync server.");
    }
    this.#id = id;
    this.#network.said["Sync-Session"] = id;
    return {
      id, transport, url: typeof url === "string" ? url : "", heartbeat: seconds(heartbeat) ?? 25,
      pollInterval: seconds(pollInterval), upgradeAfter: seconds(upgradeAfter),
    };
  }
}

/** What runs this, in a few words. */
function platform() {
  const node = /** @type {any} */ (globalThis).process?.versions?.node;
  return node ? `javascript/node ${node}` : "javascript/browser";
}

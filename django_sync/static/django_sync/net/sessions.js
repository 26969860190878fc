/**
 * The session: what this client reports of itself, and what the server decides. The client asks before
 * it opens a connection, for the ticket and for the transport that the server wants. It reports when
 * the network has changed enough, and how the browser may be woken.
 */

import * as errors from "../errors.js";
import { log } from "../log.js";
import { seconds } from "./frames.js";
import { differs, toJson } from "./network_state.js";

/** @import { PushRegistration } from "../link/push_registration.js" */
/** @import { Transport } from "../link/transports.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Fields } from "../store/encoding.js" */
/** @import { HttpClient } from "./http.js" */
/** @import { NetworkState } from "./network_state.js" */

/**
 * @typedef {object} Decision What the server answered; times in seconds.
 * @property {string} id
 * @property {string} transport
 * @property {string} url of a socket, with its ticket
 * @property {number} heartbeat
 * @property {number | null} pollInterval
 * @property {number | null} upgradeAfter
 */

/** Answers of servers that are older or smaller, or that have no sessions for this user. */
const NO_SESSION = [errors.NotFound, errors.MethodNotAllowed, errors.PermissionDenied, errors.Invalid];

/** The version of this library, as the server's list of sessions shows it. */
export const VERSION = "0.1.0";

/** One client's session: opened once, then updated with what changes. */
export class Sessions {
  #network;
  #names;
  #db;
  #registration;
  /** @type {string | null} */
  #id = null;
  /** @type {NetworkState | null} */
  #reportedNetwork = null;
  /** What the server knows of `push`, as JSON. */
  #reportedPush = "null";
  #hasNone = false;

  /** @param {HttpClient} network @param {readonly string[]} names of the collections @param {Database} db @param {PushRegistration} registration */
  constructor(network, names, db, registration) {
    this.#network = network;
    this.#names = names;
    this.#db = db;
    this.#registration = registration;
  }

  /** Whether there is something to report: another network, or another push registration. @param {NetworkState} networkState */
  needsUpdate(networkState) {
    const woken = JSON.stringify(this.#registration.push) !== this.#reportedPush;
    return this.#reportedNetwork === null ? woken && !this.#hasNone : woken || differs(this.#reportedNetwork, networkState);
  }

  /** Open another session the next time. */
  forget() {
    this.#id = this.#reportedNetwork = null;
    this.#hasNone = false;
    delete this.#network.identityHeaders["Sync-Session"];
  }

  /**
   * The page goes. Where its browser can be woken, the server should wake it from now on, and not
   * only once the session counts as idle. The answer is not awaited.
   */
  leave() {
    if (this.#id === null || !this.#reportedNetwork?.foreground || this.#registration.push === null) return;
    this.#reportedNetwork = { ...this.#reportedNetwork, foreground: false }; // so that it is reported again if the page comes back
    const request = this.#network.patch(`sessions/${this.#id}/`, '{"foreground":false}', { keepalive: true });
    request.catch((error) => log.info("The server may not know that the page has gone:", error));
  }

  /**
   * Report the state; return the decision, or `null` where the server has no sessions.
   * @param {string} clientId
   * @param {Transport[]} able
   * @param {Transport[]} failed
   * @param {NetworkState} networkState
   * @returns {Promise<Decision | null>}
   */
  async ask(clientId, able, failed, networkState) {
    const report = { transports: able, failed, network: toJson(networkState), foreground: networkState.foreground };
    if (this.#id !== null) {
      const id = this.#id;
      try {
        const decision = await this.#send(report, (body) => this.#network.patch(`sessions/${id}/`, body));
        this.#reportedNetwork = networkState;
        return decision;
      } catch (error) {
        if (!(error instanceof errors.NotFound)) throw error;
        this.forget(); // It has ended; another begins.
      }
    }
    this.#reportedPush = "null"; // the server knows nothing of a new session
    const whole = { ...report, client_id: clientId, collections: this.#names, platform: platform(), version: VERSION };
    const opened = await this.#open(whole);
    this.#hasNone = opened === null;
    this.#reportedNetwork = opened === null ? null : networkState;
    return opened;
  }

  /** @param {Fields} whole */
  async #open(whole) {
    try {
      return await this.#send(whole, (body) => this.#network.post("sessions/", body));
    } catch (error) {
      if (error instanceof errors.ClientMismatch) {
        throw new errors.StoreMismatch(error.detail, { cause: error });
      }
      const none = NO_SESSION.some((kind) => error instanceof kind);
      const fails = error instanceof errors.SyncError && error.constructor === errors.SyncError;
      if (!none && !fails) throw error;
      log.info("The server opens no session:", error);
      return null;
    }
  }

  /**
   * Send a report, with the push registration where the server does not know it; and again without it
   * where the server does not accept it.
   * @param {Fields} report
   * @param {(body: string) => Promise<Fields>} call
   */
  async #send(report, call) {
    const { push } = this.#registration;
    const transports = push === null ? report.transports : [...report.transports, "push"];
    if (JSON.stringify(push) !== this.#reportedPush) {
      try {
        const decision = await this.#read(await call(JSON.stringify({ ...report, transports, push })));
        this.#reportedPush = JSON.stringify(push);
        return decision;
      } catch (error) {
        if (!(error instanceof errors.Invalid) || push === null) throw error;
        log.warn(`The server does not wake this browser: ${error.detail}`);
        this.#registration.refused(push, error);
        this.#reportedPush = JSON.stringify(this.#registration.push);
        return this.#read(await call(JSON.stringify(report)));
      }
    }
    return this.#read(await call(JSON.stringify({ ...report, transports })));
  }

  /** @param {Fields} body @returns {Promise<Decision>} */
  async #read({ id, transport, url, heartbeat, poll_interval: pollInterval, upgrade_after: upgradeAfter }) {
    if (typeof id !== "string" || typeof transport !== "string") {
      throw new errors.Captive("The answer is not a session of a django_sync server.");
    }
    this.#network.countRoundTrip();
    if (id !== this.#id) await this.#db.write(async (tx) => tx.set({ session: id }));
    this.#id = id;
    this.#network.identityHeaders["Sync-Session"] = id;
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

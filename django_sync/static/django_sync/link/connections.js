/** Opens connections, and decides what follows when one ends. Only the link's loop uses it. */

import * as errors from "../errors.js";
import { log } from "../log.js";
import { SocketConnection, StreamConnection } from "../net/connection.js";
import { isSparing } from "../net/network_state.js";
import { Sessions } from "../net/sessions.js";
import { Feed } from "./feed.js";
import { LiveConnection } from "./live.js";
import { CONNECTIONS } from "./transports.js";

/** @import { SocketClass } from "../net/connection.js" */
/** @import { HttpClient } from "../net/http.js" */
/** @import { NetworkState } from "../net/network_state.js" */
/** @import { Decision } from "../net/sessions.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Waker } from "../waker.js" */
/** @import { Exchange, Listener } from "./exchange.js" */
/** @import { Pace } from "./pace.js" */
/** @import { PushRegistration } from "./push_registration.js" */
/** @import { TransportChoice, Transport } from "./transports.js" */

/** Seconds, where no session sets another value. */
const HEARTBEAT = 25;

/**
 * @typedef {object} Parts What a link is made of.
 * @property {Database} db
 * @property {HttpClient} http
 * @property {Exchange} exchange
 * @property {Listener} listener
 * @property {TransportChoice} choice
 * @property {Pace} pace
 * @property {Waker} waker
 * @property {SocketClass | undefined} WebSocket
 * @property {PushRegistration} registration
 */

/** The one connection of a link, while it has one. */
export class Connections {
  #parts;
  #sessions;
  /** @type {Decision | null} */
  #decision = null;
  /** @type {Set<number>} */
  #settledBefore = new Set();
  #checkedAt = 0;
  /** @type {LiveConnection | null} */
  live = null;
  /** The transport that was reported to the server last. @type {Transport | null} */
  #reportedTransport = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#sessions = new Sessions(parts.http, parts.exchange.names, parts.db, parts.registration);
  }

  /** The page goes. */
  leave() {
    this.#sessions.leave();
  }

  /** Forget the session; the next one is new. */
  forget() {
    this.#sessions.forget();
    this.#decision = null;
    this.#reportedTransport = null;
  }

  /**
   * Report to the server what it has to know before a transport is used; return the one to use.
   * @param {Transport} transport
   * @param {NetworkState} networkState
   * @returns {Promise<Transport>}
   */
  async prepare(transport, networkState) {
    const { http } = this.#parts;
    const connects = CONNECTIONS.includes(transport);
    if (connects && this.live?.transport !== transport) {
      http.resume();
      return this.#updateSession(transport, networkState);
    }
    if (!connects && this.#reportedTransport !== transport) {
      http.resume();
      await this.#introduce(transport, networkState);
      return transport;
    }
    return this.#sessions.needsUpdate(networkState) ? this.#reportNetwork(transport, networkState) : transport;
  }

  /** Report a change to the server. Where that fails, what works now stays in use. @param {Transport} transport @param {NetworkState} networkState */
  async #reportNetwork(transport, networkState) {
    this.#parts.http.resume();
    try {
      return await this.#updateSession(transport, networkState);
    } catch (error) {
      if (!(error instanceof errors.SyncError) || stopsLink(error)) throw error;
      log.info("The server does not know of the network's change:", error);
      return transport;
    }
  }

  /** Report once to the server that this client pulls. The server need not know, so a failure does not stop the pulls. @param {Transport} transport @param {NetworkState} networkState */
  async #introduce(transport, networkState) {
    try {
      await this.#updateSession(transport, networkState);
    } catch (error) {
      if (!(error instanceof errors.SyncError) || stopsLink(error)) throw error;
      this.#reportedTransport = transport;
      log.info("The server does not know of this client:", error);
    }
  }

  /**
   * Ask the server before a connection is opened; return the transport to use. A server without
   * sessions accepts no socket, and decides nothing about the other transports.
   * @param {Transport} transport
   * @param {NetworkState} networkState
   */
  async #updateSession(transport, networkState) {
    const { choice, pace, waker, exchange } = this.#parts;
    const now = waker.now();
    const { clientId } = await exchange.replica.place();
    const decision = await this.#sessions.ask(clientId, choice.usable(), choice.resting(now), networkState);
    this.#decision = decision;
    this.#reportedTransport = transport;
    if (decision === null) choice.avoid("websocket", now);
    else {
      choice.rest = decision.upgradeAfter ?? choice.rest;
      pace.longest = decision.pollInterval ?? pace.longest;
      if (decision.transport !== transport) choice.follow(decision.transport, now, decision.upgradeAfter);
    }
    return choice.best(now, isSparing(networkState));
  }

  /**
   * Open a connection; it feeds the store from now on. Throws one of `errors.js`.
   * @param {Transport} transport
   * @param {{isCurrent: () => boolean, onWelcome: () => void, onSynced: () => void}} owner
   */
  async open(transport, { isCurrent, onWelcome, onSynced }) {
    const decision = this.#decision;
    this.#decision = null; // A ticket is valid once.
    const heartbeat = decision?.heartbeat ?? HEARTBEAT;
    const { exchange, listener, waker } = this.#parts;
    const feed = await Feed.begin(exchange.replica, exchange.names, listener, onSynced);
    let connection;
    try {
      connection = await this.#connect(transport, decision, feed);
    } catch (error) {
      await feed.end();
      throw error;
    }
    this.live = new LiveConnection(connection, feed, waker, heartbeat, { isCurrent, onWelcome });
    this.#settledBefore = new Set();
    this.#checkedAt = waker.now();
    this.live.begin(decision?.id ?? "", exchange.names);
  }

  /** @param {Transport} transport @param {Decision | null} decision @param {Feed} feed */
  async #connect(transport, decision, feed) {
    const { http, exchange, waker, WebSocket } = this.#parts;
    if (transport !== "websocket") return StreamConnection.open(http, exchange.asked(feed.place), waker);
    if (decision === null || !decision.url || WebSocket === undefined) {
      throw new errors.NotFound("The server gave no ticket for a socket.");
    }
    const url = socketUrl(decision.url, http.url);
    return SocketConnection.open(url, waker, WebSocket, http.cutSignal);
  }

  /** End the connection, if there is one. Then others may feed the store. */
  async close() {
    const { live } = this;
    this.live = null;
    await live?.close();
  }

  /** Whether another feeder has taken the store, and no frame has shown it yet. */
  async isSuperseded() {
    if (this.live === null) return false;
    return (await this.#parts.exchange.replica.place()).stream !== this.live.feed.place.stream;
  }

  /**
   * Whether a result has waited for its change for a whole heartbeat. No frame shows a change that
   * the user may not see, or a mutation that changed nothing; a complete pull ends the wait.
   */
  async isStuck() {
    const { waker, db } = this.#parts;
    const now = waker.now();
    if (this.live === null || now - this.#checkedAt < this.live.heartbeat) return false;
    const before = this.#settledBefore;
    const rows = await db.read((tx) => tx.list("outbox", { index: "state", only: "settled" }));
    this.#settledBefore = new Set(rows.map(({ seq }) => seq));
    this.#checkedAt = now;
    return [...before].some((seq) => this.#settledBefore.has(seq));
  }

  /**
   * A connection broke, or did not open: close it, and return the error that the link has to wait
   * for; `null` where it need not wait: the cursor is void, or the transport does not exist here.
   * Refused credentials become `Unavailable`, since only a call by HTTP renews them.
   * @param {Transport} transport
   * @param {errors.SyncError} error
   * @returns {Promise<errors.SyncError | null>}
   */
  async handleEnd(transport, error) {
    const { choice, waker } = this.#parts;
    const now = waker.now();
    const lived = this.live === null ? 0 : now - this.live.openedAt;
    await this.close();
    log.info(`${transport} ended after ${Math.round(lived)} s: ${error.detail}`);
    if (error instanceof errors.CursorExpired || error instanceof errors.InvalidCursor) {
      choice.ended(transport, now, lived);
      return this.#voidCursor(error);
    }
    if (error instanceof errors.SessionEnded || error instanceof errors.Blocked) return error;
    if (error instanceof errors.Unavailable) return error; // It restarts, or has set when to ask again.
    if (error instanceof errors.Offline || error instanceof errors.NotAuthenticated) {
      choice.ended(transport, now, lived);
      return error instanceof errors.Offline ? error : new errors.Unavailable(error.detail);
    }
    choice.avoid(transport, now);
    return error instanceof errors.Throttled ? error : null;
  }

  /** @param {errors.SyncError} error */
  async #voidCursor(error) {
    const { exchange } = this.#parts;
    try {
      await exchange.void(await exchange.replica.place(), error);
      return null;
    } catch (problem) {
      if (problem instanceof errors.SyncError) return problem;
      throw problem;
    }
  }
}

/** The socket's address. It uses TLS where calls do, whatever the ticket says. @param {string} address @param {string} base */
function socketUrl(address, base) {
  const url = new URL(address, base);
  url.protocol = new URL(base).protocol === "https:" ? "wss:" : url.protocol.replace("http", "ws");
  return url.href;
}

/** Whether a refused session ends everything that the client does. @param {errors.SyncError} error */
function stopsLink(error) {
  const kinds = [errors.Blocked, errors.SessionEnded, errors.NotAuthenticated, errors.StoreMismatch];
  return kinds.some((kind) => error instanceof kind);
}

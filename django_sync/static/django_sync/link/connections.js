/** Opens lines, and says what follows when one ends. The link's loop alone uses it. */

import * as errors from "../errors.js";
import { log } from "../log.js";
import { SocketLine, StreamLine } from "../net/connection.js";
import { isSparing } from "../net/network_state.js";
import { Sessions } from "../net/sessions.js";
import { Feed } from "./feed.js";
import { Live } from "./live.js";

/** @import { SocketClass } from "../net/connection.js" */
/** @import { Network } from "../net/http.js" */
/** @import { NetworkState } from "../net/network_state.js" */
/** @import { Decision } from "../net/sessions.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Alarm } from "../waker.js" */
/** @import { Exchange, Listener } from "./exchange.js" */
/** @import { Pace } from "./pace.js" */
/** @import { Enabling } from "./push_registration.js" */
/** @import { Choice, Transport } from "./transports.js" */

/** Seconds, where no session says otherwise. */
const HEARTBEAT = 25;

/**
 * @typedef {object} Parts What a link is made of.
 * @property {Database} db
 * @property {Network} network
 * @property {Exchange} exchange
 * @property {Listener} listener
 * @property {Choice} choice
 * @property {Pace} pace
 * @property {Alarm} alarm
 * @property {SocketClass | undefined} WebSocket
 * @property {Enabling} enabling
 */

/** The one line of a link, while it has one. */
export class Lines {
  #parts;
  #sessions;
  /** @type {Decision | null} */
  #decision = null;
  /** @type {Set<number>} */
  #settled = new Set();
  #lookedAt = 0;
  /** @type {Live | null} */
  live = null;
  /** What the server was last asked about. @type {Transport | null} */
  agreed = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#sessions = new Sessions(parts.network, parts.exchange.names, parts.db, parts.enabling);
  }

  /** Whether the server should hear how things stand, though no line is to be opened. @param {NetworkState} around */
  hasNews(around) {
    return this.#sessions.wants(around);
  }

  /** The page goes. */
  leave() {
    this.#sessions.leave();
  }

  /** A new beginning: another session, too. */
  forget() {
    this.#sessions.forget();
    this.#decision = null;
    this.agreed = null;
  }

  /**
   * Ask the server before a line is opened; return what is to be used. A server without sessions
   * lets no socket in, and has no say in the rest.
   * @param {Transport} transport
   * @param {NetworkState} around
   */
  async agree(transport, around) {
    const { choice, pace, alarm, exchange } = this.#parts;
    const now = alarm.now();
    const { clientId } = await exchange.replica.place();
    const decision = await this.#sessions.ask(clientId, choice.usable(), choice.resting(now), around);
    this.#decision = decision;
    this.agreed = transport;
    if (decision === null) choice.lacks("websocket", now);
    else {
      choice.rest = decision.upgradeAfter ?? choice.rest;
      pace.longest = decision.pollInterval ?? pace.longest;
      if (decision.transport !== transport) choice.ordered(decision.transport, now, decision.upgradeAfter);
    }
    return choice.best(now, isSparing(around));
  }

  /**
   * Open a line; it feeds the store from now on. Throws one of `errors.js`.
   * @param {Transport} transport
   * @param {{isHere: () => boolean, welcomed: () => void, synced: () => void}} owner
   */
  async open(transport, { isHere, welcomed, synced }) {
    const decision = this.#decision;
    this.#decision = null; // A ticket lets in once.
    const heartbeat = decision?.heartbeat ?? HEARTBEAT;
    const { exchange, listener, alarm } = this.#parts;
    const feed = await Feed.begin(exchange.replica, exchange.names, listener, synced);
    let line;
    try {
      line = await this.#line(transport, decision, feed);
    } catch (error) {
      await feed.end();
      throw error;
    }
    this.live = new Live(line, feed, alarm, heartbeat, { isHere, welcomed });
    this.#settled = new Set();
    this.#lookedAt = alarm.now();
    this.live.begin(decision?.id ?? "", exchange.names);
  }

  /** @param {Transport} transport @param {Decision | null} decision @param {Feed} feed */
  async #line(transport, decision, feed) {
    const { network, exchange, alarm, WebSocket } = this.#parts;
    if (transport !== "websocket") return StreamLine.open(network, exchange.asked(feed.place), alarm);
    if (decision === null || !decision.url || WebSocket === undefined) {
      throw new errors.NotFound("There is no ticket to a socket.");
    }
    const url = socketUrl(decision.url, network.url);
    return SocketLine.open(url, alarm, WebSocket, network.cutting);
  }

  /** End the line, if there is one. The store is anybody's again. */
  async close() {
    const { live } = this;
    this.live = null;
    await live?.close();
  }

  /** Whether somebody else has taken the store, and no frame has shown it yet. */
  async isSuperseded() {
    if (this.live === null) return false;
    return (await this.#parts.exchange.replica.place()).stream !== this.live.feed.place.stream;
  }

  /**
   * Whether a result has been waiting for its change for a whole heartbeat: what others may not
   * see, or what never became a change, is told of by no frame. A complete pull ends it.
   */
  async isStuck() {
    const { alarm, db } = this.#parts;
    const now = alarm.now();
    if (this.live === null || now - this.#lookedAt < this.live.heartbeat) return false;
    const before = this.#settled;
    const rows = await db.read((tx) => tx.list("outbox", { index: "state", only: "settled" }));
    this.#settled = new Set(rows.map(({ seq }) => seq));
    this.#lookedAt = now;
    return [...before].some((seq) => this.#settled.has(seq));
  }

  /**
   * A line broke, or did not open: close it, and return what is to be waited for. `null` where
   * nothing need be: a cursor that is void, or a transport that does not exist here. Credentials
   * are for HTTP to judge, which renews them.
   * @param {Transport} transport
   * @param {errors.SyncError} error
   * @returns {Promise<errors.SyncError | null>}
   */
  async ended(transport, error) {
    const { choice, alarm } = this.#parts;
    const now = alarm.now();
    const lived = this.live === null ? 0 : now - this.live.openedAt;
    await this.close();
    log.info(`${transport} ended after ${Math.round(lived)} s: ${error.detail}`);
    if (error instanceof errors.CursorExpired || error instanceof errors.InvalidCursor) {
      choice.ended(transport, now, lived);
      return this.#void(error);
    }
    if (error instanceof errors.SessionEnded || error instanceof errors.Blocked) return error;
    if (error instanceof errors.Unavailable) return error; // It restarts, or says when to come again.
    if (error instanceof errors.Offline || error instanceof errors.NotAuthenticated) {
      choice.ended(transport, now, lived);
      return error instanceof errors.Offline ? error : new errors.Unavailable(error.detail);
    }
    choice.lacks(transport, now);
    return error instanceof errors.Throttled ? error : null;
  }

  /** @param {errors.SyncError} error */
  async #void(error) {
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

/** Where the server is spoken to over TLS the socket is too, whatever the ticket's address says. @param {string} told @param {string} base */
function socketUrl(told, base) {
  const url = new URL(told, base);
  url.protocol = new URL(base).protocol === "https:" ? "wss:" : url.protocol.replace("http", "ws");
  return url.href;
}

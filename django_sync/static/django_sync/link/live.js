/**
 * One open connection, from the hello to its end: what comes in, and what is answered.
 *
 * The link's loop calls `pump()` whenever something came or is due. `link/connections.js` opens
 * connections; it decides with the loop what follows their end.
 */

import { CursorExpired, Offline, SyncError } from "../errors.js";
import { log } from "../log.js";
import { Acknowledgement } from "../net/acknowledgement.js";
import { readFrame } from "../net/frames.js";
import { Interrupted } from "../net/http.js";
import { PROTOCOL_VERSION } from "../net/service.js";

/** @import { SocketConnection, StreamConnection } from "../net/connection.js" */
/** @import { Frame } from "../net/frames.js" */
/** @import { Fields } from "../store/encoding.js" */
/** @import { Waker } from "../waker.js" */
/** @import { Feed } from "./feed.js" */

/** Seconds to wait for the answer to a hello. */
const WELCOME_TIMEOUT = 10;

/** Seconds to wait for results, once no catch-up delays them. */
const RESULTS_TIMEOUT = 30;

/** Frames that one `pump()` handles at most. */
const MOST_AT_ONCE = 16;

/** The server wants another transport. This error never leaves the client. */
export class TransportDirective extends Error {
  /** @param {string} transport @param {number | null} retryAfter seconds */
  constructor(transport, retryAfter) {
    super(transport);
    this.transport = transport;
    this.retryAfter = retryAfter;
  }
}

/** A connection and the feed that it fills. */
export class LiveConnection {
  #connection;
  #waker;
  #isCurrent;
  #onWelcome;
  #isWelcome = false;
  #acknowledgement;
  #refs = 0;
  /** @type {Fields | SyncError | null} */
  #answer = null;
  /** @type {SyncError | null} */
  #reason = null;
  #sentAt;
  #busyAt;
  hasEnded = false;

  /** Seconds after which a quiet connection is checked. */
  get heartbeat() {
    return this.#acknowledgement.heartbeat;
  }

  /** When anything came last, by the waker's clock. */
  get lastReceivedAt() {
    return this.#connection.lastReceivedAt;
  }

  /**
   * @param {SocketConnection | StreamConnection} connection
   * @param {Feed} feed
   * @param {Waker} waker
   * @param {number} heartbeat seconds
   * @param {{isCurrent: () => boolean, onWelcome: () => void}} owner `isCurrent`: whether its loop still runs
   */
  constructor(connection, feed, waker, heartbeat, { isCurrent, onWelcome }) {
    this.#connection = connection;
    this.#waker = waker;
    this.#isCurrent = isCurrent;
    this.#onWelcome = onWelcome;
    this.feed = feed;
    this.transport = connection.transport;
    this.#acknowledgement = new Acknowledgement(heartbeat);
    this.openedAt = this.#sentAt = this.#busyAt = waker.now();
  }

  /** Send the hello; a stream has sent the same in its request. @param {string} session @param {readonly string[]} collections */
  begin(session, collections) {
    if (this.transport === "websocket") {
      const { cursor } = this.feed.place;
      this.#send({ type: "hello", protocol: PROTOCOL_VERSION, session, cursor, collections });
    } else {
      this.#isWelcome = true;
      this.#onWelcome();
    }
  }

  /** End the connection; it feeds the store no more. */
  async close() {
    this.#connection.close();
    await this.feed.end();
  }

  /** Handle what came; return when something is due next. Throws the reason once the connection has ended. */
  async pump() {
    try {
      return await this.#handleFrames();
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.hasEnded = true;
      throw this.#reason ?? error;
    }
  }

  async #handleFrames() {
    for (let handled = 0; handled < MOST_AT_ONCE; handled++) {
      const body = this.#connection.next();
      if (body === null) break;
      await this.#handle(readFrame(body));
      this.#acknowledge();
    }
    this.#acknowledge();
    return this.#due(this.#waker.now());
  }

  /** Acknowledge the frames that were taken, if that is due. Nothing can be sent over a stream. */
  #acknowledge() {
    if (this.transport !== "websocket") return;
    const now = this.#waker.now();
    this.#acknowledgement.take(this.feed.frames, now);
    const frames = this.#acknowledgement.next(now, { atOnce: this.feed.waitsForCursor });
    if (frames !== null) this.#send({ type: "ack", frames });
  }

  /**
   * Send a batch of mutations and wait for its results; handle other frames meanwhile. Throws the
   * server's error; or, with `hasEnded` set, the reason why there is no answer.
   * @param {string} body
   * @returns {Promise<Fields>}
   */
  async post(body) {
    this.#refs += 1;
    this.#answer = null;
    this.#write(`{"type":"mutate","ref":"${this.#refs}",${body.slice(1)}`);
    const began = this.#waker.now();
    while (true) {
      const due = await this.pump();
      const answer = /** @type {Fields | SyncError | null} */ (this.#answer);
      if (answer instanceof SyncError) throw answer;
      if (answer !== null) return answer;
      if (!this.#isCurrent()) throw new Interrupted();
      const now = this.#waker.now();
      const until = Math.max(began, this.#busyAt) + RESULTS_TIMEOUT;
      if (now >= until) {
        this.hasEnded = true;
        throw new Offline("No results came.");
      }
      await this.#waker.wait(Math.min(due, until) - now);
    }
  }

  /** Keep the connection alive, or find that it is dead. @param {number} now */
  #due(now) {
    if (!this.#isWelcome && now >= this.openedAt + WELCOME_TIMEOUT) throw new Offline("The server did not answer the hello.");
    const deadAt = this.#connection.lastReceivedAt + 2 * this.heartbeat;
    if (now >= deadAt) throw new Offline("Nothing came for two heartbeats.");
    if (this.transport !== "websocket") return deadAt;
    if (now >= this.#sentAt + this.heartbeat / 2) this.#send({ type: "ping" });
    const due = Math.min(deadAt, this.#sentAt + this.heartbeat / 2, this.#acknowledgement.dueAt());
    return this.#isWelcome ? due : Math.min(due, this.openedAt + WELCOME_TIMEOUT);
  }

  /** @param {Fields} frame */
  #send(frame) {
    this.#write(JSON.stringify(frame));
  }

  /** @param {string} text */
  #write(text) {
    this.#connection.send(text);
    this.#sentAt = this.#waker.now();
  }

  /** @param {Frame | null} frame */
  async #handle(frame) {
    switch (frame?.type) {
      case "welcome":
        this.#welcome(frame);
        return;
      case "changes":
        this.#expectWelcome();
        if (frame.page.hasMore) this.#busyAt = this.#waker.now();
        await this.feed.changes(frame.page);
        return;
      case "cursor":
        this.#expectWelcome();
        await this.feed.cursor(frame.cursor);
        return;
      case "results":
        this.#answered(frame.ref, frame.body);
        return;
      case "error":
        if (frame.ref !== null) this.#answered(frame.ref, frame.error);
        else {
          log.warn(`The server reports: ${frame.error.detail}`);
          this.#reason = frame.error;
        }
        return;
      case "switch":
        throw new TransportDirective(frame.transport, frame.retryAfter);
    }
  }

  /** @param {string} ref @param {Fields | SyncError} answer */
  #answered(ref, answer) {
    if (ref === String(this.#refs)) this.#answer = answer;
    else log.warn(`The server answered a request that was not sent: ${ref}`);
  }

  /** @param {import("../net/frames.js").Welcome} welcome */
  #welcome({ epoch, heartbeat, window }) {
    if (this.#isWelcome) return;
    const { place } = this.feed;
    if (place.cursor !== null && place.epoch !== epoch) {
      throw new CursorExpired("The server has another epoch.");
    }
    this.#isWelcome = true;
    this.#acknowledgement.heartbeat = heartbeat ?? this.heartbeat;
    this.#acknowledgement.window = window ?? this.#acknowledgement.window;
    this.#onWelcome();
  }

  /** Before the welcome, changes may belong to another hello. */
  #expectWelcome() {
    if (!this.#isWelcome) throw new Offline("Changes came before the welcome.");
  }
}

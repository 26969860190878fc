/**
 * One open line, from the hello to its end: what is heard on it, and what is answered.
 *
 * The link's loop calls `pump()` whenever something came or is due. How a line is opened, and what
 * follows its end, is for `link/connections.js` and the loop to say.
 */

import { CursorExpired, Offline, SyncError } from "../errors.js";
import { log } from "../log.js";
import { Acknowledging } from "../net/acknowledging.js";
import { readFrame } from "../net/frames.js";
import { Interrupted } from "../net/http.js";
import { PROTOCOL_VERSION } from "../net/service.js";

/** @import { SocketLine, StreamLine } from "../net/connection.js" */
/** @import { Frame } from "../net/frames.js" */
/** @import { Fields } from "../store/encoding.js" */
/** @import { Alarm } from "../waker.js" */
/** @import { Feed } from "./feed.js" */

/** Seconds for which the answer to a hello is waited for. */
const WELCOME = 10;

/** Seconds for which results are waited for, once no catch-up is in their way. */
const PATIENCE = 30;

/** Frames heeded before one looks up. */
const MOST = 16;

/** The server orders another transport. It never leaves the client. */
export class Ordered extends Error {
  /** @param {string} transport @param {number | null} retryAfter seconds */
  constructor(transport, retryAfter) {
    super(transport);
    this.transport = transport;
    this.retryAfter = retryAfter;
  }
}

/** A line and the feed behind it. */
export class Live {
  #line;
  #alarm;
  #isHere;
  #welcomed;
  #isWelcome = false;
  #acknowledging;
  #refs = 0;
  /** @type {Fields | SyncError | null} */
  #answer = null;
  /** @type {SyncError | null} */
  #reason = null;
  #sentAt;
  #busyAt;
  hasEnded = false;

  /** Seconds after which a quiet connection is looked at. */
  get heartbeat() {
    return this.#acknowledging.heartbeat;
  }

  /** When anything came last, by the alarm's clock. */
  get heardAt() {
    return this.#line.heardAt;
  }

  /**
   * @param {SocketLine | StreamLine} line
   * @param {Feed} feed
   * @param {Alarm} alarm
   * @param {number} heartbeat seconds
   * @param {{isHere: () => boolean, welcomed: () => void}} owner `isHere`: whether waiting makes sense still
   */
  constructor(line, feed, alarm, heartbeat, { isHere, welcomed }) {
    this.#line = line;
    this.#alarm = alarm;
    this.#isHere = isHere;
    this.#welcomed = welcomed;
    this.feed = feed;
    this.transport = line.transport;
    this.#acknowledging = new Acknowledging(heartbeat);
    this.openedAt = this.#sentAt = this.#busyAt = alarm.now();
  }

  /** Say hello; a stream has said it all in its request. @param {string} session @param {readonly string[]} collections */
  begin(session, collections) {
    if (this.transport === "websocket") {
      const { cursor } = this.feed.place;
      this.#send({ type: "hello", protocol: PROTOCOL_VERSION, session, cursor, collections });
    } else {
      this.#isWelcome = true;
      this.#welcomed();
    }
  }

  /** End the line and its turn as the store's feeder. */
  async close() {
    this.#line.close();
    await this.feed.end();
  }

  /** Heed what came; return when something is due next. Throws why the line has ended. */
  async pump() {
    try {
      return await this.#pumped();
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.hasEnded = true;
      throw this.#reason ?? error;
    }
  }

  async #pumped() {
    for (let heeded = 0; heeded < MOST; heeded++) {
      const body = this.#line.next();
      if (body === null) break;
      await this.#heed(readFrame(body));
      this.#acknowledge();
    }
    this.#acknowledge();
    return this.#due(this.#alarm.now());
  }

  /** Acknowledge the frames that were taken, if that is due; over a stream nothing is sent. */
  #acknowledge() {
    if (this.transport !== "websocket") return;
    const now = this.#alarm.now();
    this.#acknowledging.take(this.feed.frames, now);
    const frames = this.#acknowledging.next(now, { atOnce: this.feed.waitsForCursor });
    if (frames !== null) this.#send({ type: "ack", frames });
  }

  /**
   * Send a batch of mutations and wait for its results, heeding all else meanwhile. It throws what
   * the server answers, and, with `hasEnded`, why there is no answer.
   * @param {string} body
   * @returns {Promise<Fields>}
   */
  async post(body) {
    this.#refs += 1;
    this.#answer = null;
    this.#write(`{"type":"mutate","ref":"${this.#refs}",${body.slice(1)}`);
    const began = this.#alarm.now();
    while (true) {
      const due = await this.pump();
      const answer = /** @type {Fields | SyncError | null} */ (this.#answer);
      if (answer instanceof SyncError) throw answer;
      if (answer !== null) return answer;
      if (!this.#isHere()) throw new Interrupted();
      const now = this.#alarm.now();
      const until = Math.max(began, this.#busyAt) + PATIENCE;
      if (now >= until) {
        this.hasEnded = true;
        throw new Offline("No results came.");
      }
      await this.#alarm.wait(Math.min(due, until) - now);
    }
  }

  /** Keep the line alive, or find that it is dead. @param {number} now */
  #due(now) {
    if (!this.#isWelcome && now >= this.openedAt + WELCOME) throw new Offline("The server did not welcome us.");
    const deadAt = this.#line.heardAt + 2 * this.heartbeat;
    if (now >= deadAt) throw new Offline("Nothing was heard for two heartbeats.");
    if (this.transport !== "websocket") return deadAt;
    if (now >= this.#sentAt + this.heartbeat / 2) this.#send({ type: "ping" });
    const due = Math.min(deadAt, this.#sentAt + this.heartbeat / 2, this.#acknowledging.dueAt());
    return this.#isWelcome ? due : Math.min(due, this.openedAt + WELCOME);
  }

  /** @param {Fields} frame */
  #send(frame) {
    this.#write(JSON.stringify(frame));
  }

  /** @param {string} text */
  #write(text) {
    this.#line.send(text);
    this.#sentAt = this.#alarm.now();
  }

  /** @param {Frame | null} frame */
  async #heed(frame) {
    switch (frame?.type) {
      case "welcome":
        this.#welcome(frame);
        return;
      case "changes":
        this.#expectWelcome();
        if (frame.page.hasMore) this.#busyAt = this.#alarm.now();
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
          log.warn(`The server says: ${frame.error.detail}`);
          this.#reason = frame.error;
        }
        return;
      case "switch":
        throw new Ordered(frame.transport, frame.retryAfter);
    }
  }

  /** @param {string} ref @param {Fields | SyncError} answer */
  #answered(ref, answer) {
    if (ref === String(this.#refs)) this.#answer = answer;
    else log.warn(`The server answered what was not asked: ${ref}`);
  }

  /** @param {import("../net/frames.js").Welcome} welcome */
  #welcome({ epoch, heartbeat, window }) {
    if (this.#isWelcome) return;
    const { place } = this.feed;
    if (place.cursor !== null && place.epoch !== epoch) {
      throw new CursorExpired("The server has another epoch.");
    }
    this.#isWelcome = true;
    this.#acknowledging.heartbeat = heartbeat ?? this.heartbeat;
    this.#acknowledging.window = window ?? this.#acknowledging.window;
    this.#welcomed();
  }

  /** Changes to a hello that was not heard may be anybody's. */
  #expectWelcome() {
    if (!this.#isWelcome) throw new Offline("Changes came before the welcome.");
  }
}

/**
 * What the link's loop does: one act of the table in `link/states.js` after the other.
 * `link/background.js` holds the states; `link/transports.js` says which transport is used.
 */

import { MethodNotAllowed, NotAuthenticated, NotFound, Offline, SessionEnded, SyncError } from "../errors.js";
import { log } from "../log.js";
import { Interrupted } from "../net/http.js";
import { isSparing } from "../net/network_state.js";
import { hasNew } from "../store/outbox.js";
import { Connections } from "./connections.js";
import { Superseded } from "./feed.js";
import { TransportDirective } from "./live.js";
import { move, outcome } from "./states.js";
import { CONNECTIONS } from "./transports.js";
import { isVoid } from "./upload.js";
import { stateOf, TABLE } from "./wakeups.js";

/** @import { Backoff } from "../backoff.js" */
/** @import { Background } from "./background.js" */
/** @import { Parts } from "./connections.js" */
/** @import { Act } from "./states.js" */
/** @import { Transport } from "./transports.js" */

/** Seconds from a first write until it is sent: writes that follow in this time go out with it. */
const DEBOUNCE = 0.1;

/** The same over a socket, where a frame costs no request. */
const SOCKET_DEBOUNCE = 0.02;

/**
 * @typedef {object} Wait One wait of the loop.
 * @property {number} until its end, by the waker's clock
 * @property {Act | null} then what follows it; `null`: what the table says
 * @property {boolean} wrote whether there was a local write
 * @property {boolean} isWoken whether a wake-up asks for an exchange
 */

/** One loop, from a start to its stop. */
export class Loop {
  #link;
  #parts;
  #connections;
  #backoff;
  #hadNews = false;
  #retryIn = 0;
  #nextWakeUpAt = 0;
  /** @type {() => void} */
  #end = () => undefined;
  /** @type {Promise<void>} Is fulfilled when the loop has released everything. */
  ended = new Promise((resolve) => (this.#end = resolve));

  /** @param {Background} link @param {Parts} parts @param {Backoff} backoff */
  constructor(link, parts, backoff) {
    this.#link = link;
    this.#parts = parts;
    this.#backoff = backoff;
    this.#connections = new Connections(parts);
  }

  /** The page goes. */
  leave() {
    this.#connections.leave();
  }

  /** Act until the end. @param {Act} act */
  async run(act) {
    this.#parts.http.resume();
    while (act !== "end") act = await this.#attempt(act);
    try {
      await this.#connections.close();
    } catch (error) {
      log.info("The store was closed first:", error);
    }
    this.#end();
  }

  /** @param {Act} act @returns {Promise<Act>} */
  async #attempt(act) {
    try {
      return await this.#perform(act);
    } catch (error) {
      try {
        return await this.#handleError(error);
      } catch (second) {
        return this.#handleSecondError(second);
      }
    }
  }

  /** @param {unknown} error @returns {Promise<Act>} */
  async #handleError(error) {
    if (!this.#isCurrent()) return "end";
    if (error instanceof Interrupted) return this.#resume();
    if (error instanceof TransportDirective) return this.#switch(error);
    if (error instanceof Superseded) return this.#giveWay();
    if (error instanceof SyncError) return this.#fail(error);
    log.error("The link failed:", error);
    return this.#fail(new SyncError(String(error), { cause: error }));
  }

  /** Handling the first error has failed as well; for example the store is gone. @param {unknown} error @returns {Promise<Act>} */
  async #handleSecondError(error) {
    this.#connections.live = null;
    const problem = error instanceof SyncError ? error : new SyncError(String(error), { cause: error });
    this.#retryIn = this.#backoff.failed(problem.retryAfter);
    return this.#link.feed(this, outcome(problem), problem, this.#retryIn);
  }

  #isCurrent() {
    return this.#link.isCurrent(this);
  }

  /** @param {Act} act @returns {Promise<Act>} */
  #perform(act) {
    switch (act) {
      case "exchange":
        return this.#exchange();
      case "send":
        return this.#send();
      case "listen":
        return this.#listen();
      case "wait":
        return this.#await(this.#retryIn);
    }
    return this.#await(Infinity);
  }

  /** Send and pull. A pull takes the store, so a connection ends first. @returns {Promise<Act>} */
  async #exchange() {
    await this.#connections.close();
    if (!this.#isCurrent()) return "end";
    this.#parts.http.resume();
    const number = this.#link.begin();
    const anew = this.#link.state === "connecting";
    const { counts, failure } = await this.#parts.exchange.go({ anew });
    this.#hadNews = counts.changes > 0 || counts.sent > 0;
    this.#parts.choice.offered(this.#parts.exchange.service.transports);
    this.#backoff.succeeded();
    if (failure === null) this.#link.complete(number);
    return this.#link.feed(this, "synced", failure);
  }

  /** Send, and go on listening where a connection brings the changes. @returns {Promise<Act>} */
  async #send() {
    const { live } = this.#connections;
    if (live === null) return this.#exchange();
    const bySocket = live.transport === "websocket";
    this.#parts.http.resume();
    let failure;
    try {
      failure = await this.#parts.exchange.send(bySocket ? (body) => live.post(body) : undefined);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      const needsHttp = bySocket && error instanceof NotAuthenticated; // only a call by HTTP renews credentials
      return live.hasEnded || needsHttp ? this.#handleEnd(live.transport, error) : this.#fail(error);
    }
    if (isVoid(failure)) return this.#link.feed(this, "due", failure);
    this.#link.show(this, this.#link.transport, failure);
    return "listen";
  }

  /** Wait for news. @returns {Promise<Act>} */
  async #listen() {
    const { waker, choice, exchange, pace } = this.#parts;
    const now = waker.now();
    const { networkMonitor } = this.#link;
    await this.#link.wakeUps.check();
    const { live } = this.#connections;
    const best = choice.best(now, isSparing(networkMonitor.state));
    const transport = await this.#connections.prepare(best, networkMonitor.state);
    if (live !== null && live.transport !== transport) await this.#connections.close();
    if (CONNECTIONS.includes(transport)) return this.#stayConnected(transport);
    this.#link.show(this, transport, this.#link.problem);
    if (transport === "long-poll") return this.#longPoll(now, exchange.service.waitSeconds);
    const news = this.#hadNews;
    this.#hadNews = false;
    return this.#await(pace.next({ news, sparing: isSparing(networkMonitor.state) }));
  }

  /** Open a connection if there is none, and read it until something else is due. @param {Transport} transport @returns {Promise<Act>} */
  async #stayConnected(transport) {
    if (this.#connections.live === null) {
      try {
        await this.#connections.open(transport, {
          isCurrent: () => this.#isCurrent(),
          onWelcome: () => this.#link.show(this, transport, this.#link.problem),
          onSynced: () => this.#caughtUp(transport),
        });
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        return this.#handleEnd(transport, error);
      }
    }
    if (await this.#connections.isSuperseded()) return this.#giveWay();
    if (await this.#connections.isStuck()) return this.#link.feed(this, "due", this.#link.problem);
    const { waker, choice, exchange } = this.#parts;
    const seconds = Math.min(exchange.service.waitSeconds, choice.betterIn(transport, waker.now()));
    return this.#await(seconds, "listen");
  }

  /** The catch-up of a connection has ended. @param {Transport} transport */
  #caughtUp(transport) {
    this.#link.feed(this, "synced", this.#link.problem);
    this.#link.show(this, transport, this.#link.problem);
  }

  /** The server wants another transport. @param {TransportDirective} directive @returns {Promise<Act>} */
  async #switch({ transport, retryAfter }) {
    log.info(`The server wants ${transport} for ${retryAfter} s.`);
    this.#parts.choice.follow(transport, this.#parts.waker.now(), retryAfter);
    await this.#connections.close();
    return this.#link.feed(this, "due", this.#link.problem);
  }

  /**
   * Another tab or call pulls and has taken the store: come back in a moment. It counts as an early
   * end of the connection: where it happens again and again, a lower transport is used.
   * @returns {Promise<Act>}
   */
  async #giveWay() {
    const { live } = this.#connections;
    const { waker, choice, pace } = this.#parts;
    const now = waker.now();
    if (live !== null) choice.ended(live.transport, now, now - live.openedAt);
    await this.#connections.close();
    const behind = this.#link.state === "catching_up";
    return this.#await(pace.random(), behind ? "exchange" : "listen");
  }

  /** Send a request that the server holds until something is new. @param {number} began @param {number} seconds @returns {Promise<Act>} */
  async #longPoll(began, seconds) {
    const { waker, choice, exchange, http } = this.#parts;
    if (this.#link.hasEvents) return this.#resume();
    http.resume();
    this.#link.hold(true);
    let news;
    try {
      news = await exchange.listen();
    } catch (error) {
      if (error instanceof NotFound || error instanceof MethodNotAllowed) {
        choice.avoid("long-poll", waker.now());
        return this.#link.feed(this, "synced", this.#link.problem);
      }
      if (error instanceof SyncError) choice.failed("long-poll", waker.now());
      throw error;
    } finally {
      this.#link.hold(false);
    }
    const now = waker.now();
    if (news || now - began >= seconds / 2) choice.worked("long-poll");
    else choice.failed("long-poll", now);
    this.#hadNews = news;
    return this.#link.feed(this, "synced", this.#link.problem);
  }

  /** @param {SyncError} error @returns {Promise<Act>} */
  async #fail(error) {
    await this.#connections.close();
    if (error instanceof Offline) this.#link.networkMonitor.recordAnswer(error);
    if (error instanceof SessionEnded) this.#connections.forget();
    this.#retryIn = this.#backoff.failed(error.retryAfter);
    return this.#link.feed(this, outcome(error), error, this.#retryIn);
  }

  /** A connection has ended, or did not open. @param {Transport} transport @param {SyncError} error @returns {Promise<Act>} */
  async #handleEnd(transport, error) {
    if (!this.#isCurrent()) return "end";
    const problem = await this.#connections.handleEnd(transport, error);
    if (problem !== null) return this.#fail(problem);
    return this.#link.feed(this, "due", this.#link.problem);
  }

  /** After an interruption: do what the inbox says, else go on as before. @returns {Promise<Act>} */
  #resume() {
    const behind = this.#link.state === "catching_up" && this.#connections.live === null;
    return this.#await(0, behind ? "exchange" : "listen");
  }

  /**
   * Wait; return what an event says is next, or else `then`, or else what is due at the end. Frames of
   * a connection are applied meanwhile.
   * @param {number} seconds
   * @param {Act | null} [then]
   * @returns {Promise<Act>}
   */
  async #await(seconds, then = null) {
    const { waker } = this.#parts;
    /** @type {Wait} */
    const wait = { until: waker.now() + seconds, then, wrote: false, isWoken: false };
    while (this.#isCurrent()) {
      const due = await this.#pump();
      if (typeof due === "string") return due;
      if (await this.#isWoken()) {
        wait.until = Math.min(wait.until, this.#nextWakeUpAt);
        wait.isWoken = true;
      }
      const act = await this.#handleEvents(wait);
      if (act !== null) return act;
      const now = waker.now();
      if (now >= wait.until) return this.#afterWait(wait, now);
      if (!this.#link.hasEvents) await waker.wait(Math.min(due, wait.until) - now);
    }
    return "end";
  }

  /** Apply what the connection has brought; return when it is due again, or the act that follows its end. @returns {Promise<number | Act>} */
  async #pump() {
    const { live } = this.#connections;
    if (live === null) return Infinity;
    try {
      return await live.pump();
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      return this.#handleEnd(live.transport, error);
    }
  }

  /** Take the inbox's events; return the act that one of them leads to, if any. @param {Wait} wait @returns {Promise<Act | null>} */
  async #handleEvents(wait) {
    for (const event of this.#link.take()) {
      const [, next] = move(this.#link.state, event);
      if (event === "wrote") {
        if (next !== "go on") await this.#noteWrite(wait);
        continue;
      }
      if (next === "wait") return this.#fail(new Offline("The browser reports that the network is gone."));
      const act = this.#link.feed(this, event, this.#link.problem);
      if (act !== "go on") return act;
    }
    return null;
  }

  /** A write shortens the wait, but does not end it at once: other writes may follow right behind. @param {Wait} wait */
  async #noteWrite(wait) {
    if (wait.wrote || !(await this.#parts.db.read(hasNew))) return;
    const bySocket = this.#connections.live?.transport === "websocket";
    const soon = this.#parts.waker.now() + (bySocket ? SOCKET_DEBOUNCE : DEBOUNCE);
    wait.until = wait.then !== null ? soon : Math.min(wait.until, soon);
    wait.wrote = true;
  }

  /** @param {Wait} wait @param {number} now @returns {Act} */
  #afterWait({ then, wrote, isWoken }, now) {
    if (isWoken) {
      this.#nextWakeUpAt = now + this.#parts.pace.shortest;
      return this.#link.feed(this, "due", this.#link.problem);
    }
    if (then !== null && !wrote) return then;
    return this.#link.feed(this, wrote ? "wrote" : "due", this.#link.problem);
  }

  /** Whether a wake-up asks for an exchange, as the table in `link/wakeups.js` says. */
  async #isWoken() {
    const { wakeUps, networkMonitor, state, transport } = this.#link;
    const { live } = this.#connections;
    if (live === null) wakeUps.connectionLost();
    else await wakeUps.connectionReceived(live.lastReceivedAt);
    const event = wakeUps.take();
    if (event === null) return false;
    const wakeState = stateOf(state, networkMonitor.state, live !== null || transport === "long-poll");
    const act = TABLE[wakeState][event];
    log.info(`A wake-up, ${event}, ${wakeState}: ${act}.`);
    if (act === "trust" && live !== null) await wakeUps.trust(this.#parts.waker.now());
    return act === "fetch";
  }
}

/**
 * What the link's loop does: one act of `link/states.js`'s table after the other. It decides nothing of
 * states; `link/background.js` holds them. Which transport is used is for `link/transports.js` to say.
 */

import { Blocked, MethodNotAllowed, NotAuthenticated, NotFound, Offline, SessionEnded, StoreMismatch, SyncError } from "../errors.js";
import { log } from "../log.js";
import { Interrupted } from "../net/http.js";
import { isSparing } from "../net/network_state.js";
import { hasNew } from "../store/outbox.js";
import { Lines } from "./connections.js";
import { Superseded } from "./feed.js";
import { Ordered } from "./live.js";
import { move, outcome } from "./states.js";
import { LINES } from "./transports.js";
import { isVoid } from "./upload.js";
import { stand, TABLE } from "./wakeups.js";

/** @import { Backoff } from "../backoff.js" */
/** @import { Background } from "./background.js" */
/** @import { Parts } from "./connections.js" */
/** @import { Act } from "./states.js" */
/** @import { Transport } from "./transports.js" */

/** Seconds in which the writes after a first one are waited for, to go out together. */
const DEBOUNCE = 0.1;

/** The same over a socket, where a frame costs no request. */
const MOMENT = 0.02;

/** One loop, from a start to its stop. */
export class Acting {
  #link;
  #parts;
  #lines;
  #backoff;
  #news = false;
  #retryIn = 0;
  #quietUntil = 0;
  /** @type {() => void} */
  #end = () => undefined;
  /** @type {Promise<void>} when the loop has let go of all it held */
  ended = new Promise((resolve) => (this.#end = resolve));

  /** @param {Background} link @param {Parts} parts @param {Backoff} backoff */
  constructor(link, parts, backoff) {
    this.#link = link;
    this.#parts = parts;
    this.#backoff = backoff;
    this.#lines = new Lines(parts);
  }

  /** The page goes. */
  leave() {
    this.#lines.leave();
  }

  /** Act until the end. @param {Act} act */
  async run(act) {
    this.#parts.network.mend();
    while (act !== "end") act = await this.#tried(act);
    try {
      await this.#lines.close();
    } catch (error) {
      log.info("The store was closed first:", error);
    }
    this.#end();
  }

  /** @param {Act} act @returns {Promise<Act>} */
  async #tried(act) {
    try {
      return await this.#do(act);
    } catch (error) {
      try {
        return await this.#caught(error);
      } catch (again) {
        return this.#fails(again);
      }
    }
  }

  /** @param {unknown} error @returns {Promise<Act>} */
  async #caught(error) {
    if (!this.#isHere()) return "end";
    if (error instanceof Interrupted) return this.#heed();
    if (error instanceof Ordered) return this.#switch(error);
    if (error instanceof Superseded) return this.#giveWay();
    if (error instanceof SyncError) return this.#failed(error);
    log.error("The link failed:", error);
    return this.#failed(new SyncError(String(error), { cause: error }));
  }

  /** Even to let go has failed: the store is gone, say. @param {unknown} error @returns {Promise<Act>} */
  async #fails(error) {
    this.#lines.live = null;
    const problem = error instanceof SyncError ? error : new SyncError(String(error), { cause: error });
    this.#retryIn = this.#backoff.failed(problem.retryAfter);
    return this.#link.feed(this, outcome(problem), problem, this.#retryIn);
  }

  #isHere() {
    return this.#link.isHere(this);
  }

  /** @param {Act} act @returns {Promise<Act>} */
  #do(act) {
    switch (act) {
      case "exchange":
        return this.#exchanged();
      case "send":
        return this.#send();
      case "listen":
        return this.#listen();
      case "wait":
        return this.#await(this.#retryIn);
    }
    return this.#await(Infinity);
  }

  /** Send and pull. A pull takes the store, so a line ends before. @returns {Promise<Act>} */
  async #exchanged() {
    await this.#lines.close();
    if (!this.#isHere()) return "end";
    this.#parts.network.mend();
    const number = this.#link.begin();
    const anew = this.#link.state === "connecting";
    const { counts, failure } = await this.#parts.exchange.go({ anew });
    this.#news = counts.changes > 0 || counts.sent > 0;
    this.#parts.choice.offered(this.#parts.exchange.service.transports);
    this.#backoff.succeeded();
    if (failure === null) this.#link.complete(number);
    return this.#link.feed(this, "synced", failure);
  }

  /** Send, and go on listening where changes come by themselves. @returns {Promise<Act>} */
  async #send() {
    const { live } = this.#lines;
    if (live === null) return this.#exchanged();
    const bySocket = live.transport === "websocket";
    this.#parts.network.mend();
    let failure;
    try {
      failure = await this.#parts.exchange.send(bySocket ? (body) => live.post(body) : undefined);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      const atHttp = bySocket && error instanceof NotAuthenticated; // only a call by HTTP renews them
      return live.hasEnded || atHttp ? this.#ended(live.transport, error) : this.#failed(error);
    }
    if (isVoid(failure)) return this.#link.feed(this, "due", failure);
    this.#link.show(this, this.#link.transport, failure);
    return "listen";
  }

  /** Wait for news. @returns {Promise<Act>} */
  async #listen() {
    const { alarm, choice, network, exchange, pace } = this.#parts;
    const now = alarm.now();
    const { around } = this.#link;
    await this.#link.waking.look();
    let transport = choice.best(now, isSparing(around.state));
    const { live } = this.#lines;
    if (LINES.includes(transport) && live?.transport !== transport) {
      network.mend();
      transport = await this.#lines.agree(transport, around.state);
    } else if (!LINES.includes(transport) && this.#lines.agreed !== transport) {
      network.mend();
      await this.#introduce(transport);
    } else if (this.#lines.hasNews(around.state)) {
      transport = await this.#told(transport);
    }
    if (live !== null && live.transport !== transport) await this.#lines.close();
    if (LINES.includes(transport)) return this.#stay(transport);
    this.#link.show(this, transport, this.#link.problem);
    if (transport === "long-poll") return this.#hold(now, exchange.service.waitSeconds);
    const news = this.#news;
    this.#news = false;
    return this.#await(pace.next({ news, sparing: isSparing(around.state) }));
  }

  /** Tell the server what is another way now; what works is not given up where that fails. @param {Transport} transport */
  async #told(transport) {
    this.#parts.network.mend();
    try {
      return await this.#lines.agree(transport, this.#link.around.state);
    } catch (error) {
      if (!(error instanceof SyncError) || isHeeded(error)) throw error;
      log.info("The server was not told of the network:", error);
      return transport;
    }
  }

  /** Tell the server who pulls, once: it need not know, so what hinders that hinders no pull. @param {Transport} transport */
  async #introduce(transport) {
    try {
      await this.#lines.agree(transport, this.#link.around.state);
    } catch (error) {
      if (!(error instanceof SyncError) || isHeeded(error)) throw error;
      this.#lines.agreed = transport;
      log.info("The server was not told who pulls:", error);
    }
  }

  /** Have a line open, and heed it until something else is due. @param {Transport} transport @returns {Promise<Act>} */
  async #stay(transport) {
    if (this.#lines.live === null) {
      try {
        await this.#lines.open(transport, {
          isHere: () => this.#isHere(),
          welcomed: () => this.#link.show(this, transport, this.#link.problem),
          synced: () => this.#inStep(transport),
        });
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        return this.#ended(transport, error);
      }
    }
    if (await this.#lines.isSuperseded()) return this.#giveWay();
    if (await this.#lines.isStuck()) return this.#link.feed(this, "due", this.#link.problem);
    const { alarm, choice, exchange } = this.#parts;
    const seconds = Math.min(exchange.service.waitSeconds, choice.climbsIn(transport, alarm.now()));
    return this.#await(seconds, "listen");
  }

  /** A line's catch-up has ended. @param {Transport} transport */
  #inStep(transport) {
    this.#link.feed(this, "synced", this.#link.problem);
    this.#link.show(this, transport, this.#link.problem);
  }

  /** The server orders another transport. @param {Ordered} order @returns {Promise<Act>} */
  async #switch({ transport, retryAfter }) {
    log.info(`The server orders ${transport} for ${retryAfter} s.`);
    this.#parts.choice.ordered(transport, this.#parts.alarm.now(), retryAfter);
    await this.#lines.close();
    return this.#link.feed(this, "due", this.#link.problem);
  }

  /**
   * Somebody pulls, and has the store for that: come back in a moment. Where that goes on,
   * something lower suits better, which counts as any early end.
   * @returns {Promise<Act>}
   */
  async #giveWay() {
    const { live } = this.#lines;
    const { alarm, choice, pace } = this.#parts;
    const now = alarm.now();
    if (live !== null) choice.ended(live.transport, now, now - live.openedAt);
    await this.#lines.close();
    const behind = this.#link.state === "catching_up";
    return this.#await(pace.random(), behind ? "exchange" : "listen");
  }

  /** Ask, and have the server hold the request until something is new. @param {number} began @param {number} seconds @returns {Promise<Act>} */
  async #hold(began, seconds) {
    const { alarm, choice, exchange, network } = this.#parts;
    if (this.#link.hasEvents) return this.#heed();
    network.mend();
    this.#link.hold(true);
    let news;
    try {
      news = await exchange.listen();
    } catch (error) {
      if (error instanceof NotFound || error instanceof MethodNotAllowed) {
        choice.lacks("long-poll", alarm.now());
        return this.#link.feed(this, "synced", this.#link.problem);
      }
      if (error instanceof SyncError) choice.failed("long-poll", alarm.now());
      throw error;
    } finally {
      this.#link.hold(false);
    }
    const now = alarm.now();
    if (news || now - began >= seconds / 2) choice.worked("long-poll");
    else choice.failed("long-poll", now);
    this.#news = news;
    return this.#link.feed(this, "synced", this.#link.problem);
  }

  /** @param {SyncError} error @returns {Promise<Act>} */
  async #failed(error) {
    await this.#lines.close();
    if (error instanceof Offline) this.#link.around.heard(error);
    if (error instanceof SessionEnded) this.#lines.forget();
    this.#retryIn = this.#backoff.failed(error.retryAfter);
    return this.#link.feed(this, outcome(error), error, this.#retryIn);
  }

  /** A line has ended, or there was none to be had. @param {Transport} transport @param {SyncError} error @returns {Promise<Act>} */
  async #ended(transport, error) {
    if (!this.#isHere()) return "end";
    const problem = await this.#lines.ended(transport, error);
    if (problem !== null) return this.#failed(problem);
    return this.#link.feed(this, "due", this.#link.problem);
  }

  /** After an interruption: do what the inbox says, else go on as before. @returns {Promise<Act>} */
  #heed() {
    const behind = this.#link.state === "catching_up" && this.#lines.live === null;
    return this.#await(0, behind ? "exchange" : "listen");
  }

  /**
   * Wait; return what an event says is next, or `then`, or what is due in the end. A write does not
   * end the wait at once: others may come right behind it. What a line brings is heeded meanwhile. A
   * wake-up ends it where its table says so.
   * @param {number} seconds
   * @param {Act | null} [then]
   * @returns {Promise<Act>}
   */
  async #await(seconds, then = null) {
    const { alarm } = this.#parts;
    let until = alarm.now() + seconds;
    let wrote = false;
    let woken = false;
    while (this.#isHere()) {
      const { live } = this.#lines;
      let due = Infinity;
      try {
        if (live !== null) due = await live.pump();
      } catch (error) {
        if (!(error instanceof SyncError) || live === null) throw error;
        return this.#ended(live.transport, error);
      }
      if (await this.#isWoken()) {
        until = Math.min(until, this.#quietUntil);
        woken = true;
      }
      for (const event of this.#link.take()) {
        if (event !== "wrote") {
          if (move(this.#link.state, event)[1] === "wait") {
            return this.#failed(new Offline("The network is said to be gone."));
          }
          const act = this.#link.feed(this, event, this.#link.problem);
          if (act !== "go on") return act;
        } else if (!wrote && move(this.#link.state, event)[1] !== "go on" && (await this.#hasNew())) {
          const soon = alarm.now() + (live?.transport === "websocket" ? MOMENT : DEBOUNCE);
          until = then !== null ? soon : Math.min(until, soon);
          wrote = true;
        }
      }
      const now = alarm.now();
      if (now >= until) {
        if (woken) {
          this.#quietUntil = now + this.#parts.pace.shortest;
          return this.#link.feed(this, "due", this.#link.problem);
        }
        if (then !== null && !wrote) return then;
        return this.#link.feed(this, wrote ? "wrote" : "due", this.#link.problem);
      }
      if (!this.#link.hasEvents) await alarm.wait(Math.min(due, until) - now);
    }
    return "end";
  }

  /** Whether a wake-up asks for an exchange, as its table has it. */
  async #isWoken() {
    const { waking, around, state, transport } = this.#link;
    const { live } = this.#lines;
    if (live === null) waking.lost();
    else await waking.heard(live.heardAt);
    const event = waking.take();
    if (event === null) return false;
    const stands = stand(state, around.state, live !== null || transport === "long-poll");
    const act = TABLE[stands][event];
    log.info(`A wake-up, ${event}, ${stands}: ${act}.`);
    if (act === "trust" && live !== null) await waking.trust(this.#parts.alarm.now());
    return act === "fetch";
  }

  #hasNew() {
    return this.#parts.db.read(hasNew);
  }
}

/** What a session's refusal means for all that the client does. @param {SyncError} error */
function isHeeded(error) {
  return [Blocked, SessionEnded, NotAuthenticated, StoreMismatch].some((kind) => error instanceof kind);
}

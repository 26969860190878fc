/**
 * Which transport is used: the best that is offered and has not failed lately. Pure decisions: the
 * caller passes the time, in seconds.
 */

/** @typedef {"websocket" | "sse" | "long-poll" | "poll"} Transport */

/** Best first. The last always remains. @type {readonly Transport[]} */
export const LADDER = Object.freeze(["websocket", "sse", "long-poll", "poll"]);

/** The transports that bring changes over a connection that stays open. @type {readonly string[]} */
export const CONNECTIONS = Object.freeze(["websocket", "sse"]);

/**
 * Moves down the ladder after failures, and up again later.
 *
 * A server may offer what a proxy on the way does not allow: held requests, or WebSockets. After
 * `tries` early ends in a row a transport is not tried for `rest` seconds, twice as long each time
 * after, up to `longest`. A connection that lasted `steady` seconds was no failure.
 */
export class TransportChoice {
  /** @type {ReadonlySet<string>} */
  #offered = new Set();
  /** @type {Map<Transport, number>} */
  #failures = new Map();
  /** @type {Map<Transport, number>} */
  #rests = new Map();
  /** @type {Map<Transport, number>} */
  #againAt = new Map();
  rest = 600;

  /**
   * @param {readonly Transport[]} able
   * @param {{tries?: number, longest?: number, steady?: number, random?: () => number}} [policy]
   */
  constructor(able, { tries = 3, longest = 3600, steady = 60, random = Math.random } = {}) {
    this.able = able;
    this.tries = tries;
    this.longest = longest;
    this.steady = steady;
    this.random = random;
  }

  /** Learn what the service document lists. @param {Iterable<string>} transports */
  offered(transports) {
    this.#offered = new Set(transports);
  }

  /** What the server offers and this client can do, best first. @returns {Transport[]} */
  usable() {
    return LADDER.filter((t) => t === "poll" || (this.#offered.has(t) && this.able.includes(t)));
  }

  /** The transport to use now. A held request keeps a radio awake, so it is not used where sparing. @param {number} now @param {boolean} sparing @returns {Transport} */
  best(now, sparing) {
    if (sparing) return "poll";
    return this.usable().find((transport) => !this.#restsAt(transport, now)) ?? "poll";
  }

  /** The transports that are not tried for now. @param {number} now */
  resting(now) {
    return this.usable().filter((transport) => this.#restsAt(transport, now));
  }

  /** Seconds until something better may be tried again; `Infinity` where there is nothing. @param {Transport} transport @param {number} now */
  betterIn(transport, now) {
    const better = this.usable().slice(0, this.usable().indexOf(transport));
    return Math.min(...better.map((t) => Math.max(0, (this.#againAt.get(t) ?? now) - now)));
  }

  /** It lasted long, or brought news. @param {Transport} transport */
  worked(transport) {
    this.#failures.delete(transport);
    this.#rests.delete(transport);
    this.#againAt.delete(transport);
  }

  /** A connection ended after so many seconds. @param {Transport} transport @param {number} now @param {number} lived */
  ended(transport, now, lived) {
    if (lived >= this.steady) this.worked(transport);
    else this.failed(transport, now);
  }

  /** It was cut early, or answered at once with nothing new. @param {Transport} transport @param {number} now */
  failed(transport, now) {
    const failures = (this.#failures.get(transport) ?? 0) + 1;
    this.#failures.set(transport, failures);
    if (failures >= this.tries) this.avoid(transport, now);
  }

  /** It does not work here, for now. @param {Transport} transport @param {number} now */
  avoid(transport, now) {
    if (transport === "poll") return;
    const times = this.#rests.get(transport) ?? 0;
    this.#rests.set(transport, times + 1);
    this.#failures.delete(transport);
    const rest = Math.min(this.longest, this.rest * 2 ** Math.min(times, 30));
    const until = now + rest * (0.9 + 0.2 * this.random());
    this.#againAt.set(transport, Math.max(until, this.#againAt.get(transport) ?? now));
  }

  /** The server wants this transport, and sets when a better one may be tried again. @param {string} wanted @param {number} now @param {number | null} seconds */
  follow(wanted, now, seconds) {
    const usable = this.usable();
    const place = usable.findIndex((transport) => transport === wanted);
    const until = now + (seconds ?? this.rest);
    for (const better of usable.slice(0, place < 0 ? -1 : place)) {
      this.#againAt.set(better, Math.max(until, this.#againAt.get(better) ?? now));
    }
  }

  /** @param {Transport} transport @param {number} now */
  #restsAt(transport, now) {
    return now < (this.#againAt.get(transport) ?? now);
  }
}

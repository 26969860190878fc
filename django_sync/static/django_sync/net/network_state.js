/**
 * What the client knows of the network: its kind, its cost, how far the server is, whether it answers.
 * Pure. One table of state x event has how answers and the page's reports change `Reachability`. The
 * Python client has the same table: tests/vectors/reach.json checks both.
 */

/** @typedef {"wifi" | "cellular" | "ethernet" | "none" | "unknown"} Kind */

/**
 * @typedef {"unknown" | "reachable" | "unreachable" | "captive"} Reachability
 * `unknown`: No request was sent yet, or none since the network changed.
 * `reachable`: The server answered the last request, if only to refuse it.
 * `unreachable`: Nothing answered the last request, or there is no network.
 * `captive`: Something else answered: a portal that wants its user to sign in, or a wrong URL.
 */

/**
 * @typedef {"answered" | "silent" | "strange" | "online" | "gone" | "other"} Event
 * `answered`: The server has answered a request.
 * `silent`: No connection, or no answer in time.
 * `strange`: What answered is no django_sync server.
 * `online`: The page or the browser reports that there is a network.
 * `gone`: It reports that there is none.
 * `other`: It reports that the network is another one than before.
 */

/**
 * @typedef {object} NetworkState What is known of the network.
 * @property {Kind} type as the page or the browser reports it
 * @property {boolean} metered
 * @property {number | null} rttMs the smoothed round trip of the client's own requests
 * @property {Reachability} reachability
 * @property {boolean} foreground whether the user looks, as far as the page reports it
 */

/** @type {Readonly<Record<Reachability, Readonly<Record<Event, Reachability>>>>} */
export const REACHABILITY = Object.freeze({
  unknown: { answered: "reachable", silent: "unreachable", strange: "captive", online: "unknown", gone: "unreachable", other: "unknown" },
  reachable: { answered: "reachable", silent: "unreachable", strange: "captive", online: "reachable", gone: "unreachable", other: "unknown" },
  unreachable: { answered: "reachable", silent: "unreachable", strange: "captive", online: "unknown", gone: "unreachable", other: "unknown" },
  captive: { answered: "reachable", silent: "unreachable", strange: "captive", online: "unknown", gone: "unreachable", other: "unknown" },
});

/** @type {readonly string[]} */
export const KINDS = Object.freeze(["wifi", "cellular", "ethernet", "none", "unknown"]);

/** @type {NetworkState} */
export const UNKNOWN = Object.freeze({
  type: "unknown", metered: false, rttMs: null, reachability: "unknown", foreground: true,
});

/** Whether each request costs money or energy. @param {NetworkState} state */
export function isSparing({ metered, foreground }) {
  return metered || !foreground;
}

/** A session's `network`. @param {NetworkState} state */
export function toJson({ type, metered, rttMs }) {
  return { type: type === "unknown" ? null : type, metered, rtt_ms: rttMs };
}

/** Milliseconds; a smaller difference of the round trip is not reported. */
const LEAST_MS = 100;

/**
 * Whether the change from `reported` to `now` is worth a report to the server. That of a round trip is,
 * once it is twice as long as reported, or half, and differs by `LEAST_MS` at least.
 * @param {NetworkState} reported
 * @param {NetworkState} now
 */
export function differs(reported, now) {
  if (reported.type !== now.type || reported.metered !== now.metered || reported.foreground !== now.foreground) return true;
  if (now.rttMs === null || reported.rttMs === null) return now.rttMs !== null && now.rttMs >= LEAST_MS;
  const [short, long] = [Math.min(reported.rttMs, now.rttMs), Math.max(reported.rttMs, now.rttMs)];
  return long >= 2 * short && long - short >= LEAST_MS;
}

/** Seconds; a longer time is no round trip: the machine slept, or the clock jumped. */
const LONGEST = 60;

/**
 * A round trip in seconds, smoothed as RFC 6298, section 2, smooths those of TCP. One outlier moves
 * `srtt` by an eighth of what it is off.
 */
export class RoundTrip {
  /** @param {number | null} [srtt] smoothed @param {number | null} [rttvar] how much it varies */
  constructor(srtt = null, rttvar = null) {
    this.srtt = srtt;
    this.rttvar = rttvar;
  }

  /** The same with one more sample; one that cannot be a round trip changes nothing. @param {number} seconds @returns {RoundTrip} */
  sampled(seconds) {
    if (!(seconds > 0 && seconds <= LONGEST)) return this;
    if (this.srtt === null || this.rttvar === null) return new RoundTrip(seconds, seconds / 2);
    const rttvar = (3 / 4) * this.rttvar + (1 / 4) * Math.abs(this.srtt - seconds);
    return new RoundTrip((7 / 8) * this.srtt + (1 / 8) * seconds, rttvar);
  }

  /** `srtt` in whole milliseconds, 1 at least. */
  get ms() {
    return this.srtt === null ? null : Math.max(1, Math.floor(this.srtt * 1000 + 0.5));
  }
}

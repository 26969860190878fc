/** Whether each request costs somebody something. @param {NetworkState} state */
export function isSparing({ metered, foreground }: NetworkState): boolean;
/** A session's `network`. @param {NetworkState} state */
export function toJson({ type, metered, rttMs }: NetworkState): {
    type: "none" | "wifi" | "cellular" | "ethernet" | null;
    metered: boolean;
    rtt_ms: number | null;
};
/**
 * Whether the server should hear that `told` has become `now`. A round trip is worth telling once it
 * is twice as long as the one that was told, or half, and by `LEAST_MS` at least.
 * @param {NetworkState} reported
 * @param {NetworkState} now
 */
export function differs(reported: NetworkState, now: NetworkState): boolean;
/**
 * What the client knows of the net: its kind, its cost, how far the server is, whether it answers.
 * Pure. How the server's answers and the page's word change `Reachability` is one table of state x
 * event, the Python client's: tests/vectors/reach.json holds both to it.
 */
/** @typedef {"wifi" | "cellular" | "ethernet" | "none" | "unknown"} Kind */
/**
 * @typedef {"unknown" | "reachable" | "unreachable" | "captive"} Reachability
 * `unknown`: Nothing was asked yet, or not since the network became another.
 * `reachable`: The server answered the last request, if only to refuse it.
 * `unreachable`: Nothing answered the last request, or there is no network.
 * `captive`: Something else answered: a portal that wants its user to sign in, or a wrong URL.
 */
/**
 * @typedef {"answered" | "silent" | "strange" | "online" | "gone" | "other"} Event
 * `answered`: The server has answered a request.
 * `silent`: No connection, or no answer in time.
 * `strange`: What answered is no django_sync server.
 * `online`: The page or the browser says that there is a network.
 * `gone`: It says that there is none.
 * `other`: It says that the network is another one than before.
 */
/**
 * @typedef {object} NetworkState What is known of the network.
 * @property {Kind} type as the page or the browser tells it
 * @property {boolean} metered
 * @property {number | null} rttMs the smoothed round trip of the client's own requests
 * @property {Reachability} reachability
 * @property {boolean} foreground whether somebody looks, as far as the page tells
 */
/** @type {Readonly<Record<Reachability, Readonly<Record<Event, Reachability>>>>} */
export const REACHABILITY: Readonly<Record<Reachability, Readonly<Record<Event, Reachability>>>>;
/** @type {readonly string[]} */
export const KINDS: readonly string[];
/** @type {NetworkState} */
export const UNKNOWN: NetworkState;
/**
 * A round trip in seconds, smoothed as RFC 6298, section 2, smooths those of TCP. One outlier moves
 * `srtt` by an eighth of what it is off.
 */
export class RoundTrip {
    /** @param {number | null} [srtt] smoothed @param {number | null} [rttvar] how much it varies */
    constructor(srtt?: number | null, rttvar?: number | null);
    srtt: number | null;
    rttvar: number | null;
    /** The same with one more sample; one that cannot be a round trip changes nothing. @param {number} seconds @returns {RoundTrip} */
    sampled(seconds: number): RoundTrip;
    /** `srtt` in whole milliseconds, 1 at least. */
    get ms(): number | null;
}
export type Kind = "wifi" | "cellular" | "ethernet" | "none" | "unknown";
/**
 * `unknown`: Nothing was asked yet, or not since the network became another.
 * `reachable`: The server answered the last request, if only to refuse it.
 * `unreachable`: Nothing answered the last request, or there is no network.
 * `captive`: Something else answered: a portal that wants its user to sign in, or a wrong URL.
 */
export type Reachability = "unknown" | "reachable" | "unreachable" | "captive";
/**
 * `answered`: The server has answered a request.
 * `silent`: No connection, or no answer in time.
 * `strange`: What answered is no django_sync server.
 * `online`: The page or the browser says that there is a network.
 * `gone`: It says that there is none.
 * `other`: It says that the network is another one than before.
 */
export type Event = "answered" | "silent" | "strange" | "online" | "gone" | "other";
/**
 * What is known of the network.
 */
export type NetworkState = {
    /**
     * as the page or the browser tells it
     */
    type: Kind;
    metered: boolean;
    /**
     * the smoothed round trip of the client's own requests
     */
    rttMs: number | null;
    reachability: Reachability;
    /**
     * whether somebody looks, as far as the page tells
     */
    foreground: boolean;
};

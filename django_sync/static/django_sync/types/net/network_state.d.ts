/** Whether each request costs money or energy. @param {NetworkState} state */
export function isSparing({ metered, foreground }: NetworkState): boolean;
/** A session's `network`. @param {NetworkState} state */
export function toJson({ type, metered, rttMs }: NetworkState): {
    type: "none" | "wifi" | "cellular" | "ethernet" | null;
    metered: boolean;
    rtt_ms: number | null;
};
/**
 * Whether the change from `reported` to `now` is worth a report to the server. That of a round trip is,
 * once it is twice as long as reported, or half, and differs by `LEAST_MS` at least.
 * @param {NetworkState} reported
 * @param {NetworkState} now
 */
export function differs(reported: NetworkState, now: NetworkState): boolean;
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
 * `unknown`: No request was sent yet, or none since the network changed.
 * `reachable`: The server answered the last request, if only to refuse it.
 * `unreachable`: Nothing answered the last request, or there is no network.
 * `captive`: Something else answered: a portal that wants its user to sign in, or a wrong URL.
 */
export type Reachability = "unknown" | "reachable" | "unreachable" | "captive";
/**
 * `answered`: The server has answered a request.
 * `silent`: No connection, or no answer in time.
 * `strange`: What answered is no django_sync server.
 * `online`: The page or the browser reports that there is a network.
 * `gone`: It reports that there is none.
 * `other`: It reports that the network is another one than before.
 */
export type Event = "answered" | "silent" | "strange" | "online" | "gone" | "other";
/**
 * What is known of the network.
 */
export type NetworkState = {
    /**
     * as the page or the browser reports it
     */
    type: Kind;
    metered: boolean;
    /**
     * the smoothed round trip of the client's own requests
     */
    rttMs: number | null;
    reachability: Reachability;
    /**
     * whether the user looks, as far as the page reports it
     */
    foreground: boolean;
};

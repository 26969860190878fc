/**
 * Which transport is used: the best that is offered and has not failed lately. Pure decisions: the
 * caller passes the time, in seconds.
 */
/** @typedef {"websocket" | "sse" | "long-poll" | "poll"} Transport */
/** Best first. The last always remains. @type {readonly Transport[]} */
export const LADDER: readonly Transport[];
/** The transports that bring changes over a connection that stays open. @type {readonly string[]} */
export const CONNECTIONS: readonly string[];
/**
 * Moves down the ladder after failures, and up again later.
 *
 * A server may offer what a proxy on the way does not allow: held requests, or WebSockets. After
 * `tries` early ends in a row a transport is not tried for `rest` seconds, twice as long each time
 * after, up to `longest`. A connection that lasted `steady` seconds was no failure.
 */
export class TransportChoice {
    /**
     * @param {readonly Transport[]} able
     * @param {{tries?: number, longest?: number, steady?: number, random?: () => number}} [policy]
     */
    constructor(able: readonly Transport[], { tries, longest, steady, random }?: {
        tries?: number;
        longest?: number;
        steady?: number;
        random?: () => number;
    });
    rest: number;
    able: readonly Transport[];
    tries: number;
    longest: number;
    steady: number;
    random: () => number;
    /** Learn what the service document lists. @param {Iterable<string>} transports */
    offered(transports: Iterable<string>): void;
    /** What the server offers and this client can do, best first. @returns {Transport[]} */
    usable(): Transport[];
    /** The transport to use now. A held request keeps a radio awake, so it is not used where sparing. @param {number} now @param {boolean} sparing @returns {Transport} */
    best(now: number, sparing: boolean): Transport;
    /** The transports that are not tried for now. @param {number} now */
    resting(now: number): Transport[];
    /** Seconds until something better may be tried again; `Infinity` where there is nothing. @param {Transport} transport @param {number} now */
    betterIn(transport: Transport, now: number): number;
    /** It lasted long, or brought news. @param {Transport} transport */
    worked(transport: Transport): void;
    /** A connection ended after so many seconds. @param {Transport} transport @param {number} now @param {number} lived */
    ended(transport: Transport, now: number, lived: number): void;
    /** It was cut early, or answered at once with nothing new. @param {Transport} transport @param {number} now */
    failed(transport: Transport, now: number): void;
    /** It does not work here, for now. @param {Transport} transport @param {number} now */
    avoid(transport: Transport, now: number): void;
    /** The server wants this transport, and sets when a better one may be tried again. @param {string} wanted @param {number} now @param {number | null} seconds */
    follow(wanted: string, now: number, seconds: number | null): void;
    #private;
}
export type Transport = "websocket" | "sse" | "long-poll" | "poll";

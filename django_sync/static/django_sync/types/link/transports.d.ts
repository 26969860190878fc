/**
 * Which transport is used: the best that is offered and has not failed lately. Pure decisions: times
 * are handed in, in seconds.
 */
/** @typedef {"websocket" | "sse" | "long-poll" | "poll"} Transport */
/** Best first. The last always remains. @type {readonly Transport[]} */
export const LADDER: readonly Transport[];
/** Those that bring changes by themselves, over a connection that stays open. @type {readonly string[]} */
export const CONNECTIONS: readonly string[];
/**
 * Falls down the ladder, and climbs up again.
 *
 * A server may offer what does not work on the way: proxies cut what is held and know no WebSocket.
 * After `tries` early ends in a row a transport is left alone for `rest` seconds, twice as long each
 * time after, up to `longest`. One that lived for `steady` seconds was no failure.
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
    /** The transport to use now. What is held keeps a radio awake: not where sparing. @param {number} now @param {boolean} sparing @returns {Transport} */
    best(now: number, sparing: boolean): Transport;
    /** Those that are left alone for now. @param {number} now */
    resting(now: number): Transport[];
    /** Seconds until something better may be tried again; `Infinity` where there is nothing. @param {Transport} transport @param {number} now */
    betterIn(transport: Transport, now: number): number;
    /** It held for long, or brought news. @param {Transport} transport */
    worked(transport: Transport): void;
    /** A line broke after so many seconds. @param {Transport} transport @param {number} now @param {number} lived */
    ended(transport: Transport, now: number, lived: number): void;
    /** It was cut early, or answered at once with nothing new. @param {Transport} transport @param {number} now */
    failed(transport: Transport, now: number): void;
    /** There is no such thing here, for now. @param {Transport} transport @param {number} now */
    avoid(transport: Transport, now: number): void;
    /** The server wants this one used, and says when a better one may be tried again. @param {string} wanted @param {number} now @param {number | null} seconds */
    follow(wanted: string, now: number, seconds: number | null): void;
    #private;
}
export type Transport = "websocket" | "sse" | "long-poll" | "poll";

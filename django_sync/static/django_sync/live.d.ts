/**
 * One open line, from the hello to its end: what is heard on it, and what is answered.
 *
 * The link's loop calls `pump()` whenever something came or is due. How a line is opened, and what
 * follows its end, is for `lines.js` and the loop to say.
 */
import type { Alarm } from "./alarm.js";
import type { Fields } from "./encoding.js";
import type { Feed } from "./feed.js";
import type { SocketLine, StreamLine } from "./line.js";
/** The server orders another transport. It never leaves the client. */
export declare class Ordered extends Error {
    transport: string;
    retryAfter: number | null;
    /** @param {string} transport @param {number | null} retryAfter seconds */
    constructor(transport: string, retryAfter: number | null);
}
/** A line and the feed behind it. */
export declare class Live {
    #private;
    feed: Feed;
    transport: "sse" | "websocket";
    heartbeat: number;
    openedAt: number;
    hasEnded: boolean;
    /**
     * @param {SocketLine | StreamLine} line
     * @param {Feed} feed
     * @param {Alarm} alarm
     * @param {number} heartbeat seconds
     * @param {{isHere: () => boolean, welcomed: () => void}} owner `isHere`: whether waiting makes sense still
     */
    constructor(line: SocketLine | StreamLine, feed: Feed, alarm: Alarm, heartbeat: number, { isHere, welcomed }: {
        isHere: () => boolean;
        welcomed: () => void;
    });
    /** Say hello; a stream has said it all in its request. @param {string} session @param {readonly string[]} collections */
    begin(session: string, collections: readonly string[]): void;
    /** End the line and its turn as the store's feeder. */
    close(): Promise<void>;
    /** Heed what came; return when something is due next. Throws why the line has ended. */
    pump(): Promise<number>;
    /**
     * Send a batch of mutations and wait for its results, heeding all else meanwhile. It throws what
     * the server answers, and, with `hasEnded`, why there is no answer.
     * @param {string} body
     * @returns {Promise<Fields>}
     */
    post(body: string): Promise<Fields>;
}

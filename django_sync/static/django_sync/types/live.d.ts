/** The server orders another transport. It never leaves the client. */
export class Ordered extends Error {
    /** @param {string} transport @param {number | null} retryAfter seconds */
    constructor(transport: string, retryAfter: number | null);
    transport: string;
    retryAfter: number | null;
}
/** A line and the feed behind it. */
export class Live {
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
    hasEnded: boolean;
    /** Seconds after which a quiet connection is looked at. */
    get heartbeat(): number;
    /** When anything came last, by the alarm's clock. */
    get heardAt(): number;
    feed: Feed;
    transport: "websocket" | "sse";
    openedAt: number;
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
    #private;
}
import type { Feed } from "./feed.js";
import type { Fields } from "./encoding.js";
import type { SocketLine } from "./line.js";
import type { StreamLine } from "./line.js";
import type { Alarm } from "./alarm.js";

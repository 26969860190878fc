/**
 * A line: an open connection that brings frames by itself, over a WebSocket or server-sent events.
 * Frames wait here, in order, for whoever uses it; then comes why it ended.
 */
import type { Alarm } from "./alarm.js";
import type { Fields } from "./encoding.js";
import type { Network } from "./network.js";
export type SocketClass = typeof WebSocket;
/** @typedef {typeof WebSocket} SocketClass */
/** What the two kinds share. */
declare class Line {
    #private;
    alarm: Alarm;
    /** When anything came last, by the alarm's clock. */
    heardAt: number;
    /** @param {Alarm} alarm */
    constructor(alarm: Alarm);
    /** The next frame, or `null`; throws the reason of the end once all are taken. */
    next(): Fields | null;
    heard(): void;
    /** @param {Fields} frame */
    arrived(frame: Fields): void;
    /** Nothing more comes. The first reason counts. @param {unknown} error */
    ended(error: unknown): void;
}
/** The line over a WebSocket. */
export declare class SocketLine extends Line {
    #private;
    /** @type {"websocket"} */
    transport: "websocket";
    /** @param {WebSocket} socket @param {Alarm} alarm */
    constructor(socket: WebSocket, alarm: Alarm);
    /**
     * Open a socket; throws `Offline` where the server, or a proxy, does not. The browser does not
     * tell us more.
     * @param {string} url
     * @param {Alarm} alarm
     * @param {SocketClass} Socket
     * @returns {Promise<SocketLine>}
     */
    static open(url: string, alarm: Alarm, Socket: SocketClass): Promise<SocketLine>;
    /** Send a frame; where the line is broken, its end says so. @param {string} text */
    send(text: string): void;
    close(): void;
}
/** The line over server-sent events (WHATWG HTML, section 9.2). Nothing is sent on it. */
export declare class StreamLine extends Line {
    #private;
    /** @type {"sse"} */
    transport: "sse";
    /** @param {Response} response @param {() => void} abort @param {Alarm} alarm */
    constructor(response: Response, abort: () => void, alarm: Alarm);
    /**
     * @param {Network} network
     * @param {Record<string, string>} asked
     * @param {Alarm} alarm
     */
    static open(network: Network, asked: Record<string, string>, alarm: Alarm): Promise<StreamLine>;
    /** @param {string} _text */
    send(_text: string): void;
    close(): void;
}
/** Events out of text as it comes. Pure. */
export declare class Events {
    #private;
    /**
     * @param {string} text
     * @returns {{event: string, data: string}[]}
     */
    feed(text: string): {
        event: string;
        data: string;
    }[];
}
export {};

/** The line over a WebSocket. */
export class SocketLine extends Line {
    /**
     * Open a socket; throws `Offline` where the server, or a proxy, does not. The browser does not
     * tell us more.
     * @param {string} url
     * @param {Alarm} alarm
     * @param {SocketClass} Socket
     * @param {AbortSignal} cutting where it aborts, nobody waits for the socket any more
     * @returns {Promise<SocketLine>}
     */
    static open(url: string, alarm: Alarm, Socket: SocketClass, cutting: AbortSignal): Promise<SocketLine>;
    /** @param {WebSocket} socket @param {Alarm} alarm */
    constructor(socket: WebSocket, alarm: Alarm);
    /** @type {"websocket"} */
    transport: "websocket";
    /** Send a frame; where the line is broken, its end says so. @param {string} text */
    send(text: string): void;
    close(): void;
    #private;
}
/** The line over server-sent events (WHATWG HTML, section 9.2). Nothing is sent on it. */
export class StreamLine extends Line {
    /**
     * @param {Network} network
     * @param {Record<string, string>} asked
     * @param {Alarm} alarm
     */
    static open(network: Network, asked: Record<string, string>, alarm: Alarm): Promise<StreamLine>;
    /** @param {Response} response @param {() => void} abort @param {Alarm} alarm */
    constructor(response: Response, abort: () => void, alarm: Alarm);
    /** @type {"sse"} */
    transport: "sse";
    /** @param {string} _text */
    send(_text: string): void;
    close(): void;
    #private;
}
/** Events out of text as it comes. Pure. */
export class Events {
    /**
     * @param {string} text
     * @returns {{event: string, data: string}[]}
     */
    feed(text: string): {
        event: string;
        data: string;
    }[];
    #private;
}
export type SocketClass = typeof WebSocket;
/** @typedef {typeof WebSocket} SocketClass */
/** What the two kinds share. */
declare class Line {
    /** @param {Alarm} alarm */
    constructor(alarm: Alarm);
    alarm: Alarm;
    /** When anything came last, by the alarm's clock. */
    heardAt: number;
    /** The next frame, or `null`; throws the reason of the end once all are taken. */
    next(): Fields | null;
    heard(): void;
    /** @param {Fields} frame */
    arrived(frame: Fields): void;
    /** Nothing more comes. The first reason counts. @param {unknown} error */
    ended(error: unknown): void;
    #private;
}
import type { Alarm } from "./alarm.js";
import type { Network } from "./network.js";
import type { Fields } from "./encoding.js";
export {};

/**
 * @typedef {object} Parts What a link is made of.
 * @property {Database} db
 * @property {Network} network
 * @property {Exchange} exchange
 * @property {Listener} listener
 * @property {Choice} choice
 * @property {Pace} pace
 * @property {Alarm} alarm
 * @property {SocketClass | undefined} WebSocket
 * @property {Enabling} enabling
 */
/** The one line of a link, while it has one. */
export class Lines {
    /** @param {Parts} parts */
    constructor(parts: Parts);
    /** @type {Live | null} */
    live: Live | null;
    /** What the server was last asked about. @type {Transport | null} */
    agreed: Transport | null;
    /** Whether the server should hear how things stand, though no line is to be opened. @param {NetworkState} around */
    hasNews(around: NetworkState): boolean;
    /** The page goes. */
    leave(): void;
    /** A new beginning: another session, too. */
    forget(): void;
    /**
     * Ask the server before a line is opened; return what is to be used. A server without sessions
     * lets no socket in, and has no say in the rest.
     * @param {Transport} transport
     * @param {NetworkState} around
     */
    agree(transport: Transport, around: NetworkState): Promise<Transport>;
    /**
     * Open a line; it feeds the store from now on. Throws one of `errors.js`.
     * @param {Transport} transport
     * @param {{isHere: () => boolean, welcomed: () => void, synced: () => void}} owner
     */
    open(transport: Transport, { isHere, welcomed, synced }: {
        isHere: () => boolean;
        welcomed: () => void;
        synced: () => void;
    }): Promise<void>;
    /** End the line, if there is one. The store is anybody's again. */
    close(): Promise<void>;
    /** Whether somebody else has taken the store, and no frame has shown it yet. */
    isSuperseded(): Promise<boolean>;
    /**
     * Whether a result has been waiting for its change for a whole heartbeat: what others may not
     * see, or what never became a change, is told of by no frame. A complete pull ends it.
     */
    isStuck(): Promise<boolean>;
    /**
     * A line broke, or did not open: close it, and return what is to be waited for. `null` where
     * nothing need be: a cursor that is void, or a transport that does not exist here. Credentials
     * are for HTTP to judge, which renews them.
     * @param {Transport} transport
     * @param {errors.SyncError} error
     * @returns {Promise<errors.SyncError | null>}
     */
    ended(transport: Transport, error: errors.SyncError): Promise<errors.SyncError | null>;
    #private;
}
/**
 * What a link is made of.
 */
export type Parts = {
    db: Database;
    network: Network;
    exchange: Exchange;
    listener: Listener;
    choice: Choice;
    pace: Pace;
    alarm: Alarm;
    WebSocket: SocketClass | undefined;
    enabling: Enabling;
};
import { Live } from "./live.js";
import type { Transport } from "./choice.js";
import type { NetworkState } from "./reach.js";
import * as errors from "./errors.js";
import type { Database } from "./database.js";
import type { Network } from "./network.js";
import type { Exchange } from "./exchange.js";
import type { Listener } from "./exchange.js";
import type { Choice } from "./choice.js";
import type { Pace } from "./pace.js";
import type { Alarm } from "./alarm.js";
import type { SocketClass } from "./line.js";
import type { Enabling } from "./enabling.js";

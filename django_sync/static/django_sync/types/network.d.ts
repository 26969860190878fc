/** @import { Auth } from "./auth.js" */
/** @import { Fields } from "./encoding.js" */
/** A call was cut by `cut()`. It never leaves the client. */
export class Interrupted extends Error {
}
/**
 * @typedef {object} Asked
 * @property {Record<string, string>} [params]
 * @property {string} [body]
 * @property {number} [held] seconds for which the server may hold it back
 * @property {string} [accept]
 * @property {boolean} [keepalive] whether it is to be sent though the page goes meanwhile
 */
/** One server, spoken to as one user; `said` are headers that tell who asks, and are no secret. */
export class Network {
    /**
     * @param {string} url absolute
     * @param {Auth | null} auth
     * @param {object} [how]
     * @param {typeof globalThis.fetch} [how.fetch]
     * @param {number} [how.timeout] seconds for which an answer is waited for
     * @param {(error: SyncError | null) => void} [how.heard] is told of each call what it failed with
     * @param {(seconds: number) => void} [how.took] is told of round trips
     */
    constructor(url: string, auth: Auth | null, { fetch, timeout, heard, took }?: {
        fetch?: typeof globalThis.fetch | undefined;
        timeout?: number | undefined;
        heard?: ((error: SyncError | null) => void) | undefined;
        took?: ((seconds: number) => void) | undefined;
    });
    /** @type {Record<string, string>} */
    said: Record<string, string>;
    url: string;
    auth: Auth | null;
    fetch: typeof fetch;
    timeout: number;
    heard: (error: SyncError | null) => void;
    took: (seconds: number) => void;
    /** Have the running calls, and those to come, end with `Interrupted`, until `mend()`. */
    cut(): void;
    /** Let calls through again. */
    mend(): void;
    /** @param {string} path @param {Asked} [asked] */
    get(path: string, asked?: Asked): Promise<Fields>;
    /** @param {string} path @param {string} body */
    post(path: string, body: string): Promise<Fields>;
    /** @param {string} path @param {string} body @param {Asked} [asked] */
    patch(path: string, body: string, asked?: Asked): Promise<Fields>;
    /**
     * Get what goes on for as long as the server likes; whoever reads it also ends it, by `abort`.
     * @param {string} path
     * @param {Record<string, string>} params
     * @returns {Promise<{response: Response, abort: () => void}>}
     */
    stream(path: string, params: Record<string, string>): Promise<{
        response: Response;
        abort: () => void;
    }>;
    /** The last call was one for which the server had little to do: a round trip. */
    quick(): void;
    /** Aborts where calls are cut. */
    get cutting(): AbortSignal;
    #private;
}
export type Asked = {
    params?: Record<string, string> | undefined;
    body?: string | undefined;
    /**
     * seconds for which the server may hold it back
     */
    held?: number | undefined;
    accept?: string | undefined;
    /**
     * whether it is to be sent though the page goes meanwhile
     */
    keepalive?: boolean | undefined;
};
import type { Auth } from "./auth.js";
import { SyncError } from "./errors.js";
import type { Fields } from "./encoding.js";

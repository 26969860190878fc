/**
 * The calls to the server: one request, one decoded answer or one of `errors.js`.
 *
 * The network is not trusted: each call has its time-out, redirects are not followed (credentials
 * go nowhere else), and an answer that is not the server's, such as a captive portal's page, is
 * `Offline`. It knows nothing of the store.
 */
import type { Auth } from "./auth.js";
import type { Fields } from "./encoding.js";
/** A call was cut by `cut()`. It never leaves the client. */
export declare class Interrupted extends Error {
}
export type Asked = {
    params?: Record<string, string>;
    body?: string;
    /**
     * of patience
     */
    seconds?: number;
    accept?: string;
};
/**
 * @typedef {object} Asked
 * @property {Record<string, string>} [params]
 * @property {string} [body]
 * @property {number} [seconds] of patience
 * @property {string} [accept]
 */
/** One server, spoken to as one user. */
export declare class Network {
    #private;
    url: string;
    auth: Auth | null;
    fetch: typeof fetch;
    heard: (answered: boolean) => void;
    /**
     * @param {string} url absolute
     * @param {Auth | null} auth
     * @param {object} [how]
     * @param {typeof globalThis.fetch} [how.fetch]
     * @param {(answered: boolean) => void} [how.heard] is told of each call whether the server answered
     */
    constructor(url: string, auth: Auth | null, { fetch, heard }?: {
        fetch?: typeof globalThis.fetch;
        heard?: (answered: boolean) => void;
    });
    /** Have the running calls, and those to come, end with `Interrupted`, until `mend()`. */
    cut(): void;
    /** Let calls through again. */
    mend(): void;
    /** @param {string} path @param {Asked} [asked] */
    get(path: string, asked?: Asked): Promise<Fields>;
    /** @param {string} path @param {string} body */
    post(path: string, body: string): Promise<Fields>;
    /** @param {string} path @param {string} body */
    patch(path: string, body: string): Promise<Fields>;
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
}

/** A call was cut by `cut()`. It never leaves the client. */
export class Interrupted extends Error {
}
/**
 * @typedef {object} Asked
 * @property {Record<string, string>} [params]
 * @property {string} [body]
 * @property {number} [seconds] of patience
 * @property {string} [accept]
 */
/** One server, spoken to as one user. */
export class Network {
    /**
     * @param {string} url absolute
     * @param {Auth | null} auth
     * @param {object} [how]
     * @param {typeof globalThis.fetch} [how.fetch]
     * @param {(answered: boolean) => void} [how.heard] is told of each call whether the server answered
     */
    constructor(url: string, auth: Auth | null, { fetch, heard }?: {
        fetch?: typeof globalThis.fetch | undefined;
        heard?: ((answered: boolean) => void) | undefined;
    });
    url: string;
    auth: Auth | null;
    fetch: typeof fetch;
    heard: (answered: boolean) => void;
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
    #private;
}
export type Asked = {
    params?: Record<string, string> | undefined;
    body?: string | undefined;
    /**
     * of patience
     */
    seconds?: number | undefined;
    accept?: string | undefined;
};
import type { Auth } from "./auth.js";
import type { Fields } from "./encoding.js";

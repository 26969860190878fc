/** What an HTTP answer says: the JSON in it, or one of `errors.js`. Pure. */
import * as errors from "./errors.js";
import type { Fields } from "./encoding.js";
/**
 * The object that an answer holds, or `null`.
 * @param {string} text
 * @returns {Fields | null}
 */
export declare function jsonOf(text: string): Fields | null;
/**
 * What an answer says that is not the one hoped for. A 410 is believed only with our code: acting
 * on it costs a snapshot.
 * @param {Response} response
 * @param {Fields | null} body
 * @param {number} now milliseconds
 * @returns {errors.SyncError}
 */
export declare function errorOf(response: Response, body: Fields | null, now: number): errors.SyncError;

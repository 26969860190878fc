/**
 * The object that an answer holds, or `null`.
 * @param {string} text
 * @returns {Fields | null}
 */
export function jsonOf(text: string): Fields | null;
/**
 * What an answer says that is not the one hoped for. A 410 is believed only with our code: acting
 * on it costs a snapshot.
 * @param {Response} response
 * @param {Fields | null} body
 * @param {number} now milliseconds
 * @returns {errors.SyncError}
 */
export function errorOf(response: Response, body: Fields | null, now: number): errors.SyncError;
import type { Fields } from "./encoding.js";
import * as errors from "./errors.js";

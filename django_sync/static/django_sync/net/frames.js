/**
 * Reads the frames of a socket or a stream leniently. Pure.
 *
 * An unknown kind of frame, from a newer server, is skipped with a warning. A frame that cannot be
 * read may have had changes, and none may be missing on a connection. So it throws `Offline`, which
 * ends the connection.
 */

import * as errors from "../errors.js";
import { log } from "../log.js";
import { isObject, isText } from "../store/encoding.js";
import { readPage } from "./pages.js";

/** @import { Fields } from "../store/encoding.js" */
/** @import { Page } from "./pages.js" */

/**
 * @typedef {{type: "welcome", epoch: string, heartbeat: number | null, window: number | null}} Welcome
 * @typedef {{type: "changes", page: Page}} Changes a page without its cursor, which follows
 * @typedef {{type: "cursor", cursor: string}} Cursor covers all changes before it
 * @typedef {{type: "results", ref: string, body: Fields}} Results
 * @typedef {{type: "pong"}} Pong
 * @typedef {{type: "switch", transport: string, retryAfter: number | null}} Switch
 * @typedef {{type: "error", ref: string | null, error: errors.SyncError}} Failure
 * @typedef {Welcome | Changes | Cursor | Results | Pong | Switch | Failure} Frame
 */

/**
 * A frame's JSON.
 * @param {unknown} text
 * @returns {Fields}
 */
export function parseFrame(text) {
  let body;
  try {
    body = JSON.parse(String(text));
  } catch (error) {
    throw new errors.Offline("A frame is not JSON.", { cause: error });
  }
  if (!isObject(body)) throw new errors.Offline("A frame is not a JSON object.");
  return body;
}

/**
 * Read a frame; `null` for a kind that this version does not know.
 * @param {Fields} body
 * @returns {Frame | null}
 */
export function readFrame(body) {
  const ref = body.ref === undefined || body.ref === null ? null : String(body.ref);
  switch (body.type) {
    case "welcome":
      if (!isText(body.epoch)) break;
      return { type: "welcome", epoch: body.epoch, heartbeat: seconds(body.heartbeat), window: count(body.window) };
    case "changes":
      return { type: "changes", page: readPage({ ...body, cursor: "" }) };
    case "cursor":
      if (!isText(body.cursor)) break;
      return { type: "cursor", cursor: body.cursor };
    case "results":
      if (ref === null) break;
      return { type: "results", ref, body };
    case "pong":
      return { type: "pong" };
    case "switch":
      if (!isText(body.transport)) break;
      return { type: "switch", transport: body.transport, retryAfter: seconds(body.retry_after) };
    case "error":
      if (!isObject(body.problem)) break;
      return { type: "error", ref, error: errors.fromProblem(body.problem) };
    default:
      log.warn(`Skipped a frame of a kind that this version does not know: ${body.type}`);
      return null;
  }
  throw new errors.Offline(`A frame “${body.type}” lacks members.`);
}

/** A number of seconds above zero, else `null`. @param {unknown} value */
export function seconds(value) {
  return typeof value === "number" && value > 0 && Number.isFinite(value) ? value : null;
}

/** A whole number above zero, else `null`. @param {unknown} value */
function count(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : null;
}

/** @type {Readonly<Record<number, typeof errors.SyncError>>} */
const ERRORS_BY_CLOSE_CODE = {
  4400: errors.Invalid, 4401: errors.NotAuthenticated, 4403: errors.PermissionDenied,
  4410: errors.CursorExpired, 4419: errors.SessionEnded, 4423: errors.Blocked, 4429: errors.Throttled, 1001: errors.Unavailable,
  1012: errors.Unavailable, 1013: errors.Unavailable,
};

/**
 * The error of a socket's close code: the one that HTTP would have answered with.
 * @param {number} code
 * @param {string} reason
 */
export function closeError(code, reason) {
  const Kind = ERRORS_BY_CLOSE_CODE[code] ?? errors.Offline;
  return new Kind(`The server closed the socket (${[code, reason].filter(Boolean).join(": ")}).`);
}

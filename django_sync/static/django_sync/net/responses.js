/** Reads an HTTP answer: the JSON in it, or one of `errors.js`. Pure. */

import * as errors from "../errors.js";
import { isObject } from "../store/encoding.js";

/** @import { Fields } from "../store/encoding.js" */

/** Seconds; a longer `Retry-After` comes from a wrong clock or by mistake. */
const LONGEST_RETRY = 86_400;

/** The error of a status that comes without a problem of our server: for example a proxy's page.
 * @type {Readonly<Record<number, typeof errors.SyncError>>} */
const BY_STATUS = {
  400: errors.Invalid, 401: errors.NotAuthenticated, 403: errors.PermissionDenied,
  404: errors.NotFound, 405: errors.MethodNotAllowed, 406: errors.NotAcceptable,
  413: errors.TooLarge, 415: errors.UnsupportedMediaType, 426: errors.UpgradeRequired,
  429: errors.Throttled, 502: errors.Unavailable, 503: errors.Unavailable, 504: errors.Unavailable,
};

/**
 * The object that an answer holds, or `null`.
 * @param {string} text
 * @returns {Fields | null}
 */
export function jsonOf(text) {
  try {
    const body = JSON.parse(text);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}

/**
 * The error that an answer means. A 410 counts only with our code, because it costs a snapshot.
 * @param {Response} response
 * @param {Fields | null} body
 * @param {number} now milliseconds
 * @returns {errors.SyncError}
 */
export function errorOf(response, body, now) {
  const retryAfter = secondsOf(response.headers, now);
  if (body !== null && errors.BY_CODE.has(String(body.code))) return errors.fromProblem(body, retryAfter);
  const { status } = response;
  const serverDetail = isObject(body) && typeof body.detail === "string" ? ` ${body.detail}` : "";
  const detail = `${pathOf(response.url)} answered ${status}.${serverDetail}`;
  const known = BY_STATUS[status];
  if (known !== undefined) return new known(detail, { retryAfter });
  const ours = (status >= 500 && status !== 511) || (body !== null && status >= 400);
  if (ours) return new errors.SyncError(detail, { retryAfter });
  return new errors.Captive(`${detail} This answer does not come from a django_sync server.`);
}

/** @param {string} url */
function pathOf(url) {
  return URL.canParse(url) ? new URL(url).pathname : "The server";
}

/** Read `Retry-After`: seconds, or a date, which counts from the server's own. @param {Headers} headers @param {number} now */
function secondsOf(headers, now) {
  const header = headers.get("Retry-After");
  if (header === null) return null;
  const seconds = /^\d+$/.test(header.trim())
    ? Number(header)
    : (Date.parse(header) - (Date.parse(headers.get("Date") ?? "") || now)) / 1000;
  return Number.isNaN(seconds) ? null : Math.min(Math.max(0, seconds), LONGEST_RETRY);
}

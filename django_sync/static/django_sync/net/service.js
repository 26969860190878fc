/** Reads the service document: limits and transports. Pure. */

import { Captive, UnsupportedProtocol } from "../errors.js";
import { isObject, isText } from "../store/encoding.js";

export const PROTOCOL_VERSION = 1;

/**
 * @typedef {object} Service A server's limits.
 * @property {string | null} epoch
 * @property {number} batchSize mutations
 * @property {number} bodyBytes
 * @property {number} waitSeconds
 * @property {string[]} transports
 * @property {string | null} vapidKey by which push services know the server, in base64url
 */

/** The protocol's own limits, until the server has answered. @type {Service} */
export const UNKNOWN = Object.freeze({
  epoch: null, batchSize: 500, bodyBytes: 5_242_880, waitSeconds: 25, transports: ["poll"],
  vapidKey: null,
});

/**
 * Read a service document; throw where it is none, or of another protocol.
 * @param {any} body
 * @returns {Service}
 */
export function readService(body) {
  if (body.protocol === undefined) throw new Captive("The answer is not the service document of a django_sync server.");
  if (body.protocol !== PROTOCOL_VERSION) {
    throw new UnsupportedProtocol(
      `The server uses protocol ${body.protocol}, this client ${PROTOCOL_VERSION}.`,
    );
  }
  const limits = isObject(body.limits) ? body.limits : {};
  const transports = Array.isArray(body.transports) ? body.transports : [];
  return {
    epoch: typeof body.epoch === "string" ? body.epoch : null,
    batchSize: positive(limits.batch_size, UNKNOWN.batchSize),
    bodyBytes: positive(limits.body_bytes, UNKNOWN.bodyBytes),
    waitSeconds: Math.min(positive(limits.wait_seconds, UNKNOWN.waitSeconds), UNKNOWN.waitSeconds),
    transports: transports.filter(isText),
    vapidKey: isText(body.push?.webpush?.key) ? body.push.webpush.key : null,
  };
}

/** @param {unknown} value @param {number} otherwise */
function positive(value, otherwise) {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : otherwise;
}

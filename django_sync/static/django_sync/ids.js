/** New identifiers, and how an object's id is spelled. Pure, except for the clock and random numbers. */

import { Invalid } from "./errors.js";

let lastTime = 0;
let counter = 0;

/**
 * A fresh UUID of version 7 (RFC 9562, section 5.7): later ones sort behind earlier ones, those
 * of one millisecond too (its section 6.2, method 1).
 * @returns {string}
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    counter = ((bytes[6] & 0x07) << 8) | bytes[7]; // the upper half is left for what follows
  } else if (++counter > 0xfff) {
    lastTime += 1;
    counter = 0;
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(lastTime / 0x10000));
  view.setUint16(4, lastTime % 0x10000);
  view.setUint16(6, 0x7000 | counter);
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * An object's id in its form on the wire.
 * @param {unknown} value
 * @returns {string}
 * @throws {Invalid} where it is none
 */
export function objectId(value) {
  const text = typeof value === "string" ? value.toLowerCase() : "";
  if (!UUID.test(text)) throw new Invalid(`“${String(value)}” is not the id of an object.`);
  return text;
}

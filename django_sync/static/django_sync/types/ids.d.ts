/**
 * A fresh UUID of version 7 (RFC 9562, section 5.7): later ones sort behind earlier ones, those
 * of one millisecond too (its section 6.2, method 1).
 * @returns {string}
 */
export function newId(): string;
/**
 * An object's id as it stands on the wire.
 * @param {unknown} value
 * @returns {string}
 * @throws {Invalid} where it is none
 */
export function objectId(value: unknown): string;

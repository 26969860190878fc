/**
 * Read a service document; throw where it is none, or of another protocol.
 * @param {any} told
 * @returns {Service}
 */
export function readService(told: any): Service;
export const PROTOCOL_VERSION: 1;
/**
 * @typedef {object} Service A server's limits.
 * @property {string | null} epoch
 * @property {number} batchSize mutations
 * @property {number} bodyBytes
 * @property {number} waitSeconds
 * @property {string[]} transports
 * @property {string | null} vapidKey by which push services know the server, in base64url
 */
/** The protocol's own, until the server was asked. @type {Service} */
export const UNKNOWN: Service;
/**
 * A server's limits.
 */
export type Service = {
    epoch: string | null;
    /**
     * mutations
     */
    batchSize: number;
    bodyBytes: number;
    waitSeconds: number;
    transports: string[];
    /**
     * by which push services know the server, in base64url
     */
    vapidKey: string | null;
};

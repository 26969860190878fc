/** What the service document tells: limits and transports. Pure. */
export declare const PROTOCOL_VERSION = 1;
export type Service = {
    epoch: string | null;
    /**
     * mutations
     */
    batchSize: number;
    bodyBytes: number;
    waitSeconds: number;
    transports: string[];
};
/**
 * @typedef {object} Service A server's limits.
 * @property {string | null} epoch
 * @property {number} batchSize mutations
 * @property {number} bodyBytes
 * @property {number} waitSeconds
 * @property {string[]} transports
 */
/** The protocol's own, until the server was asked. @type {Service} */
export declare const UNKNOWN: Service;
/**
 * Read a service document; throw where it is none, or of another protocol.
 * @param {any} told
 * @returns {Service}
 */
export declare function readService(told: any): Service;

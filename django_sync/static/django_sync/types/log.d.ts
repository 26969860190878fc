/**
 * Set where the client writes: `console`, or an object with its four methods. What is left out stays.
 * @param {Partial<Log>} to warnings and errors go to the console without it, the rest nowhere
 */
export function logTo(to: Partial<Log>): void;
/** @type {Log} */
export const log: Log;
/**
 * What is written to.
 */
export type Log = Pick<Console, "debug" | "info" | "warn" | "error">;

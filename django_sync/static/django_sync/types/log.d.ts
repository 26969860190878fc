/**
 * Say where the client writes: `console`, or whatever has its four methods. What is left out stays.
 * @param {Partial<Log>} to
 */
export function logTo(to: Partial<Log>): void;
/** @type {Log} */
export const log: Log;
export type Log = Pick<Console, "debug" | "info" | "warn" | "error">;

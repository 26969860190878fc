/** Where the client writes what its developer may want to know; quiet unless it is a warning. */
export type Log = Pick<Console, "debug" | "info" | "warn" | "error">;
/** @type {Log} */
export declare const log: Log;
/**
 * Say where the client writes: `console`, or whatever has its four methods. What is left out stays.
 * @param {Partial<Log>} to
 */
export declare function logTo(to: Partial<Log>): void;

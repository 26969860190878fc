/** Where the client writes what its developer may want to know; quiet unless it is a warning. */

/** @typedef {Pick<Console, "debug" | "info" | "warn" | "error">} Log What is written to. */

const silent = () => undefined;

/** @type {Log} */
export const log = {
  debug: silent,
  info: silent,
  warn: (...values) => console.warn("django_sync:", ...values),
  error: (...values) => console.error("django_sync:", ...values),
};

/**
 * Set where the client writes: `console`, or an object with its four methods. What is left out stays.
 * @param {Partial<Log>} to warnings and errors go to the console without it, the rest nowhere
 */
export function logTo(to) {
  for (const level of /** @type {(keyof Log)[]} */ (["debug", "info", "warn", "error"])) {
    const write = to[level];
    if (write !== undefined) log[level] = write.bind(to);
  }
}

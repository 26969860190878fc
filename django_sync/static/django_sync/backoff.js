/** How long to wait after failures. Pure, except for random numbers. */

/** How long to wait after a failure: exponential, with full jitter, and never less than the server asks for. */
export class Backoff {
  #failures = 0;

  /**
   * @param {object} [policy]
   * @param {number} [policy.first] seconds, at most, after the first failure; twice as many after each
   * @param {number} [policy.longest] seconds, at most, after any
   * @param {() => number} [policy.random] from 0 up to 1
   */
  constructor({ first = 1, longest = 300, random = Math.random } = {}) {
    this.first = first;
    this.longest = longest;
    this.random = random;
  }

  /**
   * @internal Count a failure; return the seconds to wait, never less than the server asked for.
   * @param {number | null} [retryAfter]
   */
  failed(retryAfter = null) {
    const ceiling = Math.min(this.longest, this.first * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return Math.max(this.random() * ceiling, retryAfter ?? 0);
  }

  /** @internal Forget the failures. */
  succeeded() {
    this.#failures = 0;
  }
}

/** The clock on which the link's loop waits. A call of `wake()` ends a wait early. */

export class Waker {
  #isAwake = false;
  /** @type {(() => void) | null} */
  #endWait = null;

  /** Seconds since some moment; they never go back. */
  now() {
    return performance.now() / 1000;
  }

  /** End a wait, or the next one. */
  wake() {
    this.#isAwake = true;
    this.#endWait?.();
  }

  /**
   * Wait until `wake()` is called, for so many seconds at most.
   * @param {number} seconds `Infinity` for as long as it takes
   */
  async wait(seconds) {
    if (!this.#isAwake && seconds > 0) {
      // A timer takes no more than 2^31 ms (WHATWG HTML, section 8.6); the caller checks again.
      const most = Math.min(seconds * 1000, 2 ** 31 - 1);
      await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
        const timer = seconds === Infinity ? undefined : setTimeout(resolve, most);
        this.#endWait = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#endWait = null;
    }
    this.#isAwake = false;
  }
}

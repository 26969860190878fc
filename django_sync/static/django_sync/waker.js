/** What the link's loop waits on: time, or that something came. */

export class Waker {
  #isAwake = false;
  /** @type {(() => void) | null} */
  #endWait = null;

  /** Seconds, from whenever; they never go back. */
  now() {
    return performance.now() / 1000;
  }

  /** End a wait, or the next one. */
  wake() {
    this.#isAwake = true;
    this.#endWait?.();
  }

  /**
   * Wait until somebody rings, for so many seconds at most.
   * @param {number} seconds `Infinity` for as long as it takes
   */
  async wait(seconds) {
    if (!this.#isAwake && seconds > 0) {
      // A timer takes no more than 2^31 ms (WHATWG HTML, section 8.6); whoever waits looks again.
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

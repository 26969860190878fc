/**
 * When a client acknowledges the frames of a socket. Pure; the Python client has it too.
 *
 * The server sends a window of frames, and then waits for an acknowledgement. To acknowledge each
 * frame would cost the server more than to send it. So a client acknowledges when half of the
 * window is used, or when the first frame has waited for a third of a heartbeat, or at once when it
 * waits for a cursor: the server sends the cursor after an acknowledgement, and some frames are not
 * shown before their cursor has come. Both clients are tested with
 * `tests/vectors/acknowledging.json`.
 */

/** Frames of the window, where the server's `welcome` has no number. */
export const WINDOW = 16;

/** Counts the frames of one socket. Times are seconds of one clock. */
export class Acknowledgement {
  #taken = 0;
  #acknowledged = 0;
  /** When the first unacknowledged frame came. */
  #since = 0;

  /** @param {number} heartbeat seconds @param {number} [window] frames */
  constructor(heartbeat, window = WINDOW) {
    this.heartbeat = heartbeat;
    this.window = window;
  }

  /** Set how many frames were taken on this socket so far. @param {number} frames @param {number} now */
  take(frames, now) {
    if (frames > this.#taken && this.#taken === this.#acknowledged) this.#since = now;
    this.#taken = frames;
  }

  /** When the next acknowledgement is due; infinity if there is nothing to acknowledge. */
  dueAt({ atOnce = false } = {}) {
    const unacknowledged = this.#taken - this.#acknowledged;
    if (unacknowledged === 0) return Infinity;
    if (atOnce || unacknowledged >= Math.max(Math.floor(this.window / 2), 1)) return -Infinity;
    return this.#since + this.heartbeat / 3;
  }

  /**
   * The number to acknowledge now, which then counts as acknowledged; `null`: not yet.
   * @param {number} now
   * @param {{atOnce?: boolean}} [how]
   */
  next(now, how) {
    if (now < this.dueAt(how)) return null;
    this.#acknowledged = this.#taken;
    return this.#taken;
  }
}

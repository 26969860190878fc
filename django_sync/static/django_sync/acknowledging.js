/**
 * When a socket's client acknowledges what it has taken. Pure; the Python client has it too.
 *
 * The server sends a window of frames ahead, and then waits for an acknowledgement. One for each
 * frame would be right, and would cost the server more than the frame did. So a client acknowledges
 * when half of the window is used, or when the first frame has waited for a third of a heartbeat, or
 * at once where it needs the server's answer: a cursor follows an acknowledgement, and frames
 * that wait for their cursor are not shown before it. `tests/vectors/acknowledging.json` holds both
 * clients to this.
 */

/** Frames that a server sends ahead, where its `welcome` does not say. */
export const WINDOW = 16;

/** Counts the frames of one socket. Times are seconds of one clock. */
export class Acknowledging {
  #taken = 0;
  #acknowledged = 0;
  /** When the first frame came that is not acknowledged. */
  #since = 0;

  /** @param {number} heartbeat seconds @param {number} [window] frames */
  constructor(heartbeat, window = WINDOW) {
    this.heartbeat = heartbeat;
    this.window = window;
  }

  /** So many frames have been taken on this socket. @param {number} frames @param {number} now */
  take(frames, now) {
    if (frames > this.#taken && this.#taken === this.#acknowledged) this.#since = now;
    this.#taken = frames;
  }

  /** When the next acknowledgement is due; infinity where nothing is to be acknowledged. */
  dueAt({ atOnce = false } = {}) {
    const waiting = this.#taken - this.#acknowledged;
    if (waiting === 0) return Infinity;
    if (atOnce || waiting >= Math.max(Math.floor(this.window / 2), 1)) return -Infinity;
    return this.#since + this.heartbeat / 3;
  }

  /**
   * The number of frames to acknowledge now, which counts as done; `null`: not yet.
   * @param {number} now
   * @param {{atOnce?: boolean}} [how]
   */
  next(now, how) {
    if (now < this.dueAt(how)) return null;
    this.#acknowledged = this.#taken;
    return this.#taken;
  }
}

/** Wake-ups on their way to the link: stored first, then handled as the table in `link/wakeups.js` says. */

/** @import { Waker } from "../waker.js" */
/** @import { WakeupStore } from "../store/wakeup_store.js" */
/** @import { Event } from "./wakeups.js" */

/** One tab's wake-ups; the link's loop takes them. */
export class WakeUpHandler {
  #wakes;
  #waker;
  /** @type {Event | null} */
  #event = null;
  /** @type {{at: number, number: number} | null} */
  #trusted = null;

  /** @param {WakeupStore} wakes @param {Waker} waker */
  constructor(wakes, waker) {
    this.#wakes = wakes;
    this.#waker = waker;
  }

  /** A wake-up was stored, here or in another tab: wake the loop. @param {Event} event */
  add(event) {
    if (this.#event !== "woken") this.#event = event;
    this.#waker.wake();
  }

  /** The loop checks what to do next. */
  async check() {
    if (await this.#wakes.hasPending()) this.#event ??= "waits";
  }

  /** What has come since the last time, if anything. */
  take() {
    const event = this.#event;
    this.#event = null;
    return event;
  }

  /** A connection brings the changes: what it receives after `now` serves this wake-up. @param {number} now */
  async trust(now) {
    this.#trusted ??= { at: now, number: await this.#wakes.noteRequest() };
  }

  /** The connection received something, last at this time. @param {number} at */
  async connectionReceived(at) {
    if (this.#trusted === null || at <= this.#trusted.at) return;
    const { number } = this.#trusted;
    this.#trusted = null;
    await this.#wakes.noteServed(number);
  }

  /** The connection has ended; an exchange serves what it has not served. */
  connectionLost() {
    this.#trusted = null;
  }
}

/** Wake-ups on their way to the link: remembered first, then done as `link/wakeups.js`'s table says. */

/** @import { Waker } from "../waker.js" */
/** @import { Wakes } from "./wakes.js" */
/** @import { Event } from "./wakeups.js" */

/** One tab's wake-ups; the link's loop takes them. */
export class WakeUpInbox {
  #wakes;
  #waker;
  /** @type {Event | null} */
  #event = null;
  /** @type {{at: number, number: number} | null} */
  #trusted = null;

  /** @param {Wakes} wakes @param {Waker} waker */
  constructor(wakes, waker) {
    this.#wakes = wakes;
    this.#waker = waker;
  }

  /** A wake-up was remembered, here or in another tab: the link is told. @param {Event} event */
  add(event) {
    if (this.#event !== "woken") this.#event = event;
    this.#waker.wake();
  }

  /** The link looks what to do next. */
  async check() {
    if (await this.#wakes.hasPending()) this.#event ??= "waits";
  }

  /** What has come since the last time, if anything. */
  take() {
    const event = this.#event;
    this.#event = null;
    return event;
  }

  /** News comes by itself: whatever is heard that way after `now` settles this one. @param {number} now */
  async trust(now) {
    this.#trusted ??= { at: now, number: await this.#wakes.noteRequest() };
  }

  /** Something was heard over the line, last at this time. @param {number} at */
  async connectionReceived(at) {
    if (this.#trusted === null || at <= this.#trusted.at) return;
    const { number } = this.#trusted;
    this.#trusted = null;
    await this.#wakes.noteServed(number);
  }

  /** The line has ended; what it did not settle is for an exchange. */
  connectionLost() {
    this.#trusted = null;
  }
}

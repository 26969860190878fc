/** Wake-ups on their way to the link: remembered first, then done as `link/wakeups.js`'s table says. */

/** @import { Alarm } from "../waker.js" */
/** @import { Wakes } from "./wakes.js" */
/** @import { Event } from "./wakeups.js" */

/** One tab's wake-ups; the link's loop takes them. */
export class Waking {
  #wakes;
  #alarm;
  /** @type {Event | null} */
  #event = null;
  /** @type {{at: number, number: number} | null} */
  #unheard = null;

  /** @param {Wakes} wakes @param {Alarm} alarm */
  constructor(wakes, alarm) {
    this.#wakes = wakes;
    this.#alarm = alarm;
  }

  /** A wake-up was remembered, here or in another tab: the link is told. @param {Event} event */
  came(event) {
    if (this.#event !== "woken") this.#event = event;
    this.#alarm.ring();
  }

  /** The link looks what to do next. */
  async look() {
    if (await this.#wakes.wait()) this.#event ??= "waits";
  }

  /** What has come since the last time, if anything. */
  take() {
    const event = this.#event;
    this.#event = null;
    return event;
  }

  /** News comes by itself: whatever is heard that way after `now` settles this one. @param {number} now */
  async trust(now) {
    this.#unheard ??= { at: now, number: await this.#wakes.asked() };
  }

  /** Something was heard over the line, last at this time. @param {number} at */
  async heard(at) {
    if (this.#unheard === null || at <= this.#unheard.at) return;
    const { number } = this.#unheard;
    this.#unheard = null;
    await this.#wakes.served(number);
  }

  /** The line has ended; what it did not settle is for an exchange. */
  lost() {
    this.#unheard = null;
  }
}

/** Wake-ups on their way to the link: remembered first, then done as `wakeups.js`'s table says. */
/** @import { Alarm } from "./alarm.js" */
/** @import { Wakes } from "./wakes.js" */
/** @import { Event } from "./wakeups.js" */
/** One tab's wake-ups; the link's loop takes them. */
export class Waking {
    /** @param {Wakes} wakes @param {Alarm} alarm */
    constructor(wakes: Wakes, alarm: Alarm);
    /** A wake-up was remembered, here or in another tab: the link is told. @param {Event} event */
    came(event: Event): void;
    /** The link looks what to do next. */
    look(): Promise<void>;
    /** What has come since the last time, if anything. */
    take(): Event | null;
    /** News comes by itself: whatever is heard that way after `now` settles this one. @param {number} now */
    trust(now: number): Promise<void>;
    /** Something was heard over the line, last at this time. @param {number} at */
    heard(at: number): Promise<void>;
    /** The line has ended; what it did not settle is for an exchange. */
    lost(): void;
    #private;
}
import type { Event } from "./wakeups.js";
import type { Wakes } from "./wakes.js";
import type { Alarm } from "./alarm.js";

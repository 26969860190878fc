/**
 * What the link's loop does: one act of `link.js`'s table after the other. It decides nothing of
 * states; `background.js` holds them. Which transport is used is for `choice.js` to say.
 */
import type { Background } from "./background.js";
import type { Backoff } from "./backoff.js";
import type { Parts } from "./lines.js";
import type { Act } from "./link.js";
/** One loop, from a start to its stop. */
export declare class Acting {
    #private;
    /** @type {Promise<void>} when the loop has let go of all it held */
    ended: Promise<void>;
    /** @param {Background} link @param {Parts} parts @param {Backoff} backoff */
    constructor(link: Background, parts: Parts, backoff: Backoff);
    /** Act until the end. @param {Act} act */
    run(act: Act): Promise<void>;
}

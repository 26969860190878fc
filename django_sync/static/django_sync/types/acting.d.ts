/** One loop, from a start to its stop. */
export class Acting {
    /** @param {Background} link @param {Parts} parts @param {Backoff} backoff */
    constructor(link: Background, parts: Parts, backoff: Backoff);
    /** @type {Promise<void>} when the loop has let go of all it held */
    ended: Promise<void>;
    /** The page goes. */
    leave(): void;
    /** Act until the end. @param {Act} act */
    run(act: Act): Promise<void>;
    #private;
}
import type { Act } from "./link.js";
import type { Background } from "./background.js";
import type { Parts } from "./lines.js";
import type { Backoff } from "./backoff.js";

/** @import { Tx } from "./database.js" */
/** @import { Filling, Key, Watch } from "./overlay.js" */
/** @import { Delete, Page, Put, WireChange } from "./pages.js" */
/** @import { Row } from "./tables.js" */
export class Applying {
    /**
     * @param {Tx} tx
     * @param {Watch} watch
     * @param {Page} page
     * @param {Row[]} outbox
     * @param {boolean} live a socket or stream brings it, which may go on for days: settled mutations
     *   step down one by one then, not at the end of the next pull
     * @param {Filling} [filling] is told which collections begin empty
     */
    constructor(tx: Tx, watch: Watch, page: Page, outbox: Row[], live: boolean, filling?: Filling);
    /**
     * @param {readonly string[]} names the collections that are asked for
     * @param {number} pull
     * @param {boolean} replaces revisions of an earlier epoch mean nothing now
     */
    run(names: readonly string[], pull: number, replaces: boolean): Promise<void>;
    #private;
}
import type { Tx } from "./database.js";
import type { Watch } from "./overlay.js";
import type { Page } from "./pages.js";
import type { Row } from "./tables.js";
import type { Filling } from "./overlay.js";

/** @import { Database } from "./database.js" */
/** @import { Status } from "./views.js" */
/** One client's status. */
export class Standing {
    /** @param {Database} db @param {(status: Status) => void} tell is called with each other status */
    constructor(db: Database, tell: (status: Status) => void);
    /** @type {Status} */
    status: Status;
    /** These members are so now; the others stay. @param {Partial<Status>} news */
    show(news: Partial<Status>): void;
    /** Count what waits; one look at a time, and one more where something came meanwhile. */
    look(): Promise<void>;
    #private;
}
import type { Status } from "./views.js";
import type { Database } from "./database.js";

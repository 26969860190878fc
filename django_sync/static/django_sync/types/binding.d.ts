/** @import { Auth } from "./auth.js" */
/** @import { Database, Meta } from "./database.js" */
/** The store's owner, compared with who uses it. */
export class Binding {
    /** @param {Database} db @param {string} url @param {Auth | null} auth */
    constructor(db: Database, url: string, auth: Auth | null);
    /** Throw `StoreMismatch` where the store is known to be another's. */
    check(): Promise<void>;
    /** Whether the server has taken these credentials for this store's before. */
    isProven(): Promise<boolean>;
    /** The server has accepted the client id: the store is this user's. */
    prove(): Promise<void>;
    #private;
}
import type { Database } from "./database.js";
import type { Auth } from "./auth.js";

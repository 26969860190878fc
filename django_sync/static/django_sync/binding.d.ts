/**
 * Whose replica a store is: the first server and user that it synced with.
 *
 * The URL and, where the credentials tell it, the user's identity are compared at once. Where they
 * do not, the server decides: a client id belongs to the first user who sent it, so whenever the
 * credentials are not those of the last time, the client sends an empty batch before anything else
 * and is told `client_mismatch` if it is somebody else's.
 */
import type { Auth } from "./auth.js";
import type { Database } from "./database.js";
/** @import { Auth } from "./auth.js" */
/** @import { Database, Meta } from "./database.js" */
/** The store's owner, compared with who uses it. */
export declare class Binding {
    #private;
    /** @param {Database} db @param {string} url @param {Auth | null} auth */
    constructor(db: Database, url: string, auth: Auth | null);
    /** Throw `StoreMismatch` where the store is known to be another's. */
    check(): Promise<void>;
    /** Whether the server has taken these credentials for this store's before. */
    isProven(): Promise<boolean>;
    /** The server has accepted the client id: the store is this user's. */
    prove(): Promise<void>;
}

/** Whether an error says that the cursor is void. @param {unknown} error @returns {boolean} */
export function isVoid(error: unknown): boolean;
/**
 * The request's body; the mutations in it are the texts that the outbox keeps.
 * @param {Place} place
 * @param {Outgoing[]} batch
 */
export function envelope(place: Place, batch: Outgoing[]): string;
/** @import { Database } from "./database.js" */
/** @import { Fields } from "./encoding.js" */
/** @import { Outgoing } from "./outbox.js" */
/** @import { Place } from "./replica.js" */
/** @import { Settled } from "./results.js" */
/** @import { Service } from "./service.js" */
/** @import { Counts } from "./views.js" */
/** @typedef {(body: string) => Promise<Fields>} Post Sends the envelope of section 7. */
/** How often one exchange goes round for what callbacks wrote while it ran. */
export const ROUNDS: 3;
/** Sends one store's outbox. */
export class Sending {
    /**
     * @param {Database} db
     * @param {(settled: Settled) => void} settled is told after each commit
     * @param {() => Promise<Place>} place
     * @param {(place: Place, error: SyncError) => Promise<void>} voided
     */
    constructor(db: Database, settled: (settled: Settled) => void, place: () => Promise<Place>, voided: (place: Place, error: SyncError) => Promise<void>);
    /** Learn the server's limits. @param {Service} service */
    described(service: Service): void;
    /**
     * Send what waits; return what a part of it failed with, having sent the rest.
     * @param {Post} post
     * @param {Counts} counts
     * @returns {Promise<SyncError | null>}
     */
    run(post: Post, counts: Counts): Promise<SyncError | null>;
    #private;
}
/**
 * Sends the envelope of section 7.
 */
export type Post = (body: string) => Promise<Fields>;
import type { Place } from "./replica.js";
import type { Outgoing } from "./outbox.js";
import type { Service } from "./service.js";
import type { Counts } from "./views.js";
import { SyncError } from "./errors.js";
import type { Database } from "./database.js";
import type { Settled } from "./results.js";
import type { Fields } from "./encoding.js";

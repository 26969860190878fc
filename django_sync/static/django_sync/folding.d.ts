/**
 * Whether a mutation is folded into one that was never sent. Pure decisions.
 *
 * What may be folded is narrow, because the outbox's order is what the server will see, and others
 * may stand on it:
 *
 * - *directly behind*: nothing of another object lies between the two;
 * - an update of what is *created* here may also pass creates that neither mention the object nor
 *   are mentioned in the update;
 * - a create and its delete *vanish* where nothing else in the outbox mentions the object.
 *
 * What was sent once is never folded: its body is fixed under its id.
 */
import type { Fields } from "./encoding.js";
import type { Row } from "./tables.js";
export type Draft = {
    op: "create" | "update" | "delete";
    fields: Fields;
    baseRevision: number | null;
    epoch: string | null;
    base: Fields | null;
    /**
     * it brings a deleted object back: sent with the last known record
     * beneath its fields
     */
    whole?: boolean;
};
export type Decision = {
    kind: "append";
} | {
    kind: "fold";
    draft: Draft;
} | {
    kind: "vanish";
};
/**
 * @param {"create" | "update" | "delete"} op
 * @param {Fields} fields
 * @param {Partial<Draft>} [more]
 * @returns {Draft}
 */
export declare function draft(op: "create" | "update" | "delete", fields: Fields, more?: Partial<Draft>): Draft;
/**
 * Whether some fields name an object.
 * @param {Fields} fields
 * @param {string} objectId
 */
export declare function mentions(fields: Fields, objectId: string): boolean;
/**
 * Decide about a draft.
 * @param {Draft} asked
 * @param {Row | undefined} last the newest outbox entry of the same object
 * @param {Row[]} between what other objects' entries came after it
 * @param {boolean} mentioned whether any other entry of the outbox names the object
 * @returns {Decision}
 */
export declare function fold(asked: Draft, last: Row | undefined, between: Row[], mentioned: boolean): Decision;

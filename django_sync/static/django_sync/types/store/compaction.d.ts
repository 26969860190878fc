/**
 * @param {"create" | "update" | "delete"} op
 * @param {Fields} fields
 * @param {Partial<Draft>} [more]
 * @returns {Draft}
 */
export function draft(op: "create" | "update" | "delete", fields: Fields, more?: Partial<Draft>): Draft;
/**
 * Whether some fields name an object.
 * @param {Fields} fields
 * @param {string} objectId
 */
export function mentions(fields: Fields, objectId: string): boolean;
/**
 * Decide about a draft.
 * @param {Draft} wanted
 * @param {Row | undefined} last the newest outbox entry of the same object
 * @param {Row[]} between what other objects' entries came after it
 * @param {boolean} mentioned whether any other entry of the outbox names the object
 * @returns {Decision}
 */
export function compact(wanted: Draft, last: Row | undefined, between: Row[], mentioned: boolean): Decision;
/**
 * A mutation to be: what is asked, and the server's state it was made on.
 */
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
    whole?: boolean | undefined;
};
export type Decision = {
    kind: "append";
} | {
    kind: "merge";
    draft: Draft;
} | {
    kind: "cancel";
};
import type { Fields } from "./encoding.js";
import type { Row } from "./tables.js";

/**
 * Enter a local write, folded where that changes nothing for others.
 * @param {Tx} tx
 * @param {Key} key
 * @param {"create" | "update" | "delete"} op
 * @param {Fields} fields
 */
export function enter(tx: Tx, key: Key, op: "create" | "update" | "delete", fields: Fields): Promise<void>;
/**
 * Put a mutation at the end, whatever came before.
 * @param {Tx} tx
 * @param {Key} key
 * @param {Draft} asked
 */
export function append(tx: Tx, [collection, objectId]: Key, asked: Draft): void;
/**
 * Whether something waits that has never been sent and may be.
 * @param {Tx} tx
 */
export function hasNew(tx: Tx): Promise<boolean>;
/**
 * Mark the next batch as sent and fix its bytes, before any of it goes out.
 *
 * What was sent and never answered goes first and again; later edits of an object with an open
 * conflict are held back until it is settled. Only what has its `seq` in the span is taken.
 * @param {Tx} tx
 * @param {{from: number, to: number}} span
 * @param {number} limit mutations
 * @param {number} maxBytes
 * @param {Blocked} blocked
 * @returns {Promise<Outgoing[]>}
 */
export function take(tx: Tx, { from, to }: {
    from: number;
    to: number;
}, limit: number, maxBytes: number, blocked: Blocked): Promise<Outgoing[]>;
/** @param {string} text */
export function bytes(text: string): number;
/**
 * Move a sent entry on to what its result says; `undefined` where it is no longer open.
 * @param {Tx} tx
 * @param {number} seq
 * @param {Mutation["state"]} state
 * @param {number} revision the object's after it, as the result told
 */
export function finish(tx: Tx, seq: number, state: Mutation["state"], revision: number): Promise<Row | undefined>;
/**
 * Take settled mutations off the records that have come as far as their results.
 *
 * Under pulls they stay until the end of the first complete one begun after the result. A socket is
 * one pull that does not end, and its frames prove the same one by one: the revision that the
 * result named, or a later one of that object, has their effect in it.
 * @param {Tx} tx
 * @param {(key: Key) => Promise<Row | undefined>} record
 */
export function stepDown(tx: Tx, record: (key: Key) => Promise<Row | undefined>): Promise<void>;
/**
 * Leave of these objects' entries only what the user typed: what left the view goes from the disk,
 * also out of bodies that were sent, which can only be refused now.
 * @param {Tx} tx
 * @param {Key[]} keys
 */
export function strip(tx: Tx, keys: Key[]): Promise<void>;
/** @typedef {{row: Row, body: string}} Outgoing A mutation with the text that stands for it from now on. */
/** Objects whose mutations wait because an earlier one could not be sent. */
export class Blocked {
    /** @param {Row} row */
    add(row: Row): void;
    /** @param {Row} row */
    has(row: Row): boolean;
    #private;
}
/**
 * A mutation with the text that stands for it from now on.
 */
export type Outgoing = {
    row: Row;
    body: string;
};
import type { Tx } from "./database.js";
import type { Key } from "./overlay.js";
import type { Fields } from "./encoding.js";
import type { Draft } from "./folding.js";
import type { Mutation } from "./views.js";
import type { Row } from "./tables.js";

/** @param {Row} row */
export function isOpen(row: Row): boolean;
/**
 * The server's record as the store has it.
 * @param {Tx} tx
 * @param {Key} key
 */
export function serverRow(tx: Tx, key: Key): Promise<Row | undefined>;
/**
 * The outbox's rows of one object, oldest first.
 * @param {Tx} tx
 * @param {Key} key
 */
export function rowsOn(tx: Tx, key: Key): Promise<Row[]>;
/**
 * The outbox's rows of a collection by object, each object's oldest first.
 * @param {Tx} tx
 * @param {string} collection
 */
export function mutationsByObject(tx: Tx, collection: string): Promise<Map<string, Row[]>>;
/**
 * Apply mutations to the server's object, in order; `null` where the user sees nothing. An update of
 * an object that is not there shows nothing: the user no longer sees the record.
 * @param {Fields | null} server
 * @param {Row[]} mutations
 * @returns {Fields | null}
 */
export function applyMutations(server: Fields | null, mutations: Row[]): Fields | null;
/**
 * The record that the user sees, of what the store has of one object.
 * @param {Key} key
 * @param {Row | undefined} row
 * @param {Row[]} mutations
 * @returns {Record | null}
 */
export function seenRecord([collection, id]: Key, row: Row | undefined, mutations: Row[]): Record | null;
/**
 * The record that the user sees under this key.
 * @param {Tx} tx
 * @param {Key} key
 */
export function visible(tx: Tx, key: Key): Promise<Record | null>;
/** @param {Row[]} rows @returns {Mutation[]} */
export function mutationsOf(rows: Row[]): Mutation[];
/** @param {Key} key */
export function keyText(key: Key): string;
/** @import { Change, Mutation } from "../types.js" */
/** @import { Tx } from "./database.js" */
/** @import { Fields } from "./encoding.js" */
/** @import { Row } from "./tables.js" */
/** @typedef {[collection: string, id: string]} Key */
/** The states of a mutation without a final result. */
export const OPEN: readonly string[];
/**
 * @typedef {Map<string, Set<string>>} Filling Collections that were empty when a snapshot of them
 *   began, and the ids that have come into them since: an id that is not among these need not be read.
 */
/** @typedef {{changes: Change[], touched: Key[]}} Seen What a write has changed for the user. */
/**
 * Compares what the user saw of some objects with what is seen after a write. It keeps the records
 * that it read, and those that are put through it, so that a page reads each once.
 */
export class ChangeWatch {
    /**
     * @param {Tx} tx
     * @param {"local" | "remote"} origin
     * @param {ReadonlySet<string> | null} [busy] the objects with entries in the outbox, spelled by
     *   `spelled`; `null` where that is not known
     * @param {Filling} [filling] collections of which it is known what they hold
     */
    constructor(tx: Tx, origin: "local" | "remote", busy?: ReadonlySet<string> | null, filling?: Filling);
    /**
     * Remember how these objects are seen now, before they are written.
     * @param {Key[]} keys
     */
    look(keys: Key[]): Promise<void>;
    /** The server's record. @param {Key} key */
    row(key: Key): Promise<Row | undefined>;
    /** Write a record of the server's. @param {Row} row */
    put(row: Row): void;
    /** Remove a record of the server's. @param {Key} key */
    forget(key: Key): void;
    /** What has changed since, in the order of the calls of `look()`. @returns {Promise<Seen>} */
    seen(): Promise<Seen>;
    #private;
}
export type Key = [collection: string, id: string];
/**
 * Collections that were empty when a snapshot of them
 *   began, and the ids that have come into them since: an id that is not among these need not be read.
 */
export type Filling = Map<string, Set<string>>;
/**
 * What a write has changed for the user.
 */
export type Seen = {
    changes: Change[];
    touched: Key[];
};
import type { Row } from "./tables.js";
import type { Tx } from "./database.js";
import type { Fields } from "./encoding.js";
import { Record } from "../types.js";
import type { Mutation } from "../types.js";
import type { Change } from "../types.js";

/**
 * Store the conflict that a result reports.
 * @param {Tx} tx
 * @param {Row} row the mutation
 * @param {Fields} details
 */
export function keepConflict(tx: Tx, row: Row, details: Fields): void;
/**
 * The conflicts that wait for a decision, oldest first.
 * @param {Tx} tx
 * @param {(conflict: Conflict, resolution: Resolution) => Promise<boolean>} settle
 */
export function openConflicts(tx: Tx, settle: (conflict: Conflict, resolution: Resolution) => Promise<boolean>): Promise<Conflict[]>;
/**
 * Replace the conflict's mutation, and the later edits, by what was decided.
 *
 * The new mutation is based on the revision that `conflict` shows, not on one that a pull brought
 * since: the user has not seen that one.
 * @param {Tx} tx
 * @param {Conflict} conflict
 * @param {Resolution} resolution
 * @returns {Promise<boolean>} whether it was open still
 */
export function settleConflict(tx: Tx, conflict: Conflict, resolution: Resolution): Promise<boolean>;
/**
 * Show the server's newer record, or the tombstone, in an open conflict on it.
 * @param {Tx} tx
 * @param {string} epoch
 * @param {Fields} record
 */
export function refreshConflicts(tx: Tx, epoch: string, record: Fields): Promise<void>;
/**
 * The user no longer sees the objects: send what they typed, forget the rest.
 * @param {Tx} tx
 * @param {Key[]} keys
 */
export function releaseConflicts(tx: Tx, keys: Key[]): Promise<void>;
/**
 * The objects of conflicts whose records a later complete pull did not show: a `drop` came before
 * the result that reported them.
 * @param {Tx} tx
 * @param {number} pull
 * @returns {Promise<Key[]>}
 */
export function unseenConflicts(tx: Tx, pull: number): Promise<Key[]>;
/**
 * The mutation that a decision becomes, or `null` for none. Pure.
 * @param {Conflict} conflict
 * @param {Row[]} later
 * @param {Resolution} resolution
 * @returns {Draft | null}
 */
export function decided(conflict: Conflict, later: Row[], resolution: Resolution): Draft | null;
/** @import { Mutation } from "./types.js" */
/** @import { Draft } from "./store/compaction.js" */
/** @import { Tx } from "./store/database.js" */
/** @import { Fields } from "./store/encoding.js" */
/** @import { Key } from "./store/overlay.js" */
/** @import { Row } from "./store/tables.js" */
/** A decision about one conflict. It does nothing until it is returned or settled with. */
export class Resolution {
    /** @internal @param {"server" | "client" | "merged"} kept @param {Fields | null} [values] */
    constructor(kept: "server" | "client" | "merged", values?: Fields | null);
    /** Whose version stays. */
    kept: "client" | "server" | "merged";
    /** Of a merge. */
    values: Fields | null;
}
/** A mutation that overlaps with another's change, and that no resolver on the server settled. */
export class Conflict {
    /**
     * @internal
     * @param {Row} row of the outbox
     * @param {Row} stored of the conflicts
     * @param {(conflict: Conflict, resolution: Resolution) => Promise<boolean>} settle
     */
    constructor(row: Row, stored: Row, settle: (conflict: Conflict, resolution: Resolution) => Promise<boolean>);
    /** What was asked for, and is not done. @type {Mutation} */
    mutation: Mutation;
    /** `update_update`, `update_delete`, `delete_update`, `create_create` or `unknown_base`. */
    kind: string;
    /** The names of the fields that clashed. @type {string[]} */
    fields: string[];
    /** The values that the mutation was made on; `null` where they are not known. @type {Fields | null} */
    base: Fields | null;
    /** The server's record; `null` where it was deleted there. @type {Record | null} */
    server: Record | null;
    /** Of that record, or of the tombstone. */
    serverRevision: number;
    /** The feed's history that the revision is of. @type {string | null} */
    epoch: string | null;
    /** Its object's collection. */
    get collection(): string;
    /** The object's id. */
    get id(): string;
    /** What the user asked for. */
    get client(): Fields;
    /** The server's version stays; the local change is dropped. @returns {Resolution} */
    keepServer(): Resolution;
    /** The local change is asked for again, on the server's revision. @returns {Resolution} */
    keepClient(): Resolution;
    /**
     * These values are asked for, on the server's revision; others as the client has them.
     * @param {Fields} values
     * @returns {Resolution}
     */
    merge(values: Fields): Resolution;
    /**
     * Carry out a decision; `false` where the conflict is no longer open.
     * @param {Resolution} resolution
     * @returns {Promise<boolean>}
     */
    settle(resolution: Resolution): Promise<boolean>;
    #private;
}
import type { Tx } from "./store/database.js";
import type { Row } from "./store/tables.js";
import type { Fields } from "./store/encoding.js";
import type { Key } from "./store/overlay.js";
import type { Draft } from "./store/compaction.js";
import type { Mutation } from "./types.js";
import { Record } from "./types.js";

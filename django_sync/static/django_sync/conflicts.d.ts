/**
 * Open conflicts: what the user is told, what they may decide, what that becomes.
 *
 * A conflict's mutation stays on top of the record until it is settled, so what the user typed
 * stays in sight. Later edits of the object are held back meanwhile and go into the decision:
 *
 * - `keepClient` sends the conflict's mutation and the later edits as one new mutation on the
 *   server's revision;
 * - `merge` does the same with the given values on top;
 * - where the server deleted the object, both ask for it back, whole;
 * - `keepServer` drops the conflict's mutation; later edits of *other* fields go on as a new
 *   mutation, those of the same fields are dropped with it.
 */
import { Record } from "./views.js";
import type { Tx } from "./database.js";
import type { Fields } from "./encoding.js";
import type { Draft } from "./folding.js";
import type { Key } from "./overlay.js";
import type { Row } from "./tables.js";
import type { Mutation } from "./views.js";
/** @import { Tx } from "./database.js" */
/** @import { Fields } from "./encoding.js" */
/** @import { Draft } from "./folding.js" */
/** @import { Key } from "./overlay.js" */
/** @import { Row } from "./tables.js" */
/** @import { Mutation } from "./views.js" */
/** A decision about one conflict. It does nothing until it is returned or settled with. */
export declare class Resolution {
    kept: "client" | "merged" | "server";
    values: Fields | null;
    /** @param {"server" | "client" | "merged"} kept @param {Fields | null} [values] */
    constructor(kept: "server" | "client" | "merged", values?: Fields | null);
}
/** A mutation that met another's change and could not be settled by the server. */
export declare class Conflict {
    #private;
    /** @type {Mutation} */
    mutation: Mutation;
    /** `update_update`, `update_delete`, `delete_update`, `create_create` or `unknown_base`. */
    kind: string;
    /** The names of the fields that clashed. @type {string[]} */
    fields: string[];
    /** The values that the mutation was made on; `null` where they are not known. @type {Fields | null} */
    base: Fields | null;
    /** The server's record; `null` where it was deleted there. @type {Record | null} */
    server: Record | null;
    serverRevision: number;
    /** @type {string | null} */
    epoch: string | null;
    /**
     * @param {Row} row of the outbox
     * @param {Row} told of the conflicts
     * @param {(conflict: Conflict, resolution: Resolution) => Promise<boolean>} settle
     */
    constructor(row: Row, told: Row, settle: (conflict: Conflict, resolution: Resolution) => Promise<boolean>);
    get collection(): string;
    /** The object's id. */
    get id(): string;
    /** What the user asked for. */
    get client(): Fields;
    /** The server's version stays; the local change is dropped. */
    keepServer(): Resolution;
    /** The local change is asked for again, on the server's revision. */
    keepClient(): Resolution;
    /**
     * These values are asked for, on the server's revision; others as the client has them.
     * @param {Fields} values
     */
    merge(values: Fields): Resolution;
    /**
     * Carry out a decision; `false` where the conflict is no longer open.
     * @param {Resolution} resolution
     * @returns {Promise<boolean>}
     */
    settle(resolution: Resolution): Promise<boolean>;
}
/**
 * Keep what a result told of a conflict.
 * @param {Tx} tx
 * @param {Row} row the mutation
 * @param {Fields} told
 */
export declare function keep(tx: Tx, row: Row, told: Fields): void;
/**
 * The conflicts that wait for a decision, oldest first.
 * @param {Tx} tx
 * @param {(conflict: Conflict, resolution: Resolution) => Promise<boolean>} settle
 */
export declare function openConflicts(tx: Tx, settle: (conflict: Conflict, resolution: Resolution) => Promise<boolean>): Promise<Conflict[]>;
/**
 * Replace the conflict's mutation, and the later edits, by what was decided.
 *
 * The new mutation stands on the revision that `conflict` shows, not on one that a pull brought
 * since: its user has not seen that.
 * @param {Tx} tx
 * @param {Conflict} conflict
 * @param {Resolution} resolution
 * @returns {Promise<boolean>} whether it was open still
 */
export declare function settleConflict(tx: Tx, conflict: Conflict, resolution: Resolution): Promise<boolean>;
/**
 * Show the server's newer record, or the tombstone, in an open conflict on it.
 * @param {Tx} tx
 * @param {string} epoch
 * @param {Fields} record
 */
export declare function refresh(tx: Tx, epoch: string, record: Fields): Promise<void>;
/**
 * The objects left the user's view: send what was typed, forget the rest.
 * @param {Tx} tx
 * @param {Key[]} keys
 */
export declare function giveUp(tx: Tx, keys: Key[]): Promise<void>;
/**
 * Conflicts on records that a complete pull begun after them did not show: the result that told of
 * them was overtaken by a `drop`.
 * @param {Tx} tx
 * @param {number} pull
 * @returns {Promise<Key[]>}
 */
export declare function unseen(tx: Tx, pull: number): Promise<Key[]>;
/**
 * The mutation that a decision becomes, or `null` for none. Pure.
 * @param {Conflict} conflict
 * @param {Row[]} later
 * @param {Resolution} resolution
 * @returns {Draft | null}
 */
export declare function decided(conflict: Conflict, later: Row[], resolution: Resolution): Draft | null;

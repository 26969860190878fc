/** @import { Conflict } from "./conflicts.js" */
/** @import { Change, Rejection, Status } from "./types.js" */
/**
 * @typedef {(change: Change) => unknown} ChangeHandler
 * @typedef {(conflict: Conflict) => Resolution | null | undefined | void | Promise<Resolution | null | undefined | void>} ConflictHandler
 * @typedef {(rejection: Rejection) => unknown} RejectionHandler
 * @typedef {(status: Status) => unknown} StatusHandler
 */
/** The handlers of one client. */
export class Callbacks {
    /** @param {string | null} collection @param {ChangeHandler} handler */
    onChange(collection: string | null, handler: ChangeHandler): () => void;
    /** @param {ConflictHandler} handler */
    onConflict(handler: ConflictHandler): () => void;
    /** @param {RejectionHandler} handler */
    onRejected(handler: RejectionHandler): () => void;
    /** @param {StatusHandler} handler */
    onStatus(handler: StatusHandler): () => void;
    /** @param {Change[]} changes */
    callChange(changes: Change[]): void;
    /** @param {Status} status */
    callStatus(status: Status): void;
    /** Call the handlers with a rejection; return `false` where there is none. @param {Rejection} rejection */
    callRejected(rejection: Rejection): boolean;
    /** Ask the handlers one after the other; the first decision counts. @param {Conflict} conflict @returns {Promise<Resolution | null>} */
    askConflict(conflict: Conflict): Promise<Resolution | null>;
    #private;
}
export type ChangeHandler = (change: Change) => unknown;
export type ConflictHandler = (conflict: Conflict) => Resolution | null | undefined | void | Promise<Resolution | null | undefined | void>;
export type RejectionHandler = (rejection: Rejection) => unknown;
export type StatusHandler = (status: Status) => unknown;
import type { Change } from "./types.js";
import type { Status } from "./types.js";
import type { Rejection } from "./types.js";
import type { Conflict } from "./conflicts.js";
import { Resolution } from "./conflicts.js";

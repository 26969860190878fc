/**
 * Every error that a client meets, on one page: those that servers send (`code` says which, as in
 * docs/errors.md) and those of the client itself. This file does no I/O.
 */
export type Problem = {
    type?: string;
    title?: string;
    status?: number;
    detail?: string;
    code?: string;
    errors?: Record<string, {
        code: string;
        detail: string;
    }[]>;
    [member: string]: unknown;
};
/** @typedef {{type?: string, title?: string, status?: number, detail?: string, code?: string,
 *   errors?: Record<string, {code: string, detail: string}[]>, [member: string]: unknown}} Problem
 *   An RFC 9457 body, as the server sends it. */
/** Something went wrong in the sync: the root of all errors here. */
export declare class SyncError extends Error {
    code: string;
    status: number;
    retryAfter: number | null;
    problem: Problem | null;
    static code: string;
    static status: number;
    /**
     * @param {string} [detail] plain words
     * @param {{retryAfter?: number | null, problem?: Problem | null, cause?: unknown}} [more]
     *   `retryAfter` in seconds, as the server asks
     */
    constructor(detail?: string, { retryAfter, problem, cause }?: {
        retryAfter?: number | null;
        problem?: Problem | null;
        cause?: unknown;
    });
    /** What went wrong, in plain words. */
    get detail(): string;
}
/** The request is malformed. */
export declare class Invalid extends SyncError {
    static code: string;
    static status: number;
}
/** The cursor is not one of this server or of this user. */
export declare class InvalidCursor extends Invalid {
    static code: string;
}
/** There is no such collection. */
export declare class UnknownCollection extends Invalid {
    static code: string;
}
/** The server speaks another version of the protocol. */
export declare class UnsupportedProtocol extends Invalid {
    static code: string;
}
/** The credentials are not taken. */
export declare class NotAuthenticated extends SyncError {
    static code: string;
    static status: number;
}
/** The user may not do that. */
export declare class PermissionDenied extends SyncError {
    static code: string;
    static status: number;
}
/** The client's id belongs to another user. */
export declare class ClientMismatch extends PermissionDenied {
    static code: string;
}
/** There is no such thing, or the user may not see it. */
export declare class NotFound extends SyncError {
    static code: string;
    static status: number;
}
/** The address does not know this method. */
export declare class MethodNotAllowed extends SyncError {
    static code: string;
    static status: number;
}
/** The server cannot answer in the form asked for. */
export declare class NotAcceptable extends SyncError {
    static code: string;
    static status: number;
}
/** The id is taken. */
export declare class AlreadyExists extends SyncError {
    static code: string;
    static status: number;
}
/** The cursor's place in the feed is gone: a snapshot follows. */
export declare class CursorExpired extends SyncError {
    static code: string;
    static status: number;
}
/** The object has changed meanwhile. */
export declare class RevisionConflict extends SyncError {
    static code: string;
    static status: number;
}
/** The request is larger than the server takes. */
export declare class TooLarge extends SyncError {
    static code: string;
    static status: number;
}
/** The server does not read this kind of body. */
export declare class UnsupportedMediaType extends SyncError {
    static code: string;
    static status: number;
}
/** Values are refused; `problem.errors` says which and why. */
export declare class ValidationFailed extends SyncError {
    static code: string;
    static status: number;
}
/** A field that clients may not write. */
export declare class FieldNotWritable extends SyncError {
    static code: string;
    static status: number;
}
/** A mutation's id was used for another one. */
export declare class MutationIdReused extends SyncError {
    static code: string;
    static status: number;
}
/** A mutation that is older than what the server remembers. */
export declare class MutationExpired extends SyncError {
    static code: string;
    static status: number;
}
/** A mutation that another one stands on has failed. */
export declare class DependencyFailed extends SyncError {
    static code: string;
    static status: number;
}
/** This program is too old for the server. */
export declare class UpgradeRequired extends SyncError {
    static code: string;
    static status: number;
}
/** A revision has to be named. */
export declare class PreconditionRequired extends SyncError {
    static code: string;
    static status: number;
}
/** Too many requests; `retryAfter` says when to come again. */
export declare class Throttled extends SyncError {
    static code: string;
    static status: number;
}
/** The server cannot serve now. */
export declare class Unavailable extends SyncError {
    static code: string;
    static status: number;
}
/** Raised by the client, never sent. */
export declare class ClientError extends SyncError {
    static code: string;
    static status: number;
}
/** The server cannot be reached, or what answered is not the server. */
export declare class Offline extends ClientError {
    static code: string;
}
/** A replica that was not in step in time. */
export declare class NotInStep extends ClientError {
    static code: string;
}
/** The store belongs to another server or user. */
export declare class StoreMismatch extends ClientError {
    static code: string;
}
/** The browser has no room left for the store. What failed to be written is not in it. */
export declare class StorageFull extends ClientError {
    static code: string;
}
/** The store was cleared by its user or by the browser, or cannot be opened. */
export declare class StorageLost extends ClientError {
    static code: string;
}
/** @type {ReadonlyMap<string, typeof SyncError>} */
export declare const BY_CODE: ReadonlyMap<string, typeof SyncError>;
/**
 * The error that a problem stands for; one of an unknown code is a plain `SyncError`.
 * @param {Problem} problem
 * @param {number | null} [retryAfter] seconds
 * @returns {SyncError}
 */
export declare function fromProblem(problem: Problem, retryAfter?: number | null): SyncError;

/**
 * The error of a problem; one of an unknown code is a plain `SyncError`.
 * @param {Problem} problem
 * @param {number | null} [retryAfter] seconds
 * @returns {SyncError}
 */
export function fromProblem(problem: Problem, retryAfter?: number | null): SyncError;
/**
 * Every error of the client, in one file: those that servers send, with the `code` of docs/errors.md,
 * and those of the client itself. This file does no I/O.
 */
/** @typedef {{type?: string, title?: string, status?: number, detail?: string, code?: string,
 *   errors?: Record<string, {code: string, detail: string}[]>, [member: string]: unknown}} Problem
 *   An RFC 9457 body, as the server sends it. */
/** Something went wrong in the sync: the root of all errors here. */
export class SyncError extends Error {
    static code: string;
    static status: number;
    /**
     * @internal
     * @param {string} [detail] plain words
     * @param {{retryAfter?: number | null, problem?: Problem | null, cause?: unknown}} [more]
     *   `retryAfter` in seconds, as the server asks
     */
    constructor(detail?: string, { retryAfter, problem, cause }?: {
        retryAfter?: number | null;
        problem?: Problem | null;
        cause?: unknown;
    });
    /** What it is, for programs; stays the same for ever. */
    code: string;
    /** HTTP's number; 0 for those of the client itself. */
    status: number;
    /** Seconds, where the server asks for them. */
    retryAfter: number | null;
    /** The server's RFC 9457 body, where there is one. */
    problem: Problem | null;
    /** What went wrong, in plain words. */
    get detail(): string;
}
/** The request is malformed. */
export class Invalid extends SyncError {
}
/** The cursor is not one of this server or of this user. */
export class InvalidCursor extends Invalid {
}
/** There is no such collection. */
export class UnknownCollection extends Invalid {
}
/** The server speaks another version of the protocol. */
export class UnsupportedProtocol extends Invalid {
}
/** The credentials are not taken. */
export class NotAuthenticated extends SyncError {
}
/** The user may not do that. */
export class PermissionDenied extends SyncError {
}
/** The client's id belongs to another user. */
export class ClientMismatch extends PermissionDenied {
}
/** The server has ended the session: another is opened when its user asks. */
export class SessionEnded extends SyncError {
}
/** The server has blocked the user or this client. */
export class Blocked extends SyncError {
}
/** There is no such thing, or the user may not see it. */
export class NotFound extends SyncError {
}
/** The address does not accept this method. */
export class MethodNotAllowed extends SyncError {
}
/** The server cannot answer in the form asked for. */
export class NotAcceptable extends SyncError {
}
/** The id is taken. */
export class AlreadyExists extends SyncError {
}
/** The cursor's place in the feed is gone: a snapshot follows. */
export class CursorExpired extends SyncError {
}
/** The object has changed meanwhile. */
export class RevisionConflict extends SyncError {
}
/** The request is larger than the server takes. */
export class TooLarge extends SyncError {
}
/** The server does not read this kind of body. */
export class UnsupportedMediaType extends SyncError {
}
/** Values are refused; `problem.errors` has which and why. */
export class ValidationFailed extends SyncError {
}
/** A field that clients may not write. */
export class FieldNotWritable extends SyncError {
}
/** A mutation's id was used for another one. */
export class MutationIdReused extends SyncError {
}
/** A mutation that is older than what the server remembers. */
export class MutationExpired extends SyncError {
}
/** A mutation that this one depends on has failed. */
export class DependencyFailed extends SyncError {
}
/** This program is too old for the server. */
export class UpgradeRequired extends SyncError {
}
/** A revision has to be named. */
export class PreconditionRequired extends SyncError {
}
/** Too many requests; after `retryAfter` seconds the server accepts more. */
export class Throttled extends SyncError {
}
/** The server cannot serve now. */
export class Unavailable extends SyncError {
}
/** Raised by the client, never sent. */
export class ClientError extends SyncError {
}
/** The server cannot be reached, or what answered is not the server. */
export class Offline extends ClientError {
}
/** Something answers that is no django_sync server: a portal that wants its user to sign in, or a wrong URL. */
export class Captive extends Offline {
}
/** A replica that was not in step in time. */
export class NotInStep extends ClientError {
}
/** The store belongs to another server or user. */
export class StoreMismatch extends ClientError {
}
/** The browser has no room left for the store. What failed to be written is not in it. */
export class StorageFull extends ClientError {
}
/** The browser, its user or the server does not do what was asked for. */
export class NotSupported extends ClientError {
}
/** The store was cleared by its user or by the browser, or cannot be opened. */
export class StorageLost extends ClientError {
}
/** @type {ReadonlyMap<string, typeof SyncError>} */
export const BY_CODE: ReadonlyMap<string, typeof SyncError>;
/**
 * An RFC 9457 body, as the server sends it.
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

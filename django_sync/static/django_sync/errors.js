/**
 * Every error of the client, in one file: those that servers send, with the `code` of docs/errors.md,
 * and those of the client itself. This file does no I/O.
 */

/** @typedef {{type?: string, title?: string, status?: number, detail?: string, code?: string,
 *   errors?: Record<string, {code: string, detail: string}[]>, [member: string]: unknown}} Problem
 *   An RFC 9457 body, as the server sends it. */

/** Something went wrong in the sync: the root of all errors here. */
export class SyncError extends Error {
  static code = "error";
  static status = 500;

  /**
   * @internal
   * @param {string} [detail] plain words
   * @param {{retryAfter?: number | null, problem?: Problem | null, cause?: unknown}} [more]
   *   `retryAfter` in seconds, as the server asks
   */
  constructor(detail = "", { retryAfter = null, problem = null, cause } = {}) {
    super(detail || new.target.name, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    /** What it is, for programs; stays the same for ever. */
    this.code = String(/** @type {typeof SyncError} */ (new.target).code);
    /** HTTP's number; 0 for those of the client itself. */
    this.status = /** @type {typeof SyncError} */ (new.target).status;
    /** Seconds, where the server asks for them. */
    this.retryAfter = retryAfter;
    /** The server's RFC 9457 body, where there is one. */
    this.problem = problem;
  }

  /** What went wrong, in plain words. */
  get detail() {
    return this.message;
  }
}

/** The request is malformed. */
export class Invalid extends SyncError {
  static code = "invalid";
  static status = 400;
}
/** The cursor is not one of this server or of this user. */
export class InvalidCursor extends Invalid {
  static code = "invalid_cursor";
}
/** There is no such collection. */
export class UnknownCollection extends Invalid {
  static code = "unknown_collection";
}
/** The server speaks another version of the protocol. */
export class UnsupportedProtocol extends Invalid {
  static code = "unsupported_protocol";
}
/** The credentials are not taken. */
export class NotAuthenticated extends SyncError {
  static code = "not_authenticated";
  static status = 401;
}
/** The user may not do that. */
export class PermissionDenied extends SyncError {
  static code = "permission_denied";
  static status = 403;
}
/** The client's id belongs to another user. */
export class ClientMismatch extends PermissionDenied {
  static code = "client_mismatch";
}
/** The server has ended the session: another is opened when its user asks. */
export class SessionEnded extends SyncError {
  static code = "session_ended";
  static status = 403;
}
/** The server has blocked the user or this client. */
export class Blocked extends SyncError {
  static code = "blocked";
  static status = 403;
}
/** There is no such thing, or the user may not see it. */
export class NotFound extends SyncError {
  static code = "not_found";
  static status = 404;
}
/** The address does not accept this method. */
export class MethodNotAllowed extends SyncError {
  static code = "method_not_allowed";
  static status = 405;
}
/** The server cannot answer in the form asked for. */
export class NotAcceptable extends SyncError {
  static code = "not_acceptable";
  static status = 406;
}
/** The id is taken. */
export class AlreadyExists extends SyncError {
  static code = "already_exists";
  static status = 409;
}
/** The cursor's place in the feed is gone: a snapshot follows. */
export class CursorExpired extends SyncError {
  static code = "cursor_expired";
  static status = 410;
}
/** The object has changed meanwhile. */
export class RevisionConflict extends SyncError {
  static code = "revision_conflict";
  static status = 412;
}
/** The request is larger than the server takes. */
export class TooLarge extends SyncError {
  static code = "too_large";
  static status = 413;
}
/** The server does not read this kind of body. */
export class UnsupportedMediaType extends SyncError {
  static code = "unsupported_media_type";
  static status = 415;
}
/** Values are refused; `problem.errors` has which and why. */
export class ValidationFailed extends SyncError {
  static code = "validation_failed";
  static status = 422;
}
/** A field that clients may not write. */
export class FieldNotWritable extends SyncError {
  static code = "field_not_writable";
  static status = 422;
}
/** A mutation's id was used for another one. */
export class MutationIdReused extends SyncError {
  static code = "mutation_id_reused";
  static status = 422;
}
/** A mutation that is older than what the server remembers. */
export class MutationExpired extends SyncError {
  static code = "mutation_expired";
  static status = 422;
}
/** A mutation that this one depends on has failed. */
export class DependencyFailed extends SyncError {
  static code = "dependency_failed";
  static status = 422;
}
/** This program is too old for the server. */
export class UpgradeRequired extends SyncError {
  static code = "upgrade_required";
  static status = 426;
}
/** A revision has to be named. */
export class PreconditionRequired extends SyncError {
  static code = "precondition_required";
  static status = 428;
}
/** Too many requests; after `retryAfter` seconds the server accepts more. */
export class Throttled extends SyncError {
  static code = "throttled";
  static status = 429;
}
/** The server cannot serve now. */
export class Unavailable extends SyncError {
  static code = "unavailable";
  static status = 503;
}

/** Raised by the client, never sent. */
export class ClientError extends SyncError {
  static code = "client_error";
  static status = 0;
}
/** The server cannot be reached, or what answered is not the server. */
export class Offline extends ClientError {
  static code = "offline";
}
/** Something answers that is no django_sync server: a portal that wants its user to sign in, or a wrong URL. */
export class Captive extends Offline {
  static code = "captive";
}
/** A replica that was not in step in time. */
export class NotInStep extends ClientError {
  static code = "not_in_step";
}
/** The store belongs to another server or user. */
export class StoreMismatch extends ClientError {
  static code = "store_mismatch";
}
/** The browser has no room left for the store. What failed to be written is not in it. */
export class StorageFull extends ClientError {
  static code = "storage_full";
}
/** The browser, its user or the server does not do what was asked for. */
export class NotSupported extends ClientError {
  static code = "not_supported";
}
/** The store was cleared by its user or by the browser, or cannot be opened. */
export class StorageLost extends ClientError {
  static code = "storage_lost";
}

/** @type {ReadonlyMap<string, typeof SyncError>} */
export const BY_CODE = new Map(
  [
    Invalid, InvalidCursor, UnknownCollection, UnsupportedProtocol, NotAuthenticated,
    PermissionDenied, ClientMismatch, SessionEnded, Blocked, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists,
    CursorExpired, RevisionConflict, TooLarge, UnsupportedMediaType, ValidationFailed,
    FieldNotWritable, MutationIdReused, MutationExpired, DependencyFailed, UpgradeRequired,
    PreconditionRequired, Throttled, Unavailable,
  ].map((kind) => [kind.code, kind]),
);

/**
 * The error of a problem; one of an unknown code is a plain `SyncError`.
 * @param {Problem} problem
 * @param {number | null} [retryAfter] seconds
 * @returns {SyncError}
 */
export function fromProblem(problem, retryAfter = null) {
  const code = String(problem.code ?? "error");
  const Kind = BY_CODE.get(code) ?? SyncError;
  const error = new Kind(String(problem.detail ?? problem.title ?? code), { retryAfter, problem });
  error.code = code;
  return error;
}

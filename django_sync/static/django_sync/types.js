/** The values that the client returns. None of them writes anything. */

import { fromProblem } from "./errors.js";
import { deepFreeze, isEqual } from "./store/encoding.js";

/** @import { Problem } from "./errors.js" */
/** @import { Fields } from "./store/encoding.js" */
/** @import { Row } from "./store/tables.js" */

/** One object as the user sees it: the server's record with local edits on top. Frozen. */
export class Record {
  /**
   * @internal
   * @param {string} collection its name
   * @param {string} id the object's UUID, the same on every replica
   * @param {number} revision the server's; 0 where the server has none yet
   * @param {string | null} scope the server's; `null` where it has none yet
   * @param {Fields} object
   * @param {boolean} [pending]
   */
  constructor(collection, id, revision, scope, object, pending = false) {
    this.collection = collection;
    this.id = id;
    this.revision = revision;
    this.scope = scope;
    /** The fields by name. */
    this.object = deepFreeze(object);
    /** Whether a local edit waits on it: for the server's answer, or for a decision. */
    this.pending = pending;
    Object.freeze(this);
  }

  /**
   * Whether a user would see no difference: same fields, and no other scope.
   * @param {Record} other
   * @returns {boolean}
   */
  looksLike(other) {
    const scoped = this.scope !== null && other.scope !== null;
    return (!scoped || this.scope === other.scope) && isEqual(this.object, other.object);
  }
}

/**
 * @typedef {object} Mutation A local change on its way to the server.
 * @property {number} seq its place in the outbox
 * @property {string} id a UUID
 * @property {"create" | "update" | "delete"} op
 * @property {string} collection
 * @property {string} objectId
 * @property {Fields} fields only what changed
 * @property {number | null} baseRevision the revision that the user knew; 0 where none
 * @property {string | null} epoch of that revision
 * @property {Fields | null} base the fields' values that the user knew
 * @property {string} at ISO 8601
 * @property {"new" | "sent" | "aborted" | "conflict" | "settled"} state `new` was never sent and may
 *   still be merged with a later one; `sent` is under way, or its result was lost; `aborted` was not
 *   applied because another failed: both go out again as they are
 */

/**
 * A mutation without what only the store needs.
 * @param {Row} row
 * @returns {Mutation}
 */
export function mutationOf(row) {
  const { seq, id, op, collection, objectId, fields, baseRevision, epoch, base, at, state } = row;
  return { seq, id, op, collection, objectId, fields, baseRevision, epoch, base, at, state };
}

/**
 * @typedef {object} Change One change of what the user sees; handlers get it after its commit to the store.
 * @property {"created" | "updated" | "deleted"} kind
 * @property {string} collection
 * @property {string} id
 * @property {Record | null} record what is there now
 * @property {Record | null} before what was there
 * @property {"local" | "remote"} origin
 */

/** A mutation that the server refused for good; the record is back at the server's state. */
export class Rejection {
  /**
   * @internal
   * @param {Mutation} mutation what was asked for
   * @param {Problem} problem the server's RFC 9457 body
   */
  constructor(mutation, problem) {
    this.mutation = mutation;
    this.problem = problem;
  }

  /** The same as one of `errors`. */
  get error() {
    return fromProblem(this.problem);
  }
}

/**
 * @typedef {object} Status What the client knows about its sync.
 * @property {import("./link/states.js").State} link the link's state, as docs/reference/link.md lists them
 * @property {"unknown" | "online" | "offline"} network
 * @property {import("./link/transports.js").Transport | null} transport how changes come while it is live
 * @property {number} pending mutations without a final result
 * @property {number} conflicts those that wait for a decision
 * @property {{done: number, total: number} | null} progress of a snapshot; `total` may be an estimate
 * @property {Date | null} retryAt when the link tries again
 * @property {import("./errors.js").SyncError | null} problem what ended the last exchange
 * @property {import("./net/network_state.js").NetworkState} networkState what is known of the network
 * @property {boolean} leads whether this tab holds the link; where not, another tab does
 */

/** What one exchange did. */
export class Counts {
  /** Mutations that were answered. */
  sent = 0;
  /** Of these: carried out. */
  applied = 0;
  /** Applied, after a resolver has settled an overlap with another's change. */
  merged = 0;
  /** Conflicts, which wait for a decision. */
  conflicts = 0;
  /** Refused for good. */
  rejected = 0;
  /** Not carried out, because another one failed; they are sent again. */
  aborted = 0;
  /** Pages that were pulled. */
  pages = 0;
  /** Changes in them. */
  changes = 0;
}

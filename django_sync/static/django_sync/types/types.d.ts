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
export function mutationOf(row: Row): Mutation;
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
    constructor(collection: string, id: string, revision: number, scope: string | null, object: Fields, pending?: boolean);
    collection: string;
    id: string;
    revision: number;
    scope: string | null;
    /** The fields by name. */
    object: Fields;
    /** Whether a local edit waits on it: for the server's answer, or for a decision. */
    pending: boolean;
    /**
     * Whether a user would see no difference: same fields, and no other scope.
     * @param {Record} other
     * @returns {boolean}
     */
    looksLike(other: Record): boolean;
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
    constructor(mutation: Mutation, problem: Problem);
    mutation: Mutation;
    problem: Problem;
    /** The same as one of `errors`. */
    get error(): import("./errors.js").SyncError;
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
    sent: number;
    /** Of these: carried out. */
    applied: number;
    /** Applied, after a resolver has settled an overlap with another's change. */
    merged: number;
    /** Conflicts, which wait for a decision. */
    conflicts: number;
    /** Refused for good. */
    rejected: number;
    /** Not carried out, because another one failed; they are sent again. */
    aborted: number;
    /** Pages that were pulled. */
    pages: number;
    /** Changes in them. */
    changes: number;
}
/**
 * A local change on its way to the server.
 */
export type Mutation = {
    /**
     * its place in the outbox
     */
    seq: number;
    /**
     * a UUID
     */
    id: string;
    op: "create" | "update" | "delete";
    collection: string;
    objectId: string;
    /**
     * only what changed
     */
    fields: Fields;
    /**
     * the revision that the user knew; 0 where none
     */
    baseRevision: number | null;
    /**
     * of that revision
     */
    epoch: string | null;
    /**
     * the fields' values that the user knew
     */
    base: Fields | null;
    /**
     * ISO 8601
     */
    at: string;
    /**
     * `new` was never sent and may
     * still be merged with a later one; `sent` is under way, or its result was lost; `aborted` was not
     * applied because another failed: both go out again as they are
     */
    state: "new" | "sent" | "aborted" | "conflict" | "settled";
};
/**
 * One change of what the user sees; handlers get it after its commit to the store.
 */
export type Change = {
    kind: "created" | "updated" | "deleted";
    collection: string;
    id: string;
    /**
     * what is there now
     */
    record: Record | null;
    /**
     * what was there
     */
    before: Record | null;
    origin: "local" | "remote";
};
/**
 * What the client knows about its sync.
 */
export type Status = {
    /**
     * the link's state, as docs/reference/link.md lists them
     */
    link: import("./link/states.js").State;
    network: "unknown" | "online" | "offline";
    /**
     * how changes come while it is live
     */
    transport: import("./link/transports.js").Transport | null;
    /**
     * mutations without a final result
     */
    pending: number;
    /**
     * those that wait for a decision
     */
    conflicts: number;
    /**
     * of a snapshot; `total` may be an estimate
     */
    progress: {
        done: number;
        total: number;
    } | null;
    /**
     * when the link tries again
     */
    retryAt: Date | null;
    /**
     * what ended the last exchange
     */
    problem: import("./errors.js").SyncError | null;
    /**
     * what is known of the network
     */
    networkState: import("./net/network_state.js").NetworkState;
    /**
     * whether this tab holds the link; where not, another tab does
     */
    leads: boolean;
};
import type { Row } from "./store/tables.js";
import type { Fields } from "./store/encoding.js";
import type { Problem } from "./errors.js";

/**
 * What a server says over a socket or a stream, read leniently. Pure.
 *
 * An unknown kind of frame, of a newer server, is skipped with a word. One that cannot be read at
 * all is another matter: it may have been changes, and on one connection none may be missing, so it
 * is `Offline`, which ends the connection.
 */
import * as errors from "./errors.js";
import type { Fields } from "./encoding.js";
import type { Page } from "./pages.js";
export type Welcome = {
    type: "welcome";
    epoch: string;
    heartbeat: number | null;
};
export type Changes = {
    type: "changes";
    page: Page;
};
export type Cursor = {
    type: "cursor";
    cursor: string;
};
export type Results = {
    type: "results";
    ref: string;
    body: Fields;
};
export type Pong = {
    type: "pong";
};
export type Switch = {
    type: "switch";
    transport: string;
    retryAfter: number | null;
};
export type Failure = {
    type: "error";
    ref: string | null;
    error: errors.SyncError;
};
export type Frame = Welcome | Changes | Cursor | Results | Pong | Switch | Failure;
/** @import { Fields } from "./encoding.js" */
/** @import { Page } from "./pages.js" */
/**
 * @typedef {{type: "welcome", epoch: string, heartbeat: number | null}} Welcome
 * @typedef {{type: "changes", page: Page}} Changes a page without its cursor, which follows
 * @typedef {{type: "cursor", cursor: string}} Cursor stands for all changes before it
 * @typedef {{type: "results", ref: string, body: Fields}} Results
 * @typedef {{type: "pong"}} Pong
 * @typedef {{type: "switch", transport: string, retryAfter: number | null}} Switch
 * @typedef {{type: "error", ref: string | null, error: errors.SyncError}} Failure
 * @typedef {Welcome | Changes | Cursor | Results | Pong | Switch | Failure} Frame
 */
/**
 * A frame's JSON.
 * @param {unknown} text
 * @returns {Fields}
 */
export declare function parseFrame(text: unknown): Fields;
/**
 * Read a frame; `null` for a kind that this version does not know.
 * @param {Fields} body
 * @returns {Frame | null}
 */
export declare function readFrame(body: Fields): Frame | null;
/** A number of seconds above zero, else `null`. @param {unknown} value */
export declare function seconds(value: unknown): number | null;
/**
 * What a socket's close code says, as the error that HTTP would have answered with.
 * @param {number} code
 * @param {string} reason
 */
export declare function ending(code: number, reason: string): errors.SyncError;

/** @import { Fields } from "./encoding.js" */
/** @import { Page } from "./pages.js" */
/**
 * @typedef {{type: "welcome", epoch: string, heartbeat: number | null, window: number | null}} Welcome
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
export function parseFrame(text: unknown): Fields;
/**
 * Read a frame; `null` for a kind that this version does not know.
 * @param {Fields} body
 * @returns {Frame | null}
 */
export function readFrame(body: Fields): Frame | null;
/** A number of seconds above zero, else `null`. @param {unknown} value */
export function seconds(value: unknown): number | null;
/**
 * What a socket's close code says, as the error that HTTP would have answered with.
 * @param {number} code
 * @param {string} reason
 */
export function ending(code: number, reason: string): errors.SyncError;
export type Welcome = {
    type: "welcome";
    epoch: string;
    heartbeat: number | null;
    window: number | null;
};
/**
 * a page without its cursor, which follows
 */
export type Changes = {
    type: "changes";
    page: Page;
};
/**
 * stands for all changes before it
 */
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
import type { Fields } from "./encoding.js";
import * as errors from "./errors.js";
import type { Page } from "./pages.js";

/**
 * Read a pull's answer; throws `Captive` where it is none of a django_sync server.
 * @param {any} body
 * @returns {Page}
 */
export function readPage(body: any): Page;
/** @param {unknown} value @returns {value is string} */
export function isText(value: unknown): value is string;
/** @param {unknown} value @returns {value is {[name: string]: any}} */
export function isObject(value: unknown): value is {
    [name: string]: any;
};
export type Put = {
    op: "put";
    collection: string;
    id: string;
    revision: number;
    scope: string;
    object: Fields;
};
export type Delete = {
    op: "delete";
    collection: string;
    id: string;
    revision: number;
};
export type Remove = {
    op: "remove";
    collection: string;
    id: string;
};
export type Drop = {
    op: "drop";
    collection: string;
    scope: string;
};
export type Begin = {
    op: "begin";
    collection: string;
};
export type WireChange = Put | Delete | Remove | Drop | Begin;
export type Page = {
    changes: WireChange[];
    cursor: string;
    hasMore: boolean;
    epoch: string;
    snapshot: {
        done: number;
        total: number;
    } | null;
};
import type { Fields } from "./encoding.js";

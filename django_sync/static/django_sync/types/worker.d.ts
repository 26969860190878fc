/** @typedef {Enabled & {store: string}} StoredPush What a client keeps of its push; `store` is its name. */
/**
 * @typedef {object} Options
 * @property {(push: StoredPush) => Promise<SyncClient>} [open] opens the client of a store; with the
 *   browser's session cookie without it
 * @property {(push: StoredPush, changes: number | null) => Notify | null} [notification] what is shown,
 *   `null` for nothing; `changes` is how many came in, `null` where they could not be fetched
 */
/**
 * Handle `push`, `pushsubscriptionchange`, `notificationclick` and `sync`.
 * @param {any} scope the worker's global scope
 * @param {Options} [options]
 */
export function handlePush(scope: any, options?: Options): void;
/**
 * What a client keeps of its push; `store` is its name.
 */
export type StoredPush = Enabled & {
    store: string;
};
export type Options = {
    /**
     * opens the client of a store; with the
     * browser's session cookie without it
     */
    open?: ((push: StoredPush) => Promise<SyncClient>) | undefined;
    /**
     * what is shown,
     * `null` for nothing; `changes` is how many came in, `null` where they could not be fetched
     */
    notification?: ((push: StoredPush, changes: number | null) => Notify | null) | undefined;
};
import type { Enabled } from "./link/push_registration.js";
import { SyncClient } from "./client.js";
import type { Notify } from "./link/push_registration.js";

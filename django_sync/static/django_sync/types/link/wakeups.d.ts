/**
 * The state in which a wake-up comes.
 * @param {string} link the link's state
 * @param {NetworkState} network
 * @param {boolean} fed while live, news comes by itself
 * @returns {State}
 */
export function stateOf(link: string, { type, reachability, metered, foreground }: NetworkState, fed: boolean): State;
/** @typedef {{session: string, collections: string[]}} WakeUp Both are hints, and empty where it has none. */
/**
 * Read a wake-up, as JSON or already decoded; `null` where it is none, whatever it is.
 * @param {unknown} payload
 * @returns {WakeUp | null}
 */
export function readWakeUp(payload: unknown): WakeUp | null;
/**
 * Whether one of these collections may have become another; of whichever session it is, for a late
 * wake-up names one that has ended.
 * @param {WakeUp} wakeUp
 * @param {readonly string[]} names
 */
export function concerns({ collections }: WakeUp, names: readonly string[]): boolean;
/** @import { NetworkState } from "../net/network_state.js" */
/**
 * @typedef {"stopped" | "barred" | "gone" | "captive" | "unreachable" | "put_off" | "under_way" | "fed" | "dear" | "asking"} State
 * `stopped`: The link is stopped: nothing is fetched unless the page calls `sync()`.
 * `barred`: The link waits for its user: other credentials, another program.
 * `gone`: The browser reports that there is no network.
 * `captive`: A portal answers in the server's place. A push may come through all the same.
 * `unreachable`: The server did not answer when it was asked last.
 * `put_off`: The server is busy and has set when to ask again, or gets time to recover.
 * `under_way`: An exchange is under way.
 * `fed`: News comes by itself: over a socket or stream, or a held request.
 * `dear`: It polls rarely: each request costs money, and the user does not look.
 * `asking`: It polls.
 */
/**
 * @typedef {"woken" | "again" | "waits"} Event
 * `woken`: A wake-up comes, and no other is remembered.
 * `again`: A wake-up comes while another is remembered.
 * `waits`: One is remembered, and the loop checks what to do next.
 */
/**
 * @typedef {"fetch" | "remember" | "after" | "trust" | "later"} Act
 * `fetch`: Make an exchange; those that wake-ups ask for begin `Pace.shortest` apart at least.
 * `remember`: Nothing now: the next exchange, whatever it is made for, sees to it.
 * `after`: Let the exchange go on; if it asked too early, another one follows.
 * `trust`: Nothing: what is new comes by itself. It is remembered until the connection receives something.
 * `later`: At the next poll; or at once when the user looks, or the network costs nothing.
 */
/** @type {Readonly<Record<State, Readonly<Record<Event, Act>>>>} */
export const TABLE: Readonly<Record<State, Readonly<Record<Event, Act>>>>;
/**
 * Both are hints, and empty where it has none.
 */
export type WakeUp = {
    session: string;
    collections: string[];
};
/**
 * `stopped`: The link is stopped: nothing is fetched unless the page calls `sync()`.
 * `barred`: The link waits for its user: other credentials, another program.
 * `gone`: The browser reports that there is no network.
 * `captive`: A portal answers in the server's place. A push may come through all the same.
 * `unreachable`: The server did not answer when it was asked last.
 * `put_off`: The server is busy and has set when to ask again, or gets time to recover.
 * `under_way`: An exchange is under way.
 * `fed`: News comes by itself: over a socket or stream, or a held request.
 * `dear`: It polls rarely: each request costs money, and the user does not look.
 * `asking`: It polls.
 */
export type State = "stopped" | "barred" | "gone" | "captive" | "unreachable" | "put_off" | "under_way" | "fed" | "dear" | "asking";
/**
 * `woken`: A wake-up comes, and no other is remembered.
 * `again`: A wake-up comes while another is remembered.
 * `waits`: One is remembered, and the loop checks what to do next.
 */
export type Event = "woken" | "again" | "waits";
/**
 * `fetch`: Make an exchange; those that wake-ups ask for begin `Pace.shortest` apart at least.
 * `remember`: Nothing now: the next exchange, whatever it is made for, sees to it.
 * `after`: Let the exchange go on; if it asked too early, another one follows.
 * `trust`: Nothing: what is new comes by itself. It is remembered until the connection receives something.
 * `later`: At the next poll; or at once when the user looks, or the network costs nothing.
 */
export type Act = "fetch" | "remember" | "after" | "trust" | "later";
import type { NetworkState } from "../net/network_state.js";

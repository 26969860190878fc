/**
 * What a wake-up does, as one table of state x event. Pure: no I/O, no timers, no clock.
 *
 * A wake-up means that something is new and carries no data; it may come twice, late, or never.
 * `stateOf()` is the state in which one comes. The link's loop acts on the table; `store/wakeup_store.js`
 * stores wake-ups until something was fetched. The Python client has the same table:
 * tests/vectors/wakeups.json checks both, docs/reference/wake-ups.md draws it.
 */

import { isObject, isText } from "../store/encoding.js";

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
export const TABLE = Object.freeze({
  stopped: { woken: "remember", again: "remember", waits: "remember" },
  barred: { woken: "remember", again: "remember", waits: "remember" },
  gone: { woken: "remember", again: "remember", waits: "remember" },
  captive: { woken: "remember", again: "remember", waits: "remember" },
  unreachable: { woken: "fetch", again: "remember", waits: "remember" },
  put_off: { woken: "remember", again: "remember", waits: "remember" },
  under_way: { woken: "after", again: "after", waits: "after" },
  fed: { woken: "trust", again: "trust", waits: "trust" },
  dear: { woken: "later", again: "later", waits: "later" },
  asking: { woken: "fetch", again: "fetch", waits: "fetch" },
});

/** @type {Readonly<Record<string, State>>} */
const BY_LINK = { stopped: "stopped", connecting: "under_way", catching_up: "under_way", backing_off: "put_off" };

/**
 * The state in which a wake-up comes.
 * @param {string} link the link's state
 * @param {NetworkState} network
 * @param {boolean} fed while live, news comes by itself
 * @returns {State}
 */
export function stateOf(link, { type, reachability, metered, foreground }, fed) {
  const known = BY_LINK[link];
  if (known !== undefined) return known;
  if (link !== "live" && link !== "offline") return "barred";
  if (type === "none") return "gone";
  if (link === "offline") return reachability === "captive" ? "captive" : "unreachable";
  if (fed) return "fed";
  return metered && !foreground ? "dear" : "asking";
}

/** @typedef {{session: string, collections: string[]}} WakeUp Both are hints, and empty where it has none. */

/**
 * Read a wake-up, as JSON or already decoded; `null` where it is none, whatever it is.
 * @param {unknown} payload
 * @returns {WakeUp | null}
 */
export function readWakeUp(payload) {
  let decoded = payload;
  if (isText(decoded)) {
    try {
      decoded = JSON.parse(decoded);
    } catch {
      return null;
    }
  }
  if (!isObject(decoded) || decoded.type !== "sync") return null;
  const { session, collections } = decoded;
  return {
    session: isText(session) ? session : "",
    collections: Array.isArray(collections) ? collections.filter(isText) : [],
  };
}

/**
 * Whether one of these collections may have become another; of whichever session it is, for a late
 * wake-up names one that has ended.
 * @param {WakeUp} wakeUp
 * @param {readonly string[]} names
 */
export function concerns({ collections }, names) {
  return collections.length === 0 || collections.some((name) => names.includes(name));
}

/**
 * The link's states, as one table of state x event. Pure: no I/O, no timers, no clock.
 *
 * `link/background.js` acts on it: it feeds each event that happens, goes to the state that the table
 * names and does what the table says. Every pair is written, those where nothing is done too. It is
 * the Python client's table: tests/vectors/link.json holds both to it, docs/reference/link.md
 * draws it.
 */

import { Blocked, ClientMismatch, NotAuthenticated, Offline, SessionEnded, StoreMismatch, UnsupportedProtocol, UpgradeRequired } from "../errors.js";

/**
 * @typedef {"stopped" | "offline" | "connecting" | "catching_up" | "live" | "backing_off" | "auth_required" | "refused" | "ended" | "blocked"} State
 * `stopped`: Nothing goes on by itself.
 * `offline`: The server cannot be reached; tried again after a while, longer each time.
 * `connecting`: Asking, and not answered yet.
 * `catching_up`: The server answers; what was missed comes in.
 * `live`: In step; changes come as they are made, or at the next poll.
 * `backing_off`: The server is there but cannot serve; asked again at `retryAt`, not before.
 * `auth_required`: The credentials are not taken. Waits for others.
 * `refused`: This client may not speak with this server: too old, or another user's store.
 * `ended`: The server has ended the session. Another is opened when its user asks: by `start()`.
 * `blocked`: The server has blocked the user or this client. Asked again when its user asks.
 */

/**
 * @typedef {"start" | "stop" | "due" | "wrote" | "reachable" | "answered" | "behind" | "synced" | "unreachable" | "busy" | "unauthorized" | "refused" | "ended" | "blocked"} Event
 * `start`: `start()` was called.
 * `stop`: `stop()` or `close()` was called.
 * `due`: A wait has ended.
 * `wrote`: Something local waits to be sent.
 * `reachable`: The browser says that the network is back, the page is looked at again, or a `sync()` came through.
 * `answered`: The server has answered a request.
 * `behind`: A page was applied, and more is to come.
 * `synced`: A complete exchange has ended, or the catch-up of a socket or stream.
 * `unreachable`: No answer, or none of the server's; or the browser says that the network is gone.
 * `busy`: The server is too busy, or fails.
 * `unauthorized`: 401, and renewing the credentials did not help.
 * `refused`: Upgrade required, another protocol, another user's store.
 * `ended`: The server says that it has ended the session.
 * `blocked`: The server says that the user or this client is blocked.
 */

/**
 * @typedef {"go on" | "exchange" | "send" | "listen" | "wait" | "rest" | "end"} Act
 * `go on`: With what is being done, or waited for.
 * `exchange`: Send the outbox and pull, at once.
 * `send`: Send the outbox, at once; pull as well, unless a socket or stream brings what is new.
 * `listen`: Wait for news: from a socket or stream, a held request, or the time of the next poll.
 * `wait`: Wait until `retryAt`.
 * `rest`: Wait until told otherwise.
 * `end`: The loop ends.
 */

/** @typedef {readonly [to: State, act: Act]} Move Where an event leads, and what is done there. */

/** @type {Readonly<Record<State, Readonly<Record<Event, Move>>>>} */
export const TABLE = Object.freeze({
  stopped: {
    start: ["connecting", "exchange"],
    stop: ["stopped", "go on"],
    due: ["stopped", "go on"],
    wrote: ["stopped", "go on"],
    reachable: ["stopped", "go on"],
    answered: ["stopped", "go on"],
    behind: ["stopped", "go on"],
    synced: ["stopped", "go on"],
    unreachable: ["stopped", "go on"],
    busy: ["stopped", "go on"],
    unauthorized: ["stopped", "go on"],
    refused: ["stopped", "go on"],
    ended: ["stopped", "go on"],
    blocked: ["stopped", "go on"],
  },
  offline: {
    start: ["connecting", "exchange"],
    stop: ["stopped", "end"],
    due: ["connecting", "exchange"],
    wrote: ["offline", "go on"],
    reachable: ["connecting", "exchange"],
    answered: ["offline", "go on"],
    behind: ["offline", "go on"],
    synced: ["offline", "go on"],
    unreachable: ["offline", "go on"],
    busy: ["offline", "go on"],
    unauthorized: ["offline", "go on"],
    refused: ["offline", "go on"],
    ended: ["offline", "go on"],
    blocked: ["offline", "go on"],
  },
  connecting: {
    start: ["connecting", "go on"],
    stop: ["stopped", "end"],
    due: ["connecting", "exchange"],
    wrote: ["connecting", "go on"],
    reachable: ["connecting", "go on"],
    answered: ["catching_up", "go on"],
    behind: ["catching_up", "go on"],
    synced: ["live", "listen"],
    unreachable: ["offline", "wait"],
    busy: ["backing_off", "wait"],
    unauthorized: ["auth_required", "rest"],
    refused: ["refused", "rest"],
    ended: ["ended", "rest"],
    blocked: ["blocked", "rest"],
  },
  catching_up: {
    start: ["catching_up", "go on"],
    stop: ["stopped", "end"],
    due: ["catching_up", "exchange"],
    wrote: ["catching_up", "send"],
    reachable: ["catching_up", "go on"],
    answered: ["catching_up", "go on"],
    behind: ["catching_up", "go on"],
    synced: ["live", "listen"],
    unreachable: ["offline", "wait"],
    busy: ["backing_off", "wait"],
    unauthorized: ["auth_required", "rest"],
    refused: ["refused", "rest"],
    ended: ["ended", "rest"],
    blocked: ["blocked", "rest"],
  },
  live: {
    start: ["live", "exchange"],
    stop: ["stopped", "end"],
    due: ["live", "exchange"],
    wrote: ["live", "send"],
    reachable: ["live", "exchange"],
    answered: ["live", "go on"],
    behind: ["catching_up", "go on"],
    synced: ["live", "listen"],
    unreachable: ["offline", "wait"],
    busy: ["backing_off", "wait"],
    unauthorized: ["auth_required", "rest"],
    refused: ["refused", "rest"],
    ended: ["ended", "rest"],
    blocked: ["blocked", "rest"],
  },
  backing_off: {
    start: ["backing_off", "go on"],
    stop: ["stopped", "end"],
    due: ["connecting", "exchange"],
    wrote: ["backing_off", "go on"],
    reachable: ["backing_off", "go on"],
    answered: ["backing_off", "go on"],
    behind: ["backing_off", "go on"],
    synced: ["backing_off", "go on"],
    unreachable: ["backing_off", "go on"],
    busy: ["backing_off", "go on"],
    unauthorized: ["backing_off", "go on"],
    refused: ["backing_off", "go on"],
    ended: ["backing_off", "go on"],
    blocked: ["backing_off", "go on"],
  },
  auth_required: {
    start: ["connecting", "exchange"],
    stop: ["stopped", "end"],
    due: ["auth_required", "go on"],
    wrote: ["auth_required", "go on"],
    reachable: ["connecting", "exchange"],
    answered: ["auth_required", "go on"],
    behind: ["auth_required", "go on"],
    synced: ["auth_required", "go on"],
    unreachable: ["auth_required", "go on"],
    busy: ["auth_required", "go on"],
    unauthorized: ["auth_required", "go on"],
    refused: ["auth_required", "go on"],
    ended: ["auth_required", "go on"],
    blocked: ["auth_required", "go on"],
  },
  refused: {
    start: ["connecting", "exchange"],
    stop: ["stopped", "end"],
    due: ["refused", "go on"],
    wrote: ["refused", "go on"],
    reachable: ["refused", "go on"],
    answered: ["refused", "go on"],
    behind: ["refused", "go on"],
    synced: ["refused", "go on"],
    unreachable: ["refused", "go on"],
    busy: ["refused", "go on"],
    unauthorized: ["refused", "go on"],
    refused: ["refused", "go on"],
    ended: ["refused", "go on"],
    blocked: ["refused", "go on"],
  },
  ended: {
    start: ["connecting", "exchange"],
    stop: ["stopped", "end"],
    due: ["ended", "go on"],
    wrote: ["ended", "go on"],
    reachable: ["ended", "go on"],
    answered: ["ended", "go on"],
    behind: ["ended", "go on"],
    synced: ["ended", "go on"],
    unreachable: ["ended", "go on"],
    busy: ["ended", "go on"],
    unauthorized: ["ended", "go on"],
    refused: ["ended", "go on"],
    ended: ["ended", "go on"],
    blocked: ["ended", "go on"],
  },
  blocked: {
    start: ["connecting", "exchange"],
    stop: ["stopped", "end"],
    due: ["blocked", "go on"],
    wrote: ["blocked", "go on"],
    reachable: ["blocked", "go on"],
    answered: ["blocked", "go on"],
    behind: ["blocked", "go on"],
    synced: ["blocked", "go on"],
    unreachable: ["blocked", "go on"],
    busy: ["blocked", "go on"],
    unauthorized: ["blocked", "go on"],
    refused: ["blocked", "go on"],
    ended: ["blocked", "go on"],
    blocked: ["blocked", "go on"],
  },
});

/**
 * Where `event` leads from `state`.
 * @param {State} state
 * @param {Event} event
 * @returns {Move}
 */
export function move(state, event) {
  return TABLE[state][event];
}

/**
 * The event that an exchange's failure is. What an update of the program or other credentials must
 * mend rests until then, what the server has ended or blocked until its user asks; all else may pass by itself, so it is tried again.
 * @param {unknown} error
 * @returns {Event}
 */
export function outcome(error) {
  if (error instanceof Offline) return "unreachable";
  if (error instanceof NotAuthenticated) return "unauthorized";
  if (error instanceof SessionEnded) return "ended";
  if (error instanceof Blocked) return "blocked";
  const refusals = [UpgradeRequired, UnsupportedProtocol, StoreMismatch, ClientMismatch];
  return refusals.some((kind) => error instanceof kind) ? "refused" : "busy";
}

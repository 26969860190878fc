/**
 * The link's states, as one table of state x event. Pure: no I/O, no timers, no clock.
 *
 * `link/background.js` feeds each event into it, goes to the state that the table names and does
 * what the table says. The table lists only what moves: where an event is not listed, the link stays
 * in its state and goes on. The Python client has the same table: tests/vectors/link.json checks
 * both, docs/reference/link.md draws it.
 */

import { Blocked, ClientMismatch, NotAuthenticated, Offline, SessionEnded, StoreMismatch, UnsupportedProtocol, UpgradeRequired } from "../errors.js";

/**
 * @typedef {"stopped" | "offline" | "connecting" | "catching_up" | "live" | "backing_off" | "auth_required" | "refused" | "ended" | "blocked"} State
 * `stopped`: The loop does not run.
 * `offline`: The server cannot be reached. The link tries again, after a longer wait each time.
 * `connecting`: A request is on its way and has no answer yet.
 * `catching_up`: The server answers, and the missed changes come in.
 * `live`: The replica is in step. Changes come as they are made, or at the next poll.
 * `backing_off`: The server answers but cannot serve. The link asks again at `retryAt`, not before.
 * `auth_required`: The server does not accept the credentials. The link waits for others.
 * `refused`: The server does not accept this client: it is too old, or the store is another user's.
 * `ended`: The server has ended the session. `start()` opens another.
 * `blocked`: The server has blocked the user or this client. `start()` asks again.
 */

/**
 * @typedef {"start" | "stop" | "due" | "wrote" | "reachable" | "answered" | "behind" | "synced" | "unreachable" | "busy" | "unauthorized" | "refused" | "ended" | "blocked"} Event
 * `start`: `start()` was called.
 * `stop`: `stop()` or `close()` was called.
 * `due`: A wait is over.
 * `wrote`: Something local waits to be sent.
 * `reachable`: The browser reports that the network is back, the user looks at the page again, or a `sync()` succeeded.
 * `answered`: The server has answered a request.
 * `behind`: A page was applied, and more pages follow.
 * `synced`: A complete exchange has ended, or the catch-up of a socket or stream.
 * `unreachable`: No answer came, or not from the server; or the browser reports that the network is gone.
 * `busy`: The server is too busy, or has failed.
 * `unauthorized`: 401, and renewing the credentials did not help.
 * `refused`: Upgrade required, another protocol, another user's store.
 * `ended`: The server has ended the session.
 * `blocked`: The server has blocked the user or this client.
 */

/**
 * @typedef {"go on" | "exchange" | "send" | "listen" | "wait" | "rest" | "end"} Act
 * `go on`: Continue with the current act.
 * `exchange`: Send the outbox and pull, at once.
 * `send`: Send the outbox, at once. Pull as well, unless a socket or stream brings the changes.
 * `listen`: Wait for news: from a socket or stream, a held request, or the time of the next poll.
 * `wait`: Wait until `retryAt`.
 * `rest`: Wait for an event.
 * `end`: The loop ends.
 */

/** @typedef {readonly [to: State, act: Act]} Move Where an event leads, and what is done there. */

/** @typedef {Readonly<Partial<Record<Event, Move>>>} Moves */

/** Of each state in which the loop runs and may ask the server. @type {Moves} */
const ASKING = Object.freeze({
  stop: ["stopped", "end"],
  unreachable: ["offline", "wait"],
  busy: ["backing_off", "wait"],
  unauthorized: ["auth_required", "rest"],
  refused: ["refused", "rest"],
  ended: ["ended", "rest"],
  blocked: ["blocked", "rest"],
  synced: ["live", "listen"],
});

/** Of each state that waits for its user. @type {Moves} */
const RESTING = Object.freeze({
  start: ["connecting", "exchange"],
  stop: ["stopped", "end"],
});

/** @type {Readonly<Record<State, Moves>>} */
export const TABLE = Object.freeze({
  stopped: {
    start: ["connecting", "exchange"],
  },
  offline: {
    start: ["connecting", "exchange"],
    stop: ["stopped", "end"],
    due: ["connecting", "exchange"],
    reachable: ["connecting", "exchange"],
  },
  connecting: {
    ...ASKING,
    due: ["connecting", "exchange"],
    answered: ["catching_up", "go on"],
    behind: ["catching_up", "go on"],
  },
  catching_up: {
    ...ASKING,
    due: ["catching_up", "exchange"],
    wrote: ["catching_up", "send"],
  },
  live: {
    ...ASKING,
    start: ["live", "exchange"],
    due: ["live", "exchange"],
    wrote: ["live", "send"],
    reachable: ["live", "exchange"],
    behind: ["catching_up", "go on"],
  },
  backing_off: {
    stop: ["stopped", "end"],
    due: ["connecting", "exchange"],
  },
  auth_required: {
    ...RESTING,
    reachable: ["connecting", "exchange"],
  },
  refused: RESTING,
  ended: RESTING,
  blocked: RESTING,
});

/**
 * Where `event` leads from `state`.
 * @param {State} state
 * @param {Event} event
 * @returns {Move}
 */
export function move(state, event) {
  return TABLE[state][event] ?? [state, "go on"];
}

/**
 * The event that a failed exchange is. Where only an update of the program, other credentials or the
 * user's own request helps, the link rests. Every other failure may pass by itself, so the link
 * tries again.
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

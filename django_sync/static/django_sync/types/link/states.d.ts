/**
 * Where `event` leads from `state`.
 * @param {State} state
 * @param {Event} event
 * @returns {Move}
 */
export function move(state: State, event: Event): Move;
/**
 * The event that an exchange's failure is. What an update of the program or other credentials must
 * mend rests until then, what the server has ended or blocked until its user asks; all else may pass by itself, so it is tried again.
 * @param {unknown} error
 * @returns {Event}
 */
export function outcome(error: unknown): Event;
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
export const TABLE: Readonly<Record<State, Readonly<Record<Event, Move>>>>;
/**
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
export type State = "stopped" | "offline" | "connecting" | "catching_up" | "live" | "backing_off" | "auth_required" | "refused" | "ended" | "blocked";
/**
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
export type Event = "start" | "stop" | "due" | "wrote" | "reachable" | "answered" | "behind" | "synced" | "unreachable" | "busy" | "unauthorized" | "refused" | "ended" | "blocked";
/**
 * `go on`: With what is being done, or waited for.
 * `exchange`: Send the outbox and pull, at once.
 * `send`: Send the outbox, at once; pull as well, unless a socket or stream brings what is new.
 * `listen`: Wait for news: from a socket or stream, a held request, or the time of the next poll.
 * `wait`: Wait until `retryAt`.
 * `rest`: Wait until told otherwise.
 * `end`: The loop ends.
 */
export type Act = "go on" | "exchange" | "send" | "listen" | "wait" | "rest" | "end";
/**
 * Where an event leads, and what is done there.
 */
export type Move = readonly [to: State, act: Act];

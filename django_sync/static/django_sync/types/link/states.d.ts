/**
 * Where `event` leads from `state`.
 * @param {State} state
 * @param {Event} event
 * @returns {Move}
 */
export function move(state: State, event: Event): Move;
/**
 * The event that a failed exchange is. Where only an update of the program, other credentials or the
 * user's own request helps, the link rests. Every other failure may pass by itself, so the link
 * tries again.
 * @param {unknown} error
 * @returns {Event}
 */
export function outcome(error: unknown): Event;
/** @type {Readonly<Record<State, Moves>>} */
export const TABLE: Readonly<Record<State, Moves>>;
/**
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
export type State = "stopped" | "offline" | "connecting" | "catching_up" | "live" | "backing_off" | "auth_required" | "refused" | "ended" | "blocked";
/**
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
export type Event = "start" | "stop" | "due" | "wrote" | "reachable" | "answered" | "behind" | "synced" | "unreachable" | "busy" | "unauthorized" | "refused" | "ended" | "blocked";
/**
 * `go on`: Continue with the current act.
 * `exchange`: Send the outbox and pull, at once.
 * `send`: Send the outbox, at once. Pull as well, unless a socket or stream brings the changes.
 * `listen`: Wait for news: from a socket or stream, a held request, or the time of the next poll.
 * `wait`: Wait until `retryAt`.
 * `rest`: Wait for an event.
 * `end`: The loop ends.
 */
export type Act = "go on" | "exchange" | "send" | "listen" | "wait" | "rest" | "end";
/**
 * Where an event leads, and what is done there.
 */
export type Move = readonly [to: State, act: Act];
export type Moves = Readonly<Partial<Record<Event, Move>>>;

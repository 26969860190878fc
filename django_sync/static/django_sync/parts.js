/** Makes the parts of one client and connects them. `client.js` is what a page sees of them. */

import { Backoff } from "./backoff.js";
import * as errors from "./errors.js";
import { Background } from "./link/background.js";
import { Exchange } from "./link/exchange.js";
import { Pace } from "./link/pace.js";
import { Push } from "./link/push.js";
import { PushRegistration } from "./link/push_registration.js";
import { StatusTracker } from "./link/status.js";
import { TabMessages } from "./link/tab_messages.js";
import { LADDER, TransportChoice } from "./link/transports.js";
import { WakeUpHandler } from "./link/wakeup_handler.js";
import { WakeupStore } from "./store/wakeup_store.js";
import { HttpClient } from "./net/http.js";
import { NetworkMonitor } from "./net/network_monitor.js";
import { differs } from "./net/network_state.js";
import { Observers } from "./observers.js";
import { Database } from "./store/database.js";
import { StoreOwner } from "./store/owner.js";
import { Replica } from "./store/replica.js";
import { Upkeep } from "./store/upkeep.js";
import { Waker } from "./waker.js";

/** @import { Options } from "./client.js" */
/** @import { NetworkState } from "./net/network_state.js" */
/** @import { Storage } from "./store/storage.js" */

/** A status's `network`, by what is known of the server. */
const NETWORK = /** @type {const} */ ({
  unknown: "unknown", reachable: "online", unreachable: "offline", captive: "offline",
});

/**
 * The parts of a client.
 * @param {string} url absolute
 * @param {Storage} storage
 * @param {Options} options
 * @param {() => void} stop is called when the user has signed out in another tab
 */
export function assemble(url, storage, options, stop) {
  const { auth = null, backoff = new Backoff() } = options;
  const names = Object.freeze([...new Set(options.collections)]);

  const db = new Database(storage.store, () => observers.reloadAll());
  const owner = new StoreOwner(db, url, auth);
  const replica = new Replica(db);
  const wakes = new WakeupStore(db);
  const upkeep = new Upkeep(db, names);
  const registration = new PushRegistration(db, { url, collections: names, user: auth?.identity ?? null });
  const status = new StatusTracker(db, (now) => {
    observers.callbacks.callStatus(now);
    tabs.sendStatus(now);
  });
  const observers = new Observers({ db, names, status, upkeep });

  const networkMonitor = new NetworkMonitor((state) => showNetwork(status, state));
  const httpClient = (/** @type {(error: errors.SyncError | null) => void} */ onAnswer) => {
    const onRoundTrip = (/** @type {number} */ seconds) => networkMonitor.recordRoundTrip(seconds);
    return new HttpClient(url, auth, { fetch: options.fetch, timeout: options.timeout, onAnswer, onRoundTrip });
  };
  const exchangeOver = (/** @type {HttpClient} */ http) => new Exchange(db, http, owner, replica, names, observers);

  // Calls of the page have a client of their own: when the link cuts its requests, these go on.
  const pageHttp = httpClient((error) => networkMonitor.recordAnswer(error));
  const exchange = exchangeOver(pageHttp);
  const linkHttp = httpClient((error) => {
    networkMonitor.recordAnswer(error);
    background.noteAnswer(!(error instanceof errors.Offline));
  });
  const background = linkOf(options, {
    parts: { db, http: linkHttp, exchange: exchangeOver(linkHttp), listener: observers, registration },
    backoff, status, networkMonitor, wakes,
  });

  /** @type {TabMessages} */
  const tabs = new TabMessages(
    storage.store.name,
    {
      background,
      status,
      seen: (seen) => observers.show(seen),
      reload: (collections) => observers.reload(collections),
      stop,
      askConflicts: (seqs) => void observers.askAbout(seqs),
      reloadPush: () => push.load(),
    },
    options.tabs,
  );
  /** @type {Push} */
  const push = new Push({ db, names, http: pageHttp, exchange, wakes, registration, tabs, background });
  observers.connect({ background, tabs });
  return { background, db, exchange, names, networkMonitor, observers, owner, push, replica, status, tabs, upkeep };
}

/**
 * The link, with what it needs of the options.
 * @param {Options} options
 * @param {object} more
 * @param {Pick<import("./link/connections.js").Parts, "db" | "http" | "exchange" | "listener" | "registration">} more.parts
 * @param {Backoff} more.backoff
 * @param {StatusTracker} more.status
 * @param {NetworkMonitor} more.networkMonitor
 * @param {WakeupStore} more.wakes
 */
function linkOf(options, { parts, backoff, status, networkMonitor, wakes }) {
  const { transports = LADDER, pace = new Pace(), WebSocket = globalThis.WebSocket } = options;
  const able = LADDER.filter((t) => transports.includes(t) && (t !== "websocket" || WebSocket !== undefined));
  const waker = new Waker();
  const background = new Background(
    { ...parts, choice: new TransportChoice(able), pace, waker, WebSocket },
    backoff,
    (problem, retryIn) => {
      const { state: link, transport } = background;
      const retryAt = retryIn === null ? null : new Date(Date.now() + retryIn * 1000);
      status.show({ link, transport, problem, retryAt });
    },
    networkMonitor,
    new WakeUpHandler(wakes, waker),
  );
  return background;
}

/** Show the network's state where it differs enough to be of interest. @param {StatusTracker} status @param {NetworkState} state */
function showNetwork(status, state) {
  const { networkState } = status.status;
  if (state.reachability === networkState.reachability && !differs(networkState, state)) return;
  status.show({ networkState: state, network: NETWORK[state.reachability] });
}

/** The browser's events that a client handles. */

import { KINDS } from "../net/network_state.js";

/** @import { NetworkInfo } from "../net/network_monitor.js" */

/**
 * Handle that the network comes, goes or changes, that the page becomes visible, and that it goes.
 * @param {(info: NetworkInfo) => void} network
 * @param {() => void} leave
 * @returns {() => void} which ends it
 */
export function watchPage(network, leave) {
  const { window, document } = globalThis;
  if (window === undefined || document === undefined) return () => {};
  const aborter = new AbortController();
  const { signal } = aborter;
  window.addEventListener("online", () => network({ online: true }), { signal });
  window.addEventListener("offline", () => network({ online: false }), { signal });
  window.addEventListener("pagehide", leave, { signal });
  window.addEventListener("pageshow", () => network({}), { signal });
  const onVisible = () => {
    if (document.visibilityState === "visible") network({});
  };
  document.addEventListener("visibilitychange", onVisible, { signal });
  watchConnection(network, signal);
  return () => aborter.abort();
}

/**
 * Some browsers report the kind of the network, and whether the user wants to save data
 * (https://wicg.github.io/netinfo/). They send an event at each change of their estimates, too.
 * @param {(info: NetworkInfo) => void} network
 * @param {AbortSignal} signal
 */
function watchConnection(network, signal) {
  const connection = /** @type {any} */ (globalThis.navigator)?.connection;
  if (connection?.addEventListener === undefined) return;
  let last = "";
  const changed = () => {
    const { type, saveData } = connection;
    const info = { type: KINDS.includes(type) ? type : "unknown", metered: saveData === true };
    const now = JSON.stringify(info);
    if (now !== last && !(last === "" && now === UNKNOWN_NETWORK)) network(info);
    last = now;
  };
  connection.addEventListener("change", changed, { signal });
  changed();
}

/** What a client assumes before anything is reported. */
const UNKNOWN_NETWORK = JSON.stringify({ type: "unknown", metered: false });

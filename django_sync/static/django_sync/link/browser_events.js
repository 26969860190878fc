/** What the browser tells a client by itself. */

import { KINDS } from "../net/network_state.js";

/** @import { Told } from "../net/network_monitor.js" */

/**
 * Heed that the network came, went or is another, that the page is looked at again, and that it goes.
 * @param {(told: Told) => void} network
 * @param {() => void} leave
 * @returns {() => void} which ends it
 */
export function heedPage(network, leave) {
  const { window, document } = globalThis;
  if (window === undefined || document === undefined) return () => {};
  const ending = new AbortController();
  const { signal } = ending;
  window.addEventListener("online", () => network({ online: true }), { signal });
  window.addEventListener("offline", () => network({ online: false }), { signal });
  window.addEventListener("pagehide", leave, { signal });
  window.addEventListener("pageshow", () => network({}), { signal });
  const looked = () => {
    if (document.visibilityState === "visible") network({});
  };
  document.addEventListener("visibilitychange", looked, { signal });
  heedConnection(network, signal);
  return () => ending.abort();
}

/**
 * Some browsers tell what the network is, and whether its user wants to save data
 * (https://wicg.github.io/netinfo/). They say so at each change of their estimates too.
 * @param {(told: Told) => void} network
 * @param {AbortSignal} signal
 */
function heedConnection(network, signal) {
  const connection = /** @type {any} */ (globalThis.navigator)?.connection;
  if (connection?.addEventListener === undefined) return;
  let last = "";
  const changed = () => {
    const { type, saveData } = connection;
    const told = { type: KINDS.includes(type) ? type : "unknown", metered: saveData === true };
    const now = JSON.stringify(told);
    if (now !== last && !(last === "" && now === PLAIN)) network(told);
    last = now;
  };
  connection.addEventListener("change", changed, { signal });
  changed();
}

/** What a client takes the network for anyway. */
const PLAIN = JSON.stringify({ type: "unknown", metered: false });

/** What the browser tells a client by itself. */

/**
 * Heed that the network came or went, and that the page is looked at again.
 * @param {(hints: {online?: boolean}) => void} network
 * @returns {() => void} which ends it
 */
export function heedPage(network) {
  const { window, document } = globalThis;
  if (window === undefined || document === undefined) return () => {};
  const ending = new AbortController();
  const { signal } = ending;
  window.addEventListener("online", () => network({ online: true }), { signal });
  window.addEventListener("offline", () => network({ online: false }), { signal });
  window.addEventListener("pageshow", () => network({}), { signal });
  const looked = () => {
    if (document.visibilityState === "visible") network({});
  };
  document.addEventListener("visibilitychange", looked, { signal });
  return () => ending.abort();
}

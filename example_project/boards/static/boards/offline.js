/** The page without a net: a service worker keeps the files, and the page that the server made last. */

/** Where the worker keeps pages; beside it, each release has a cache of its files. */
export const SHELLS = "boards-shells";

/**
 * Have the service worker take this page over, from the next visit on without a net too.
 * @param {{serviceWorker: string, home: string}} told addresses
 */
export async function keepAtHand(told) {
  if (!("serviceWorker" in navigator)) return; // http:// that is not this machine
  try {
    await registered(told);
    // The worker keeps each page that it fetches; this one may have come before there was a worker.
    const shells = await caches.open(SHELLS);
    if ((await shells.match(location.pathname)) === undefined) await shells.add(location.pathname);
  } catch (error) {
    console.warn("The board will not open without a network:", error);
  }
}

/**
 * The module is woken by push as well. Where a browser runs no modules there, the plain script does
 * all the rest.
 * @param {{serviceWorker: string, home: string}} told
 */
async function registered({ serviceWorker, home }) {
  try {
    return await navigator.serviceWorker.register(`${serviceWorker}?module`, { scope: home, type: "module" });
  } catch (error) {
    console.info("Without push:", error);
    return navigator.serviceWorker.register(serviceWorker, { scope: home });
  }
}

/** Forget the pages that are kept, or one of them. @param {string | null} [path] */
export async function forgetShells(path = null) {
  if (!("caches" in globalThis)) return;
  if (path === null) await caches.delete(SHELLS);
  else await (await caches.open(SHELLS)).delete(path);
}

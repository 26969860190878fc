/**
 * Keeps the application at hand: its files, and the page that holds it. Data is not its business:
 * that is in the client's store, and nothing under /sync/ or of the admin passes through here.
 *
 * Before this file the server puts `self.BOARDS`: the release, the files in it, and the scope.
 *
 *   files    kept at once, all of a release or none, and served from there
 *   pages    fetched; what is kept serves where no answer comes
 *   else     not touched
 */

const { release, files, scope } = self.BOARDS;
const FILES = `boards-files-${release}`;
const SHELLS = "boards-shells";
/** Milliseconds that a page is waited for: in a tunnel requests hang rather than fail. */
const PATIENCE = 4_000;
const kept = new Set(files.map((file) => new URL(file, self.location.href).href));

/** Whether the last page that came was of another release: then its files are fetched, not served. */
let isOutdated = false;

self.addEventListener("install", (event) => {
  // "reload": from the server, whatever the browser's own cache may have.
  const wanted = files.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(caches.open(FILES).then((cache) => cache.addAll(wanted)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOlder().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (request.mode === "navigate") {
    if (isPage(url)) event.respondWith(page(request, url));
  } else if (kept.has(url.href)) {
    event.respondWith(file(request));
  }
});

async function forgetOlder() {
  const names = await caches.keys();
  const older = names.filter((name) => name.startsWith("boards-files-") && name !== FILES);
  await Promise.all(older.map((name) => caches.delete(name)));
}

/** The board's own addresses: the start page, and the demo's second users. */
function isPage({ origin, pathname }) {
  if (origin !== self.location.origin || !pathname.startsWith(scope)) return false;
  return /^(as\/[\w-]+\/)?$/.test(pathname.slice(scope.length));
}

async function page(request, { pathname }) {
  const shells = await caches.open(SHELLS);
  const shell = await shells.match(pathname);
  try {
    const response = await fetch(request, shell && { signal: AbortSignal.timeout(PATIENCE) });
    const itsRelease = response.headers.get("Boards-Release");
    if (itsRelease !== null) {
      isOutdated = itsRelease !== release;
      await shells.put(pathname, response.clone());
    }
    return shell && response.status >= 500 ? shell : response;
  } catch (error) {
    if (shell === undefined) throw error;
    isOutdated = false;
    return shell;
  }
}

async function file(request) {
  const cache = await caches.open(FILES);
  const found = await cache.match(request, { ignoreVary: true });
  if (found !== undefined && !isOutdated) return found;
  // "no-cache": the browser's own cache may hold the file of the release before, as young enough.
  return fetch(request, { cache: "no-cache" }).catch((error) => found ?? Promise.reject(error));
}

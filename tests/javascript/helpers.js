/** What the tests share: clients of the demo's users, and waiting for conditions. */

import { Backoff, Pace, SyncClient, MemoryStore, TokenAuth } from "../../django_sync/static/django_sync/client.js";

export const URL_OF_SERVER = process.env.SYNC_URL ?? "";
export const COLLECTIONS = ["boards", "labels", "cards", "comments"];

/** A twin of IndexedDB for Node, where it is installed. */
export const twin = await import(process.env.FAKE_INDEXEDDB ?? "fake-indexeddb").catch(() => null);
if (twin) globalThis.IDBKeyRange = twin.IDBKeyRange;

/** Milliseconds after which what is waited for is taken as never coming. */
const DEADLINE = 30_000;

/** A client of `ada`, `grace` or `alan` with a store of its own, quick to try again. */
export function clientOf(name, options = {}) {
  return SyncClient.open(URL_OF_SERVER, {
    store: new MemoryStore(),
    collections: COLLECTIONS,
    auth: new TokenAuth(`demo-${name}`, { user: name }),
    backoff: new Backoff({ first: 0.05, longest: 0.2 }),
    pace: new Pace({ shortest: 0.1, longest: 0.2 }),
    ...options,
  });
}

/** Wait until a condition holds. */
export async function until(condition, what) {
  const deadline = Date.now() + DEADLINE;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The board with this name, as a client sees it. */
export async function boardOf(client, name) {
  return (await client.collection("boards").filter({ name }))[0];
}

/** All records of a client as plain values, to be compared. */
export async function contentsOf(client) {
  const found = {};
  for (const name of COLLECTIONS) {
    for (const { id, revision, scope, object } of await client.collection(name).all()) {
      found[`${name}/${id}`] = { revision, scope, object };
    }
  }
  return found;
}

/** Wake-ups: to a link, to tabs, and to a service worker, which is made of fakes here. */

import assert from "node:assert/strict";
import test from "node:test";

import { errors, MemoryStore, SyncClient, TokenAuth } from "../../../django_sync/static/django_sync/client.js";
import { Database } from "../../../django_sync/static/django_sync/store/database.js";
import { IndexedDBStore } from "../../../django_sync/static/django_sync/store/indexeddb.js";
import { WakeupStore } from "../../../django_sync/static/django_sync/store/wakeup_store.js";
import { handlePush } from "../../../django_sync/static/django_sync/worker.js";
import { clientOf, COLLECTIONS, twin, until, URL_OF_SERVER } from "../helpers.js";

const alone = { skip: !twin && "fake-indexeddb is not installed" };
const skip = URL_OF_SERVER ? alone.skip : "SYNC_URL names no server";

const WAKE = JSON.stringify({ type: "sync", session: "", collections: ["cards"] });
const KEY = "BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U";

/** A fetch that counts what is asked of one path, and may fail on demand. */
function counting(path = "changes/") {
  const counter = { count: 0, fail: null, patched: [] };
  counter.fetch = async (url, asked) => {
    const its = new URL(url).pathname.endsWith(`/sync/${path}`);
    if (asked.method === "PATCH" || (asked.method === "POST" && new URL(url).pathname.endsWith("/sessions/"))) {
      counter.patched.push({ method: asked.method, path: new URL(url).pathname, body: JSON.parse(asked.body) });
    }
    if (its) counter.count += 1;
    const failed = its ? counter.fail?.() : undefined;
    return failed ?? fetch(url, asked);
  };
  return counter;
}

const waits = (store) => new WakeupStore(new Database(store)).hasPending();

test("numbers in the store: what came after a request waits for another", alone, async () => {
  for (const store of [new MemoryStore(), await new IndexedDBStore("wakes", new twin.IDBFactory()).open()]) {
    const wakes = new WakeupStore(new Database(store));
    assert.equal(await wakes.hasPending(), false);
    assert.equal(await wakes.remember(), true);
    assert.equal(await wakes.remember(), false);
    const first = await wakes.noteRequest();
    assert.equal(await wakes.remember(), false);
    const second = await wakes.noteRequest();
    await wakes.noteServed(first);
    assert.equal(await wakes.hasPending(), true);
    await wakes.noteServed(second);
    await wakes.noteServed(first);
    assert.equal(await wakes.hasPending(), false);
    await new Database(store).wipe();
    await wakes.noteServed(second); // of a store that was cleared
    assert.equal(await wakes.remember(), true);
    assert.equal(await wakes.hasPending(), true);
  }
});

test("a storm writes once for each request", alone, async () => {
  const store = new MemoryStore();
  const wakes = new WakeupStore(new Database(store));
  await wakes.remember();
  let writes = 0;
  const write = store.write.bind(store);
  store.write = (...values) => (writes++, write(...values));
  for (let number = 0; number < 100; number++) await wakes.remember();
  assert.equal(writes, 0);
});

test("stopped it is remembered, and the next exchange sees to it", { skip }, async () => {
  const store = new MemoryStore();
  const counter = counting();
  const client = await clientOf("ada", { store, fetch: counter.fetch });
  assert.equal(await client.wake("no JSON"), false);
  assert.equal(await client.wake({ type: "sync", collections: ["of", "others"] }), false);
  assert.equal(await waits(store), false);
  assert.equal(await client.wake(WAKE), true);
  assert.equal(await waits(store), true);
  assert.equal(counter.count, 0);
  await client.sync();
  assert.equal(await waits(store), false);
  await client.close();
});

test("a page that was asked for before it came has not seen to it", { skip }, async () => {
  const store = new MemoryStore();
  const counter = counting();
  const client = await clientOf("ada", { store, fetch: counter.fetch });
  await client.sync();
  let woken = 0;
  const late = async (url, asked) => {
    const answer = await counter.fetch(url, asked);
    if (new URL(url).pathname.endsWith("/changes/") && woken++ === 0) await client.wake(WAKE);
    return answer;
  };
  const again = await clientOf("ada", { store, fetch: late });
  await again.sync();
  assert.equal(woken > 0, true);
  assert.equal(await waits(store), true);
  await again.sync();
  assert.equal(await waits(store), false);
  await Promise.all([client.close(), again.close()]);
});

test("one that polls fetches at once, and one that has to wait does not", { skip }, async () => {
  const store = new MemoryStore();
  const counter = counting();
  const client = await clientOf("ada", { store, fetch: counter.fetch, transports: ["poll"] });
  client.start();
  await client.waitUntilSynced();
  client.network({ metered: true }); // polls are five minutes apart now
  await until(() => counter.count >= 2, "it has asked for that");
  await until(() => client.status.link === "live", "it waits for the next poll");
  const before = counter.count;
  await client.wake(WAKE);
  await until(async () => !(await waits(store)), "it is fetched");
  assert.ok(counter.count > before);
  const headers = { "Retry-After": "600", "Content-Type": "application/problem+json" };
  counter.fail = () => new Response('{"code": "unavailable", "status": 503}', { status: 503, headers });
  client.network({});
  await until(() => client.status.link === "backing_off", "it has to ask again later");
  const asked = counter.count;
  for (let number = 0; number < 20; number++) await client.wake(WAKE);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.status.link, "backing_off");
  assert.equal(counter.count, asked);
  assert.equal(await waits(store), true);
  await client.close();
});

test("a portal is not taken for silence", { skip }, async () => {
  const counter = counting("");
  const client = await clientOf("ada", { fetch: counter.fetch });
  counter.fail = () => new Response("<h1>Sign in</h1>", { headers: { "Content-Type": "text/html" } });
  await assert.rejects(client.sync(), errors.Captive);
  assert.equal(client.status.networkState.reachability, "captive");
  assert.equal(client.status.network, "offline");
  counter.fail = () => Promise.reject(new TypeError("failed to fetch"));
  await assert.rejects(client.sync(), errors.Offline);
  assert.equal(client.status.networkState.reachability, "unreachable");
  counter.fail = null;
  await client.sync();
  assert.equal(client.status.networkState.reachability, "reachable");
  await client.close();
});

// The service worker

/** Locks as `navigator.locks` has them, as far as they are asked for. */
class Locks {
  #held = new Set();

  async request(name, { ifAvailable = false }, run) {
    if (ifAvailable && this.#held.has(name)) return run(null);
    while (this.#held.has(name)) await new Promise((resolve) => setTimeout(resolve, 2));
    this.#held.add(name);
    try {
      return await run({ name });
    } finally {
      this.#held.delete(name);
    }
  }
}

/** A browser: an IndexedDB, a push service, pages, and a worker that runs our handlers. */
async function browserOf(t, { notify = null, options = {} } = {}) {
  const factory = new twin.IDBFactory();
  const before = globalThis.indexedDB;
  globalThis.indexedDB = factory;
  t.after(() => (globalThis.indexedDB = before));
  const tabs = { locks: new Locks() };
  const shown = [];
  const tags = [];
  const windows = [];
  const listeners = new Map();
  let current = null;
  const pushManager = {
    async getSubscription() {
      return current;
    },
    async subscribe({ applicationServerKey, userVisibleOnly }) {
      assert.equal(userVisibleOnly, true);
      const endpoint = `https://push.test/${Math.random()}`;
      const made = {
        options: { applicationServerKey: applicationServerKey.buffer },
        toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh: "p", auth: "a" } }),
        unsubscribe: async () => (current = null),
      };
      current = made;
      return made;
    },
  };
  const registration = {
    scope: "https://board.test/", pushManager,
    sync: { register: async (tag) => void tags.push(tag) },
    showNotification: async (title, more) => void shown.push({ title, ...more }),
  };
  const worker = {
    registration,
    clients: { matchAll: async () => windows, openWindow: async (url) => void windows.push({ url, opened: true }) },
    addEventListener: (type, listener) => listeners.set(type, listener),
  };
  const net = counting();
  const opened = (store) =>
    SyncClient.open(URL_OF_SERVER, {
      store, collections: COLLECTIONS, auth: new TokenAuth("demo-ada", { user: "ada" }), tabs, fetch: net.fetch, persist: false,
    });
  handlePush(worker, { open: ({ store }) => opened(store), ...options });
  const fire = async (type, event = {}) => {
    const promises = [];
    listeners.get(type)({ ...event, waitUntil: (promise) => promises.push(promise) });
    await Promise.all(promises);
  };
  const push = (text = WAKE) => fire("push", { data: text === null ? null : { text: () => text } });
  globalThis.Notification = { requestPermission: async () => "granted" };
  t.after(() => delete globalThis.Notification);
  const page = await opened("board");
  await page.sync();
  await page.enablePush({ vapidKey: KEY, notify, registration });
  const raw = async () => new IndexedDBStore("django_sync board", factory).open();
  const hasRemembered = async () => {
    const store = await raw();
    const found = await waits(store);
    store.close();
    return found;
  };
  return { page, opened, push, fire, net, shown, tags, windows, registration, hasRemembered, current: () => current };
}

/** Somebody else writes a card on the board that ada sees. */
async function edited(title) {
  const other = await clientOf("grace");
  await other.sync();
  const [board] = await other.collection("boards").filter({ name: "Launch" });
  await other.collection("cards").create({ board: board.id, title });
  await other.sync();
  await other.close();
}

async function titles(opened) {
  const client = await opened("board");
  const found = (await client.collection("cards").all()).map(({ object }) => object.title);
  await client.close();
  return found;
}

test("page closed: a push is pulled into the store, and shown only if asked for", { skip }, async (t) => {
  const { page, opened, push, shown, tags, hasRemembered } = await browserOf(t);
  await page.close();
  await edited("by push");
  await push();
  assert.ok((await titles(opened)).includes("by push"));
  assert.equal(await hasRemembered(), false);
  assert.deepEqual([shown, tags], [[], []]);
});

test("a notification is shown where it was asked for, nobody looks, and something is new", { skip }, async (t) => {
  const notify = { title: "Boards", body: "Something has changed.", url: "/?board=1" };
  const { page, push, shown, windows, fire } = await browserOf(t, { notify });
  await page.close();
  await push(); // nothing is new
  assert.deepEqual(shown, []);
  await edited("shown");
  await push();
  assert.deepEqual(shown, [{ title: "Boards", body: "Something has changed.", tag: "django_sync board", data: { url: "/?board=1" } }]);
  windows.push({ url: "https://board.test/", visibilityState: "visible" });
  await edited("seen");
  await push();
  assert.equal(shown.length, 1);
  windows.length = 0;
  let closed = 0;
  const notification = { tag: "django_sync board", data: { url: "/?board=1" }, close: () => (closed += 1) };
  await fire("notificationclick", { notification });
  assert.deepEqual([closed, windows], [1, [{ url: "https://board.test/?board=1", opened: true }]]);
  await fire("notificationclick", { notification: { ...notification, tag: "another's" } });
  assert.equal(closed, 1);
});

test("what fails is remembered, tried by Background Sync, and shown once", { skip }, async (t) => {
  const { page, opened, push, fire, net, shown, tags, hasRemembered } = await browserOf(t, { notify: { title: "Boards" } });
  await page.close();
  await edited("late");
  net.fail = () => Promise.reject(new TypeError("failed to fetch"));
  for (let number = 0; number < 5; number++) await push();
  assert.deepEqual(new Set(tags), new Set(["django_sync"]));
  assert.equal(shown.length, 1);
  assert.equal(await hasRemembered(), true);
  await assert.rejects(fire("sync", { tag: "django_sync" }), /could not be fetched/);
  await fire("sync", { tag: "another's" });
  net.fail = null;
  await fire("sync", { tag: "django_sync" });
  assert.equal(await hasRemembered(), false);
  assert.ok((await titles(opened)).includes("late"));
});

test("a storm of pushes costs one pull", { skip }, async (t) => {
  const { page, push, net, hasRemembered } = await browserOf(t);
  await page.close();
  const before = net.count;
  await Promise.all(Array.from({ length: 40 }, () => push()));
  assert.equal(await hasRemembered(), false);
  assert.ok(net.count - before <= 2, `${net.count - before} pulls`);
});

test("a page that is open and runs sees to it, and the worker asks nothing", { skip }, async (t) => {
  const { page, push, net, shown, hasRemembered } = await browserOf(t, { notify: { title: "Boards" } });
  page.start();
  await page.waitUntilSynced();
  await until(() => page.status.transport === "websocket", "it is live by a socket");
  const before = net.count;
  await push();
  assert.equal(net.count, before);
  assert.deepEqual(shown, []);
  await edited("over the socket");
  await until(async () => (await page.collection("cards").all()).some(({ object }) => object.title === "over the socket"), "it comes");
  await until(async () => !(await hasRemembered()), "which shows that the socket lives");
  await page.close();
});

test("a page that is frozen is not waited for", { skip }, async (t) => {
  const { page, opened, push, hasRemembered } = await browserOf(t);
  page.start();
  await page.waitUntilSynced();
  const own = BroadcastChannel.prototype.postMessage;
  t.after(() => (BroadcastChannel.prototype.postMessage = own));
  BroadcastChannel.prototype.postMessage = () => undefined; // as if nobody heard
  await edited("behind the ice");
  await push();
  assert.equal(await hasRemembered(), false);
  BroadcastChannel.prototype.postMessage = own;
  assert.ok((await titles(opened)).includes("behind the ice"));
  await page.close();
});

test("what is no wake-up of ours leaves no trace", { skip }, async (t) => {
  const { page, push, net, hasRemembered } = await browserOf(t);
  await page.close();
  const before = net.count;
  for (const text of [null, "", "hello", "[]", '{"type": "other"}', '{"type": "sync", "collections": ["others"]}']) await push(text);
  assert.equal(net.count, before);
  assert.equal(await hasRemembered(), false);
});

test("who was signed out is asked nothing", { skip }, async (t) => {
  const { page, push, net, current, registration } = await browserOf(t);
  await page.disablePush({ registration });
  assert.equal(current(), null);
  await page.reset({ wipe: true });
  await page.close();
  const before = net.count;
  await push();
  assert.equal(net.count, before);
});

test("a user who says no, or a browser that knows no push, gets an error", { skip }, async (t) => {
  const { page, registration } = await browserOf(t);
  await page.disablePush({ registration });
  globalThis.Notification.requestPermission = async () => "denied";
  await assert.rejects(page.enablePush({ vapidKey: KEY, registration }), errors.NotSupported);
  await assert.rejects(page.enablePush({ vapidKey: KEY, registration: {} }), errors.NotSupported);
  globalThis.Notification.requestPermission = async () => "granted";
  await assert.rejects(page.enablePush({ vapidKey: "no base64url!", registration }), errors.NotSupported);
  assert.equal(page.push, null);
  await page.close();
});

test("the session reports the subscription, again when the browser makes another, and taken back", { skip }, async (t) => {
  const { page, fire, net, current, registration } = await browserOf(t);
  page.start();
  await page.waitUntilSynced();
  const pushes = () => net.patched.filter(({ body }) => "push" in body).map(({ body }) => body.push);
  const first = current().toJSON();
  await until(() => pushes().length > 0 && page.status.transport === "websocket", "the session reports it");
  assert.deepEqual(pushes()[0], { kind: "webpush", subscription: first });
  await page.stop();
  await current().unsubscribe();
  await fire("pushsubscriptionchange", {});
  const second = current().toJSON();
  assert.notEqual(second.endpoint, first.endpoint);
  const last = net.patched.at(-1);
  assert.equal(last.method, "PATCH");
  assert.deepEqual(last.body, { push: { kind: "webpush", subscription: second } });
  await page.disablePush({ registration });
  assert.equal(current(), null);
  assert.equal(page.push, null);
  await page.close();
});

/** What any store must do. IndexedDB itself is a browser's; a twin of it in Node, where it is installed. */

import assert from "node:assert/strict";
import test from "node:test";

import { SyncClient, errors } from "../../../django_sync/static/django_sync/client.js";
import { IndexedDBStore } from "../../../django_sync/static/django_sync/store/indexeddb.js";
import { logTo } from "../../../django_sync/static/django_sync/log.js";
import { MemoryStore } from "../../../django_sync/static/django_sync/store/memory.js";
import { NAMES } from "../../../django_sync/static/django_sync/store/tables.js";
import { twin, until } from "../helpers.js";

const skip = twin ? false : "fake-indexeddb is not installed";
let number = 0;
const stores = {
  memory: () => new MemoryStore(),
  indexeddb: twin && (() => new IndexedDBStore(`test ${number++}`, new twin.IDBFactory()).open()),
};

const record = (id, more = {}) => ({ collection: "cards", id, revision: 1, scope: "s", object: { n: [1] }, generation: 0, ...more });

for (const [kind, make] of Object.entries(stores)) {
  const check = (name, body) => test(`${kind}: ${name}`, { skip: make ? false : skip }, async () => body(await make()));

  check("what is written is there, and nothing else", async (store) => {
    await store.write(async (tx) => tx.put("records", record("a")));
    assert.deepEqual(await store.read((tx) => tx.get("records", ["cards", "a"])), record("a"));
    assert.equal(await store.read((tx) => tx.get("records", ["cards", "b"])), undefined);
  });

  check("a transaction sees its own writes", async (store) => {
    await store.write(async (tx) => {
      tx.put("records", record("a"));
      assert.equal((await tx.get("records", ["cards", "a"])).revision, 1);
      tx.delete("records", ["cards", "a"]);
      assert.equal(await tx.get("records", ["cards", "a"]), undefined);
    });
  });

  check("what throws leaves nothing behind", async (store) => {
    await store.write(async (tx) => tx.put("records", record("a")));
    const failed = store.write(async (tx) => {
      tx.put("records", record("a", { revision: 2 }));
      tx.put("records", record("b"));
      await tx.get("records", ["cards", "b"]);
      tx.clear("records");
      throw new RangeError("no");
    });
    await assert.rejects(failed, RangeError);
    assert.deepEqual(await store.read((tx) => tx.list("records")), [record("a")]);
  });

  check("writers are alone, in the order in which they came", async (store) => {
    const raise = () =>
      store.write(async (tx) => {
        const row = (await tx.get("meta", "n")) ?? { key: "n", value: 0 };
        tx.put("meta", { key: "n", value: row.value + 1 });
        return row.value;
      });
    assert.deepEqual(await Promise.all(Array.from({ length: 50 }, raise)), Array.from({ length: 50 }, (_, at) => at));
  });

  check("rows come in the order of their keys, page by page", async (store) => {
    const ids = ["b", "d", "a", "c", "e"];
    await store.write(async (tx) => {
      for (const id of ids) tx.put("records", record(id));
      tx.put("records", { ...record("z"), collection: "boards" });
      tx.put("records", { ...record("0"), collection: "cards2" });
    });
    const page = (after) => store.read((tx) => tx.list("records", { only: ["cards"], after, limit: 2 }));
    assert.deepEqual((await page(undefined)).map(({ id }) => id), ["a", "b"]);
    assert.deepEqual((await page("b")).map(({ id }) => id), ["c", "d"]);
    assert.deepEqual((await page("d")).map(({ id }) => id), ["e"]);
    assert.deepEqual(await page("e"), []);
    assert.equal(await store.read((tx) => tx.count("records", { only: ["cards"] })), 5);
    assert.equal(await store.read((tx) => tx.count("records")), 7);
  });

  check("rows of one key come behind another, so many at a time", async (store) => {
    await store.write(async (tx) => {
      for (const seq of [3, 1, 10, 2]) tx.put("outbox", { seq, collection: "cards", objectId: "a", state: "new" });
    });
    const behind = (after, limit) => store.read(async (tx) => (await tx.list("outbox", { after, limit })).map(({ seq }) => seq));
    assert.deepEqual(await behind(0), [1, 2, 3, 10]);
    assert.deepEqual(await behind(1, 2), [2, 3]);
    assert.deepEqual(await behind(10), []);
  });

  check("an index finds what has the key, and follows changes of it", async (store) => {
    await store.write(async (tx) => {
      tx.put("records", record("a", { scope: "one" }));
      tx.put("records", record("b", { scope: "two", gone: 1 }));
    });
    const of = (scope) => store.read((tx) => tx.list("records", { index: "scope", only: ["cards", scope] }));
    const gone = () => store.read((tx) => tx.list("records", { index: "gone", only: 1 }));
    assert.deepEqual((await of("one")).map(({ id }) => id), ["a"]);
    assert.deepEqual((await gone()).map(({ id }) => id), ["b"]);
    await store.write(async (tx) => {
      tx.put("records", record("a", { scope: "two" }));
      tx.put("records", record("b", { scope: "two" }));
    });
    assert.deepEqual(await of("one"), []);
    assert.equal((await of("two")).length, 2);
    assert.deepEqual(await gone(), []);
  });

  check("what was handed in may be changed without the store", async (store) => {
    const row = record("a");
    await store.write(async (tx) => tx.put("records", row));
    row.object.n.push(2);
    assert.deepEqual((await store.read((tx) => tx.get("records", ["cards", "a"]))).object, { n: [1] });
  });
}

test("what a live query told of a store is taken back where the store was emptied under it", async () => {
  const store = new MemoryStore();
  const client = await SyncClient.open("http://localhost/sync/", { store, collections: ["cards"] });
  const shown = [];
  await client.collection("cards").create({ title: "never sent" });
  client.collection("cards").live({}, (records) => shown.push(records.length));
  await until(() => shown.at(-1) === 1 && client.status.pending === 1, "it is shown");

  await store.write(async (tx) => NAMES.forEach((name) => tx.clear(name)));
  await client.outbox(); // any look at the store, as the next exchange's

  await until(() => shown.at(-1) === 0 && client.status.pending === 0, "what is gone is shown no more");
  await client.close();
});

// What only a disk does.

test("indexeddb: a store that is deleted under it is made anew", { skip }, async () => {
  const factory = new twin.IDBFactory();
  const store = await new IndexedDBStore("cleared", factory).open();
  await store.write(async (tx) => tx.put("records", record("a")));
  await new Promise((resolve, reject) => {
    const asked = factory.deleteDatabase("cleared");
    asked.onsuccess = resolve;
    asked.onerror = asked.onblocked = reject;
  });
  assert.deepEqual(await store.read((tx) => tx.list("records")), []);
  await store.write(async (tx) => tx.put("records", record("b")));
  assert.deepEqual((await store.read((tx) => tx.list("records"))).map(({ id }) => id), ["b"]);
});

test("indexeddb: many who ask at once have one connection; a closed store opens none", { skip }, async () => {
  const factory = new twin.IDBFactory();
  let opened = 0;
  const counting = { open: (...asked) => (opened++, factory.open(...asked)) };
  const store = new IndexedDBStore("many", counting);
  await Promise.all(Array.from({ length: 5 }, () => store.read((tx) => tx.count("records"))));
  assert.equal(opened, 1);
  store.close();
  await assert.rejects(store.read((tx) => tx.count("records")), errors.StorageLost);
  assert.equal(opened, 1);
});

test("indexeddb: where there is no room the write is refused, and nothing of it is there", { skip }, async (t) => {
  const store = await new IndexedDBStore("full", new twin.IDBFactory()).open();
  const { put } = twin.IDBObjectStore.prototype;
  t.after(() => (twin.IDBObjectStore.prototype.put = put));
  const full = store.write(async (tx) => {
    tx.put("records", record("a"));
    twin.IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    tx.put("records", record("b"));
  });
  await assert.rejects(full, errors.StorageFull);
  assert.deepEqual(await store.read((tx) => tx.list("records")), []);
});

for (const [how, get] of [["there is none", () => undefined], ["it is forbidden", () => { throw new DOMException("no", "SecurityError"); }]]) {
  test(`where ${how}, a client works in memory and says so`, async (t) => {
    Object.defineProperty(globalThis, "indexedDB", { get, configurable: true });
    t.after(() => delete globalThis.indexedDB);
    const warned = [];
    logTo({ warn: (...values) => warned.push(values) });
    const client = await SyncClient.open("http://localhost/sync/", { store: "any", collections: ["cards"] });
    assert.equal(client.storage.kind, "memory");
    assert.ok(client.storage.problem);
    assert.equal(warned.length, 1);
    const card = await client.collection("cards").create({ title: "kept" });
    assert.equal((await client.collection("cards").get(card.id)).object.title, "kept");
    await client.close();
  });
}

test("whoever is asked whether storage may last keeps nobody waiting", { skip }, async (t) => {
  const replace = (name, value) => {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
  };
  let answer;
  const asked = new Promise((resolve) => (answer = resolve));
  replace("indexedDB", new twin.IDBFactory());
  replace("navigator", { storage: { persisted: async () => false, persist: () => asked } });
  const client = await SyncClient.open("http://localhost/sync/", { store: "asks", collections: ["cards"] });
  t.after(() => client.close());
  assert.equal(client.storage.kind, "indexeddb");
  assert.equal(client.storage.persisted, false);
  answer(true);
  await until(() => client.storage.persisted, "the answer is known");
});

/** What any store must do. IndexedDB itself is a browser's; a twin of it in Node, where it is installed. */

import assert from "node:assert/strict";
import test from "node:test";

import { IndexedDBStore } from "../../django_sync/static/django_sync/indexeddb.js";
import { MemoryStore } from "../../django_sync/static/django_sync/memory.js";

const twin = await import(process.env.FAKE_INDEXEDDB ?? "fake-indexeddb").catch(() => null);
if (twin) globalThis.IDBKeyRange = twin.IDBKeyRange;
let number = 0;
const stores = {
  memory: () => new MemoryStore(),
  indexeddb: twin && (() => new IndexedDBStore(`test ${number++}`, new twin.IDBFactory()).open()),
};

const record = (id, more = {}) => ({ collection: "cards", id, revision: 1, scope: "s", object: { n: [1] }, generation: 0, ...more });

for (const [kind, make] of Object.entries(stores)) {
  const check = (name, body) => test(`${kind}: ${name}`, { skip: make ? false : "fake-indexeddb is not installed" }, async () => body(await make()));

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

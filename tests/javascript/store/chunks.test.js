/** Records in chunks: what is stored where, what is read, and a store of a release before. */

import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore, errors } from "../../../django_sync/static/django_sync/client.js";
import { Database } from "../../../django_sync/static/django_sync/store/database.js";
import { IndexedDBStore } from "../../../django_sync/static/django_sync/store/indexeddb.js";
import { Replica } from "../../../django_sync/static/django_sync/store/replica.js";
import { tidyOnce, Upkeep } from "../../../django_sync/static/django_sync/store/upkeep.js";
import { NAMES, SMALL, cardsOf, filled, idOf, places, pulled, put } from "./chunked.js";
import { twin } from "../helpers.js";

const skip = twin ? false : "fake-indexeddb is not installed";

test("records that come together are chunks, few are rows of their own", async () => {
  const { store, db, cards } = await filled(7);
  assert.deepEqual((await store.read((tx) => tx.list("chunks"))).map(({ count }) => count), [3, 3, 1]);
  assert.equal(await store.read((tx) => tx.count("records")), 0);
  await pulled(db, [put(idOf(99), 2)]);
  assert.equal(await store.read((tx) => tx.count("records")), 1);
  assert.equal(await cards.count(), 8);
});

test("a record that changes leaves its chunk, and one that goes does not come back", async () => {
  const { store, db, ids, cards } = await filled(6);
  await pulled(db, [put(ids[1], 2, { rank: 7 }), { op: "delete", collection: "cards", id: ids[2], revision: 2 }]);
  assert.equal((await cards.get(ids[1])).object.rank, 7);
  assert.equal(await cards.get(ids[2]), null);
  assert.deepEqual((await cards.filter({ rank: 7 })).map(({ id }) => id), [ids[1]]);
  assert.deepEqual((await cards.all()).map(({ id }) => id), ids.filter((id) => id !== ids[2]));
  assert.equal(await cards.count(), 5);
  await pulled(db, [{ op: "remove", collection: "cards", id: ids[1] }]);
  assert.equal(await cards.get(ids[1]), null);
  assert.ok([...(await places(store)).found.values()].every((times) => times === 1));
});

test("a stale put does not replace what a chunk has", async () => {
  const { db, ids, cards } = await filled(4);
  await pulled(db, [put(ids[0], 9, { rank: 9 })]);
  await pulled(db, [put(ids[0], 5, { rank: 5 }), put(ids[1], 0, { rank: 5 })]);
  assert.deepEqual((await cards.getMany(ids.slice(0, 2))).map(({ object }) => object.rank), [9, 1]);
});

test("a scope that is dropped goes from chunks that hold others too", async () => {
  const { store, db, ids, cards } = await filled(7);
  const seen = await pulled(db, [{ op: "drop", collection: "cards", scope: "s" }]);
  assert.deepEqual(seen.changes.map(({ kind, id }) => [kind, id]), ids.slice(0, 4).map((id) => ["deleted", id]));
  assert.deepEqual((await cards.all()).map(({ id }) => id), ids.slice(4));
  assert.equal(await new Replica(db).knows("cards", "s"), false);
  assert.equal(await new Replica(db).knows("cards", "t"), true);
  await pulled(db, [{ op: "drop", collection: "cards", scope: "t" }]);
  assert.deepEqual((await places(store)).chunks, []);
});

test("what a transaction that failed had stored is in no memory", async () => {
  const { db, cards, ids } = await filled(3);
  const failed = db.write(async (tx) => {
    for (const number of [10, 11, 12]) tx.records.put({ ...put(idOf(number), 1, { rank: 5 }), generation: 1 });
    assert.equal((await tx.records.list("cards", { limit: 9 })).length, 6); // stored, and read again
    assert.equal((await tx.records.get(["cards", idOf(11)])).object.rank, 5);
    throw new RangeError("no room");
  });
  await assert.rejects(failed, RangeError);
  assert.deepEqual((await cards.all()).map(({ id }) => id), ids);
  await pulled(db, [put(idOf(20), 1, { rank: 6 }), put(idOf(21), 1, { rank: 6 }), put(idOf(22), 1, { rank: 6 })]);
  assert.equal(await cards.get(idOf(11)), null);
  assert.equal((await cards.get(idOf(21))).object.rank, 6);
  assert.equal((await cards.filter({ rank: 6 })).length, 3);
});

test("within one transaction a record may go from place to place", async () => {
  const { store, db } = await filled(4);
  const row = (number, rank) => ({ ...put(idOf(number), 5, { rank }), generation: 1 });
  const ranks = async (tx) => (await tx.records.list("cards", { limit: 99 })).map(({ object }) => object.rank);
  await db.write(async (tx) => {
    assert.equal(await tx.records.get(["cards", idOf(9)]), undefined);
    tx.records.put(row(9, 10));
    assert.deepEqual(await ranks(tx), [0, 1, 2, 0, 10]); // a row of its own now
    tx.records.put(row(9, 11));
    tx.records.put(row(0, 12));
    assert.deepEqual(await ranks(tx), [12, 1, 2, 0, 11]); // in a chunk
    tx.records.remove(["cards", idOf(9)]);
    assert.deepEqual(await ranks(tx), [12, 1, 2, 0]);
    tx.records.put(row(9, 13));
    assert.equal(await tx.records.count("cards"), 5);
    tx.records.remove(["cards", idOf(9)]);
    assert.equal(await tx.records.count("cards"), 4);
  });
  assert.equal((await places(store)).found.size, 4);
});

test("many records that are looked for at once are not read one by one", async () => {
  const { db } = await filled(30);
  await pulled(db, [put(idOf(100), 2)]);
  let asked = 0;
  await db.write(async (tx) => {
    const { get } = tx;
    tx.get = (table, key) => ((asked += Number(table === "records")), get(table, key));
    const keys = Array.from({ length: 40 }, (_, at) => ["cards", idOf(80 + at)]);
    await tx.records.expect(keys);
    assert.equal((await Promise.all(keys.map((key) => tx.records.get(key)))).filter(Boolean).length, 1);
    tx.records.remove(["cards", idOf(100)]);
    assert.equal(await tx.records.count("cards"), 30);
    assert.equal(await tx.records.get(["cards", idOf(100)]), undefined);
  });
  assert.equal(asked, 0);
});

test("what another tab does to a chunk is seen at once", async () => {
  const { store, db, ids, cards } = await filled(6);
  const other = new Database(store, undefined, SMALL);
  assert.equal(await cardsOf(other).count(), 6);
  await pulled(db, [{ op: "remove", collection: "cards", id: ids[0] }, put(ids[1], 2, { rank: 50 })]);
  assert.equal(await cardsOf(other).get(ids[0]), null);
  assert.equal((await cardsOf(other).get(ids[1])).object.rank, 50);
  await pulled(other, [put(ids[2], 3, { rank: 60 })]);
  assert.equal((await cards.get(ids[2])).object.rank, 60);
  await other.wipe();
  assert.deepEqual(await cards.all(), []);
});

test("a get reads one chunk of many, and a second get reads none", async () => {
  const { store, ids } = await filled(60);
  const counts = { contents: 0, columns: 0, chunks: 0 };
  const counting = new Proxy(store, {
    get: (of, name) => {
      if (name !== "read") return typeof of[name] === "function" ? of[name].bind(of) : of[name];
      return (body) => of.read((tx) => body({
        ...{ count: tx.count.bind(tx), list: (table, range) => ((counts[table] += 1), tx.list(table, range)) },
        get: (table, key) => ((counts[table] += 1), tx.get(table, key)),
      }));
    },
  });
  const cards = cardsOf(new Database(counting, undefined, SMALL));
  assert.equal((await cards.get(ids[31])).object.at, 31);
  assert.deepEqual({ ...counts }, { ...counts, contents: 1, columns: 1, chunks: 1 });
  assert.equal((await cards.get(ids[32])).object.at, 32);
  assert.deepEqual({ ...counts }, { ...counts, contents: 1, columns: 1, chunks: 1 });
});

test("what is left over becomes chunks again, step by step", async () => {
  const { store, db, cards } = await filled(12);
  for (let at = 0; at < 12; at++) await pulled(db, [put(idOf(at), 2, { rank: at })]);
  assert.equal(await store.read((tx) => tx.count("records")), 12);
  const before = await cards.all();
  let steps = 0;
  while (await db.write((tx) => tidyOnce(tx, "cards"))) assert.ok(++steps < 50, "it comes to an end");
  assert.ok((await store.read((tx) => tx.count("records"))) <= SMALL.singles);
  assert.deepEqual(await cards.all(), before);
  assert.ok([...(await places(store)).found.values()].every((times) => times === 1));
});

test("small chunks become few, and large records are few in one", async () => {
  const store = new MemoryStore();
  const db = new Database(store, undefined, { size: 40, least: 5, singles: 8 });
  for (let round = 0; round < 9; round++) {
    await pulled(db, Array.from({ length: 6 }, (_, at) => put(idOf(round * 10 + at), 1, { at })));
  }
  const counts = async () => (await store.read((tx) => tx.list("chunks"))).map(({ count }) => count);
  assert.deepEqual(await counts(), Array(9).fill(6));
  await new Upkeep(db, NAMES).run();
  assert.deepEqual(await counts(), [6, 24, 24]);
  const body = "b".repeat(100_000);
  await pulled(db, Array.from({ length: 7 }, (_, at) => put(idOf(1000 + at), 1, { at, body })));
  assert.deepEqual(await counts(), [6, 24, 24, 2, 2, 2, 1]);
  await new Upkeep(db, NAMES).run();
  assert.deepEqual(await counts(), [6, 24, 24, 2, 2, 2, 1], "it comes to an end");
  assert.equal(await cardsOf(db).count(), 61);
});

/** What a store of schema version 1 had, and nothing else. */
const BEFORE = {
  meta: ["key", {}],
  collections: ["name", {}],
  records: [["collection", "id"], { scope: ["collection", "scope"], gone: "gone" }],
  outbox: ["seq", { object: ["collection", "objectId"], state: "state" }],
  conflicts: ["seq", {}],
  rejections: ["seq", {}],
};

/** A database as a release of before left it: 30 records, one of which has a local edit. */
async function leftBehind(factory, name) {
  const asked = factory.open(name, 1);
  asked.onupgradeneeded = () => {
    for (const [table, [keyPath, indexes]] of Object.entries(BEFORE)) {
      const made = asked.result.createObjectStore(table, { keyPath });
      for (const [index, path] of Object.entries(indexes)) made.createIndex(index, path);
    }
  };
  const db = await new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = reject;
  });
  db.onversionchange = () => db.close(); // as that release had it
  const tx = db.transaction(Object.keys(BEFORE), "readwrite");
  tx.objectStore("meta").put({
    key: "state", schemaVersion: 1, clientId: "c", cursor: "5", epoch: "e", serverEpoch: "e", stream: 0, pulls: 3, seq: 1,
    snapshot: null, url: "http://localhost/sync/", user: null, fingerprint: null,
  });
  tx.objectStore("collections").put({ name: "cards", generation: 1, sweeping: false, replaces: false });
  for (let at = 0; at < 30; at++) {
    const { op: _, ...row } = put(idOf(at), 1, { rank: at % 3, at });
    tx.objectStore("records").put({ ...row, generation: 1 });
  }
  tx.objectStore("outbox").put({
    seq: 1, id: idOf(500), op: "update", collection: "cards", objectId: idOf(4), fields: { rank: 9 }, baseRevision: 1,
    epoch: "e", base: { rank: 1 }, at: "2026-01-01T00:00:00Z", state: "new", body: null,
  });
  await new Promise((resolve) => (tx.oncomplete = resolve));
  return db;
}

test("a store of a release before goes on, while that release's tab is open", { skip }, async () => {
  const factory = new twin.IDBFactory();
  const old = await leftBehind(factory, "before");
  const store = await new IndexedDBStore("before", factory).open();
  assert.throws(() => old.transaction("records")); // it gave way
  const db = new Database(store, undefined, { size: 10, least: 5, singles: 8 });
  const cards = cardsOf(db);
  const check = async () => {
    assert.deepEqual((await cards.all()).map(({ object }) => object.at), Array.from({ length: 30 }, (_, at) => at));
    assert.deepEqual((await cards.filter({ rank: 9 })).map(({ id, pending }) => [id, pending]), [[idOf(4), true]]);
    assert.equal((await cards.filter({ rank: 1 }, { orderBy: "-at", limit: 2 }))[0].object.at, 28);
    assert.equal(await cards.count(), 30);
    assert.equal((await new Replica(db).place()).clientId, "c");
  };
  await check();
  await db.declare({ cards: ["rank", "at"] });
  await check();
  assert.equal((await store.read((tx) => tx.get("meta", "state"))).schemaVersion, 2);
  await new Upkeep(db, NAMES).run();
  assert.ok((await store.read((tx) => tx.count("records"))) <= 8);
  await check();
  await pulled(db, [put(idOf(7), 2, { rank: 2, at: 7 }), { op: "delete", collection: "cards", id: idOf(29), revision: 2 }]);
  assert.equal(await cards.count(), 29);
  assert.equal((await cards.get(idOf(7))).revision, 2);
  store.close();
});

test("a store of a later release is left alone", { skip }, async () => {
  const factory = new twin.IDBFactory();
  await new Promise((resolve) => (factory.open("later", 3).onsuccess = resolve));
  await assert.rejects(new IndexedDBStore("later", factory).open(), errors.StorageLost);
  const store = new MemoryStore();
  await store.write(async (tx) => tx.put("meta", { key: "state", schemaVersion: 3 }));
  await assert.rejects(new Database(store).write(async () => undefined), errors.StoreMismatch);
});

/** Queries: both clients find the same, by tests/vectors/indexes.json. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { MemoryStore, errors, SyncClient } from "../../../django_sync/static/django_sync/client.js";
import { Database } from "../../../django_sync/static/django_sync/store/database.js";
import { Upkeep } from "../../../django_sync/static/django_sync/store/upkeep.js";
import { NAMES, SMALL, begin, cardsOf, filled, idOf, places, pulled, put } from "./chunked.js";
import { until } from "../helpers.js";

const VECTORS = JSON.parse(await readFile(new URL("../../vectors/indexes.json", import.meta.url), "utf8"));

for (const [how, sizes] of Object.entries({ chunks: SMALL, rows: undefined, "one each": { size: 1, least: 1, singles: 0 } })) {
  for (const indexed of [true, false]) {
    test(`vectors: in ${how}, ${indexed ? "with" : "without"} indexes`, async () => {
      const db = new Database(new MemoryStore(), undefined, sizes);
      await db.declare(indexed ? { cards: VECTORS.indexes } : {});
      const cards = cardsOf(db);
      // A part of them comes later, alone.
      await pulled(db, [begin(), ...VECTORS.records.slice(0, 12).map(({ id, object }) => put(id, 1, object))]);
      for (const { id, object } of VECTORS.records.slice(12)) await pulled(db, [put(id, 1, object)]);
      const check = async (member) => {
        for (const { where, orderBy, limit, ...wanted } of VECTORS.queries) {
          const found = await cards.filter(where, { orderBy, limit });
          assert.deepEqual(found.map(({ id }) => id), wanted[member], JSON.stringify({ where, orderBy, limit }));
        }
      };
      await check("stored");
      for (const { op, id, fields } of VECTORS.local) {
        if (op === "create") await cards.create(fields, { id });
        else if (op === "update") await cards.update(id, fields);
        else await cards.delete(id);
      }
      await check("ids");
    });
  }
}

test("an index leads to what is wanted: other chunks are not read", async () => {
  const { store, db } = await filled(60);
  await pulled(db, [put(idOf(1000), 2, { rank: 7, at: 0 }), put(idOf(1001), 2, { rank: 8, at: 0 })]);
  const read = [];
  const counting = new Proxy(store, {
    get: (of, name) => {
      if (name !== "read") return typeof of[name] === "function" ? of[name].bind(of) : of[name];
      return (body) => of.read((tx) => body({
        ...{ count: tx.count.bind(tx), list: tx.list.bind(tx) },
        get: (table, key) => (table === "contents" && read.push(key), tx.get(table, key)),
      }));
    },
  });
  const cards = cardsOf(new Database(counting, undefined, SMALL));
  assert.equal((await cards.filter({ rank: { gt: 7 } })).length, 1);
  assert.equal(read.length, 1);
  assert.deepEqual((await cards.filter({}, { orderBy: "-rank", limit: 2 })).map(({ object }) => object.rank), [8, 7]);
  assert.equal(read.length, 1);
  assert.equal((await cards.filter({ rank: 0 }, { limit: 2 })).length, 2);
  assert.ok(read.length <= 3, `${read.length} were read`);
});

test("where the indexed fields change, old chunks are read until their columns are made", async () => {
  const { store, db, ids, cards } = await filled(7);
  await db.declare({ cards: ["at"] });
  assert.deepEqual((await cards.filter({ at: { gte: 5 } })).map(({ id }) => id), ids.slice(5));
  const fields = async () => (await store.read((tx) => tx.list("chunks"))).map(({ fields }) => fields);
  assert.deepEqual(await fields(), [["rank"], ["rank"], ["rank"]]);
  await new Upkeep(db, NAMES).run();
  assert.deepEqual(await fields(), [["at"], ["at"], ["at"]]);
  await places(store); // no column too many or too few
  assert.deepEqual((await cardsOf(new Database(store)).filter({ at: { gte: 5 } })).map(({ id }) => id), ids.slice(5));
});

test("a live query keeps to its order and its limit", async () => {
  const client = await SyncClient.open("http://localhost/sync/", { store: new MemoryStore(), collections: ["cards"], indexes: { cards: ["n"] } });
  const cards = client.collection("cards");
  const made = [];
  for (const n of [5, 3, 9]) made.push((await cards.create({ n })).id);
  const shown = { top: [], sorted: [] };
  cards.live({}, (records) => (shown.top = records.map(({ object }) => object.n)), { orderBy: "-n", limit: 2 });
  cards.live({ n: { gt: 3 } }, (records) => (shown.sorted = records.map(({ object }) => object.n)), { orderBy: "n" });
  const becomes = (top, sorted) => until(() => `${shown.top}` === `${top}` && `${shown.sorted}` === `${sorted}`, `${top} and ${sorted}`);
  await becomes([9, 5], [5, 9]);
  await cards.update(made[1], { n: 7 });
  await becomes([9, 7], [5, 7, 9]);
  await cards.delete(made[2]);
  await becomes([7, 5], [5, 7]);
  await cards.update(made[0], { n: 1 });
  await becomes([7, 1], [7]);
  await client.close();
});

test("an index that names no field, or another's collection, is refused; so is a bound without an order", async () => {
  const open = (indexes) => SyncClient.open("http://localhost/sync/", { store: new MemoryStore(), collections: ["cards"], indexes });
  await assert.rejects(open({ boards: ["name"] }), errors.Invalid);
  await assert.rejects(open({ cards: "due" }), errors.Invalid);
  await assert.rejects(open({ cards: [""] }), errors.Invalid);
  const client = await open({ cards: ["due"] });
  const cards = client.collection("cards");
  await assert.rejects(cards.filter({ due: { gte: null } }), errors.Invalid);
  await assert.rejects(cards.filter({ due: { lt: [1] } }), errors.Invalid);
  await assert.rejects(cards.filter({}, { limit: -1 }), errors.Invalid);
  await assert.rejects(cards.filter({}, { limit: 1.5 }), errors.Invalid);
  await client.close();
});

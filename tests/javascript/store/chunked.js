/** A store with chunks and no server: what the tests of chunks and indexes share. */

import assert from "node:assert/strict";

import { MemoryStore } from "../../../django_sync/static/django_sync/client.js";
import { Collection } from "../../../django_sync/static/django_sync/collection.js";
import { Database } from "../../../django_sync/static/django_sync/store/database.js";
import { Replica } from "../../../django_sync/static/django_sync/store/replica.js";

export const NAMES = ["cards", "boards"];
export const SMALL = { size: 3, least: 2, singles: 2 };

export const idOf = (number) => `019a0000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
export const put = (id, revision, object = { title: `${id} ${revision}` }, scope = "s", collection = "cards") => ({
  op: "put", collection, id, revision, scope, object,
});
export const begin = (collection = "cards") => ({ op: "begin", collection });
export const page = (cursor, changes, hasMore = false) => ({ changes, cursor, hasMore, epoch: "e", snapshot: null });

const owner = { wrote: () => undefined, watch: () => () => undefined };
export const cardsOf = (db, name = "cards") => new Collection(name, db, owner);

/** A page from a pull of its own. */
export async function pulled(db, changes, hasMore = false, pull = undefined) {
  const replica = new Replica(db);
  const begun = pull ?? (await replica.beginPull()).pull;
  const place = await replica.place();
  return replica.apply(page(`${place.cursor ?? ""}.`.slice(-9) + Math.random(), changes, hasMore), place, NAMES, begun);
}

/** How often each id is stored; and no chunk is empty. */
export async function places(store) {
  return store.read(async (tx) => {
    const found = new Map();
    const add = (collection, id) => found.set(`${collection}/${id}`, (found.get(`${collection}/${id}`) ?? 0) + 1);
    for (const { collection, id } of await tx.list("records")) add(collection, id);
    const columns = await tx.list("columns");
    const chunks = await tx.list("chunks");
    assert.equal((await tx.list("contents")).length, chunks.length);
    assert.equal(columns.length, chunks.reduce((sum, { fields }) => sum + 1 + fields.length, 0));
    for (const { collection, number, gone, count } of chunks) {
      const { ids } = columns.find((one) => one.number === number && one.field === "");
      assert.equal(ids.length, count);
      assert.ok(gone.length < count);
      ids.forEach((id, at) => gone.includes(at) || add(collection, id));
    }
    return { found, chunks };
  });
}

export async function filled(count, sizes = SMALL) {
  const store = new MemoryStore();
  const db = new Database(store, undefined, sizes);
  await db.declare({ cards: ["rank"] });
  const ids = Array.from({ length: count }, (_, at) => idOf(at));
  await pulled(db, [begin(), ...ids.map((id, at) => put(id, 1, { rank: at % 3, at }, at < count / 2 ? "s" : "t"))]);
  return { store, db, ids, cards: cardsOf(db) };
}

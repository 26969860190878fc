/** Pages on their way into the store: what is looked for there, what is not, and what is asked ahead. */

import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore, SyncClient } from "../../../django_sync/static/django_sync/client.js";
import { Database } from "../../../django_sync/static/django_sync/store/database.js";
import { Replica } from "../../../django_sync/static/django_sync/store/replica.js";
import { WakeupStore } from "../../../django_sync/static/django_sync/store/wakeup_store.js";

const NAMES = ["cards"];

/** A store that counts how often a record is looked for by its key. */
class Counting extends MemoryStore {
  looked = 0;

  write(body, care) {
    return super.write((tx) => body(this.#watched(tx)), care);
  }

  #watched(tx) {
    return new Proxy(tx, {
      get: (of, name) => {
        if (name === "get") return (table, key) => ((this.looked += Number(table === "records")), of.get(table, key));
        return typeof of[name] === "function" ? of[name].bind(of) : of[name];
      },
    });
  }
}

const put = (id, revision, title = `${id} ${revision}`) => ({
  op: "put", collection: "cards", id, revision, scope: "s", object: { title },
});
const begin = { op: "begin", collection: "cards" };
const page = (cursor, changes, hasMore = true) => ({ changes, cursor, hasMore, epoch: "e", snapshot: null });

async function started() {
  const store = new Counting();
  const replica = new Replica(new Database(store));
  const { pull, place } = await replica.beginPull();
  const apply = async (page) => {
    const seen = await replica.apply(page, { ...(await replica.place()) }, NAMES, pull);
    return seen?.changes.map(({ kind, id }) => `${kind} ${id}`) ?? null;
  };
  const titles = async () => (await store.read((tx) => tx.list("records"))).map(({ object }) => object.title);
  return { store, replica, apply, titles, pull, place };
}

test("a snapshot of what was empty looks for nothing, and for what came in it twice", async () => {
  const { store, apply, titles } = await started();
  assert.deepEqual(await apply(page("1", [begin, put("a", 1), put("b", 5)])), ["created a", "created b"]);
  assert.equal(store.looked, 0);
  assert.deepEqual(await apply(page("2", [put("c", 1), put("a", 2), put("b", 4)])), ["created c", "updated a"]);
  assert.equal(store.looked, 2, "those that had come");
  assert.deepEqual(await apply(page("3", [put("d", 1)], false)), ["created d"]);
  assert.deepEqual(await titles(), ["a 2", "b 5", "c 1", "d 1"]);
});

test("what comes behind a snapshot is looked for as ever", async () => {
  const { store, apply, titles } = await started();
  await apply(page("1", [begin, put("a", 3)], false));
  assert.deepEqual(await apply(page("2", [put("a", 2)])), []);
  assert.equal(store.looked, 1);
  assert.deepEqual(await titles(), ["a 3"]);
});

test("a snapshot of what was not empty is compared with it", async () => {
  const { apply, titles } = await started();
  await apply(page("1", [begin, put("a", 3), put("b", 1)], false));
  await apply(page("2", [begin, put("a", 2)]));
  assert.deepEqual(await apply(page("3", [], false)), ["deleted b"]);
  assert.deepEqual(await titles(), ["a 3"]);
});

test("who else feeds the store meanwhile is not overlooked", async () => {
  const { store, replica, apply, titles, pull } = await started();
  await apply(page("1", [begin, put("a", 1)]));
  const other = new Replica(new Database(store)); // another tab's
  const stream = await other.beginStream();
  await other.feed([page(null, [put("b", 7)])], stream, null, NAMES);
  await other.endStream(stream.stream);
  await replica.apply(page("2", [put("b", 6)], false), await replica.place(), NAMES, pull);
  assert.deepEqual(await titles(), ["a 1", "b 7"]);
});

test("what a page that failed brought is not taken to be there", async () => {
  const { store, replica, apply, pull } = await started();
  await apply(page("1", [begin, put("a", 1)]));
  const place = await replica.place();
  const broken = page("2", [put("b", 1), { op: "put", collection: "cards", get id() { throw new Error("no room"); } }]);
  await assert.rejects(replica.apply(broken, place, NAMES, pull), /no room/);
  store.looked = 0;
  assert.deepEqual(await apply(page("2", [put("b", 1)])), ["created b"]);
  assert.equal(store.looked, 1, "it is looked for again");
});

/** A client of a server with these pages, by the cursor that is asked from; `asked` hears of each. */
function clientOf(pages, store, asked) {
  const answer = (body) => new Response(JSON.stringify(body), { headers: { "Content-Type": "application/json" } });
  return SyncClient.open("http://localhost/sync/", {
    store,
    collections: NAMES,
    fetch: async (url, { method }) => {
      if (method === "POST") return answer({ results: [] });
      if (!url.pathname.endsWith("/changes/")) return answer({ protocol: 1, epoch: "e", limits: {} });
      const cursor = url.searchParams.get("cursor") ?? "";
      await asked(cursor);
      const { hasMore, ...rest } = pages[cursor];
      return answer({ ...rest, has_more: hasMore });
    },
  });
}

test("the next page is asked for while one is written, and taken once", async () => {
  const pages = { "": page("1", [begin, put("a", 1)]), 1: page("2", [put("b", 1)]), 2: page("3", [put("c", 1)], false) };
  const order = [];
  const store = new Counting();
  const write = store.write.bind(store);
  store.write = (body, care) => write(body, care).finally(() => order.push("written"));
  const client = await clientOf(pages, store, (cursor) => order.push(`asked ${cursor}`));
  await client.sync();
  const asked = order.filter((what) => what !== "written");
  assert.deepEqual(asked, ["asked ", "asked 1", "asked 2"]);
  const [first, then] = [order.indexOf("asked "), order.indexOf("asked 1")];
  assert.deepEqual(order.slice(first, then + 1), ["asked ", "asked 1"], "before the first page was written");
  assert.equal(await client.collection("cards").count(), 3);
  await client.close();
});

test("a wake-up that comes once the last page was asked for is not served by it", async () => {
  const pages = { "": page("1", [begin, put("a", 1)]), 1: page("2", [put("b", 1)], false), 2: page("2", [], false) };
  const store = new MemoryStore();
  const wakes = new WakeupStore(new Database(store));
  const client = await clientOf(pages, store, (cursor) => cursor === "1" && client.wake({ type: "sync" }));
  await client.sync();
  assert.equal(await wakes.hasPending(), true);
  await client.sync();
  assert.equal(await wakes.hasPending(), false);
  await client.close();
});

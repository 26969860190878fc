/** The outbox at length: what is folded, and what goes out in which order. No server is asked. */

import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore, SyncClient } from "../../../django_sync/static/django_sync/client.js";
import { Database } from "../../../django_sync/static/django_sync/store/database.js";
import { Blocked, take } from "../../../django_sync/static/django_sync/store/outbox.js";

async function opened() {
  const store = new MemoryStore();
  const client = await SyncClient.open("http://localhost/sync/", { store, collections: ["boards", "cards"] });
  return { client, cards: client.collection("cards"), boards: client.collection("boards"), db: new Database(store) };
}

test("an outbox longer than a batch, and than a look at it, goes out whole and in order", async () => {
  const { client, cards, db } = await opened();
  const made = [];
  for (let at = 0; at < 1_100; at++) made.push((await cards.create({ title: String(at) })).id);
  const sent = [];
  const sizes = [];
  for (let from = 0; ; ) {
    const batch = await db.write((tx) => take(tx, { from, to: 1_100 }, 600, 1e9, new Blocked()));
    if (batch.length === 0) break;
    sizes.push(batch.length);
    sent.push(...batch.map(({ row }) => row.objectId));
    from = batch.at(-1).row.seq + 1;
  }
  assert.deepEqual(sizes, [600, 499]); // up to the `seq` at which it began, 1,100 excluded
  assert.deepEqual(sent, made.slice(0, 1_099));
  assert.equal((await client.outbox()).length, 1_100);
});

test("a batch ends where its bytes do, and what one stands on is not overtaken", async () => {
  const { cards, db } = await opened();
  for (const title of ["a", "b".repeat(500), "c"]) await cards.create({ title });
  const span = { from: 0, to: 9 };
  const [first] = await db.write((tx) => take(tx, span, 10, 10, new Blocked()));
  assert.equal(first.row.fields.title, "a"); // one goes, however large
  const blocked = new Blocked();
  blocked.add(first.row);
  const rest = await db.write((tx) => take(tx, span, 10, 1e9, blocked));
  assert.deepEqual(rest.map(({ row }) => row.fields.title[0]), ["b", "c"]);
});

for (const far of [0, 250]) {
  test(`a create is not folded past what it then refers to, ${far} entries back`, async () => {
    const { client, cards, boards } = await opened();
    const card = await cards.create({ title: "a" });
    for (let at = 0; at < far; at++) await cards.create({ title: String(at) });
    const board = await boards.create({ title: "new" });
    await cards.update(card.id, { board: board.id });
    const unsent = await client.outbox();
    assert.deepEqual(unsent[0].fields, { title: "a" });
    assert.deepEqual([unsent.at(-1).op, unsent.at(-1).fields], ["update", { board: board.id }]);
  });
}

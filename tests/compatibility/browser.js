/**
 * Grace, who uses the JavaScript client that CLIENT names, in Node.
 *
 *     node browser.js write ADDRESS FOLDER    her store before she updates, FOLDER/javascript.json
 *     node browser.js sync ADDRESS FOLDER     that store again: it syncs, settles conflicts, and
 *                                             what happened is printed as JSON
 *
 * As in person.py a store belongs to `URL`, and requests go to the server that happens to run.
 */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dump, load } from "./databases.js";

const [command, address, folder] = process.argv.slice(2);
const { IDBFactory, IDBKeyRange } = await import(process.env.FAKE_INDEXEDDB);
globalThis.indexedDB = new IDBFactory();
globalThis.IDBKeyRange = IDBKeyRange;
const { Backoff, MemoryStore, SyncClient, TokenAuth, errors } = await import(process.env.CLIENT);

const URL_OF_STORES = "http://localhost:8000/sync/";
const COLLECTIONS = ["boards", "labels", "cards", "comments"];
const FILE = `${folder}/javascript.json`;

/** The way to the server. It notes what is exchanged, and can lose answers. */
function cable() {
  const way = async (url, how = {}) => {
    const asked = new URL(url);
    const there = new URL(asked.pathname + asked.search, address);
    const response = await fetch(there, how);
    const body = await response.clone().text();
    if (way.losesAnswers) throw new TypeError("fetch failed");
    // How often a held pull comes back is a matter of time.
    if (!asked.pathname.includes("/live/")) way.exchanges.push(exchange(asked, how.method ?? "GET", response.status, body));
    return response;
  };
  return Object.assign(way, { losesAnswers: false, exchanges: [] });
}

/** What was asked and answered, without what differs from run to run. */
function exchange(asked, method, status, body) {
  const found = { request: `${method} ${asked.pathname}`, status };
  if (asked.pathname.endsWith("/changes/")) {
    found.cursor = asked.searchParams.get("cursor");
    const { changes } = JSON.parse(body);
    found.changes = changes.map((one) => [one.op, one.collection, one.id ?? one.record?.id ?? one.scope ?? null]);
  }
  if (asked.pathname.endsWith("/mutations/")) {
    found.results = JSON.parse(body).results.map(({ id, status: of, replayed }) => [id, of, replayed ?? null]);
  }
  return found;
}

function open(way, store, name) {
  return SyncClient.open(URL_OF_STORES, {
    store,
    collections: COLLECTIONS,
    auth: new TokenAuth(`demo-${name}`),
    fetch: way,
    backoff: new Backoff({ first: 0.01, longest: 0.02 }),
    indexes: { cards: ["board", "votes"] },
    transports: ["long-poll"],
  });
}

async function idOf(client, title) {
  const found = await client.collection("cards").filter({ title });
  assert.equal(found.length, 1, title);
  return found[0].id;
}

async function until(condition) {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, "it never came to this");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function goLive(client) {
  client.start();
  await client.waitUntilSynced();
  await until(() => client.status.transport === "long-poll");
}

async function write() {
  const way = cable();
  const grace = await open(way, "of before", "grace");
  const ada = await open(cable(), new MemoryStore(), "ada");
  await grace.sync();
  await ada.sync();
  const [cards, theirs] = [grace.collection("cards"), ada.collection("cards")];
  const [board] = await grace.collection("boards").filter({ name: "Launch" });
  const labels = await grace.collection("labels").filter({ board: board.id });
  const seeded = [];
  for (let at = 1; at <= 12; at++) seeded[at] = await idOf(grace, `JavaScript ${at}`);

  // Applied: a create, an update, a delete.
  const made = await cards.create({ board: board.id, title: "Made by Grace", labels: [labels[0].id] });
  await grace.collection("comments").create({ card: made.id, text: "Made with it" });
  await cards.update(seeded[1], { body: "Written by Grace", due: "2030-05-01" });
  await cards.delete(seeded[2]);
  await grace.sync();
  await cards.update(made.id, { checklist: [{ text: "Ü – “ß”", done: true }] });
  await grace.sync();

  // Settled by a resolver; in conflict.
  await theirs.update(seeded[3], { column: "done" });
  await theirs.update(seeded[4], { votes: 5 });
  await ada.sync();
  await cards.update(seeded[3], { column: "doing" });
  await cards.update(seeded[4], { votes: 7 });
  await grace.sync();
  assert.equal((await grace.conflicts()).length, 1);

  await goLive(grace); // which opens a session
  await grace.stop();

  // Applied, and Grace does not know: the answer was lost. Ada has written after it.
  await cards.update(seeded[5], { title: "Grace's title, sent once" });
  way.losesAnswers = true;
  await assert.rejects(grace.sync(), errors.Offline);
  await ada.sync();
  await theirs.update(seeded[5], { title: "Ada's title, after Grace's" });

  // Never sent. Ada has changed two of the cards, another field of one, the same of the other.
  const unsent = await cards.create({ board: board.id, title: "Not sent", labels: [labels[1].id] });
  await grace.collection("comments").create({ card: unsent.id, text: "Not sent either" });
  await cards.update(seeded[6], { body: "Grace's body" });
  await cards.update(seeded[7], { votes: 70 });
  await cards.update(seeded[8], { title: "Grace's title, not sent" });
  await cards.delete(seeded[9]);
  await theirs.update(seeded[6], { title: "Ada's title" });
  await theirs.update(seeded[7], { votes: 77 });
  await theirs.delete(seeded[10]);
  await ada.sync();
  await grace.close();
  await ada.close();
  const databases = await dump(globalThis.indexedDB);
  await writeFile(FILE, `[\n${databases.map(lines).join(",\n")}\n]\n`);
  process.stdout.write("{}");
}

/** A database as JSON with a line for each row, for people who compare. */
function lines({ name, version, stores }) {
  const of = stores.map(({ rows, ...store }) => {
    const all = rows.map((row) => JSON.stringify(row)).join(",\n");
    return `${JSON.stringify(store).slice(0, -1)}, "rows": [\n${all}]}`;
  });
  return `{"name": ${JSON.stringify(name)}, "version": ${version}, "stores": [\n${of.join(",\n")}]}`;
}

async function sync() {
  await load(globalThis.indexedDB, JSON.parse(await readFile(FILE, "utf8")));
  const way = cable();
  const grace = await open(way, "of before", "grace");
  assert.equal(grace.storage.kind, "indexeddb", grace.storage.problem);
  const found = { client_id: await grace.clientId(), before: await overview(grace) };
  await grace.sync();
  found.synced = await overview(grace);
  const [old, young] = (await grace.conflicts()).sort((left, right) => left.mutation.seq - right.mutation.seq);
  found.settled = [await old.settle(old.keepClient()), await young.settle(young.keepServer())];
  await grace.sync();
  found.after = await overview(grace);
  found.exchanges = [...way.exchanges];
  found.contents = {};
  for (const name of COLLECTIONS) {
    for (const { id, revision, scope, object } of await grace.collection(name).all()) {
      found.contents[`${name}/${id}`] = [revision, scope, object];
    }
  }
  found.tables = await tables();
  await goLive(grace);
  found.live = grace.status.transport;
  await grace.close();
  process.stdout.write(JSON.stringify(found));
}

/** What waits in the client's store. */
async function overview(client) {
  const records = {};
  for (const name of COLLECTIONS) records[name] = await client.collection(name).count();
  const conflicts = await client.conflicts();
  return {
    records,
    "many votes": (await client.collection("cards").filter({ votes: { gte: 5 } })).map(({ id }) => id).sort(),
    outbox: (await client.outbox()).map((one) => [one.id, one.op, one.collection, one.objectId, one.state, one.fields]),
    conflicts: conflicts.map((one) => [one.kind, [...one.fields].sort(), one.mutation.id, one.client]),
    rejections: (await client.rejections()).map((one) => [one.mutation.id, one.problem.code]),
  };
}

/** Every record as REST reads it from the server's tables for Grace. */
async function tables() {
  const found = {};
  for (const name of COLLECTIONS) {
    let place = `/sync/${name}/`;
    while (place !== null) {
      const { pathname, search } = new URL(place, address);
      const response = await fetch(new URL(pathname + search, address), { headers: { Authorization: "Token demo-grace" } });
      assert.equal(response.status, 200);
      const { results, next } = await response.json();
      for (const { id, revision, scope, object } of results) found[`${name}/${id}`] = [revision, scope, object];
      place = next;
    }
  }
  return found;
}

await { write, sync }[command]();
process.exit(0);

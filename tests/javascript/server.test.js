/** Clients in Node against a real server: SYNC_URL says where the example is, with its demo's rows. */

import assert from "node:assert/strict";
import test from "node:test";

import { errors, MemoryStore, TokenAuth } from "../../django_sync/static/django_sync/client.js";
import { boardOf, clientOf, contentsOf, until, URL_OF_SERVER } from "./helpers.js";

const skip = URL_OF_SERVER ? false : "SYNC_URL names no server";
const opened = [];

async function open(name, options) {
  const client = await clientOf(name, options);
  opened.push(client);
  return client;
}

/** A fetch that counts, and fails while it is told to. */
function wobbly() {
  const way = async (...asked) => {
    way.calls += 1;
    if (way.down === "before") throw new TypeError("fetch failed");
    const answer = await fetch(...asked);
    if (way.down === "after") throw new TypeError("fetch failed");
    return answer;
  };
  way.calls = 0;
  way.down = "";
  return way;
}

test.after(() => Promise.all(opened.map((client) => client.close())));

test("a replica holds what its user sees, and no more", { skip }, async () => {
  const [ada, alan] = [await open("ada"), await open("alan")];
  await ada.sync();
  await alan.sync();
  assert.ok(await boardOf(ada, "Launch"));
  assert.equal(await boardOf(ada, "Private"), undefined);
  assert.ok(await boardOf(alan, "Private"));
  assert.ok((await ada.collection("cards").count()) > 0);
  assert.equal((await ada.collection("cards").all()).length, await ada.collection("cards").count());
});

test("what is written offline is there at once, and reaches the server once", { skip }, async () => {
  const way = wobbly();
  const ada = await open("ada", { fetch: way });
  await ada.sync();
  const board = await boardOf(ada, "Launch");
  way.down = "before";
  const cards = ada.collection("cards");
  const card = await cards.create({ board: board.id, title: "offline" });
  assert.equal((await cards.get(card.id)).object.title, "offline");
  assert.equal((await cards.get(card.id)).pending, true);
  assert.equal(card.revision, 0);
  await assert.rejects(ada.sync(), errors.Offline);
  assert.equal(ada.status.pending, 1);
  assert.equal(ada.status.network, "offline");
  way.down = "after"; // the server has it, and we do not know
  await assert.rejects(ada.sync(), errors.Offline);
  way.down = "";
  await ada.sync();
  const grace = await open("grace");
  await grace.sync();
  assert.equal((await grace.collection("cards").filter({ title: "offline" })).length, 1);
  assert.equal((await cards.get(card.id)).pending, false);
  assert.ok((await cards.get(card.id)).revision >= 1);
  assert.deepEqual(await ada.outbox(), []);
  await cards.delete(card.id);
  assert.equal(await cards.get(card.id), null);
  await ada.sync();
  await grace.sync();
  assert.deepEqual(await grace.collection("cards").filter({ title: "offline" }), []);
});

for (const transport of ["websocket", "sse", "long-poll", "poll"]) {
  const lacks = transport === "websocket" && globalThis.WebSocket === undefined && "this Node has no WebSocket";
  test(`${transport}: an edit of one shows in the other, both ways`, { skip: skip || lacks }, async () => {
    const ada = await open("ada", { transports: [transport] });
    const grace = await open("grace", { transports: [transport] });
    const seen = [];
    ada.onChange("cards", (change) => seen.push(change));
    for (const client of [ada, grace]) {
      client.start();
      await client.waitUntilSynced();
      await until(() => client.status.link === "live" && client.status.transport === transport, `live by ${transport}: ${JSON.stringify(client.status)}`);
    }
    const board = await boardOf(ada, "Launch");
    let shown = [];
    ada.collection("cards").live({ board: board.id, title: `by ${transport}` }, (records) => (shown = records));
    const card = await grace.collection("cards").create({ board: board.id, title: `by ${transport}` });
    await until(() => shown.length === 1, "Ada sees it");
    assert.equal(shown[0].id, card.id);
    assert.deepEqual(seen.filter(({ id }) => id === card.id).map(({ kind, origin }) => [kind, origin]), [["created", "remote"]]);
    await ada.collection("cards").update(card.id, { votes: 3 });
    await until(async () => (await grace.collection("cards").get(card.id))?.object.votes === 3, "Grace sees the votes");
    await ada.collection("cards").delete(card.id);
    await until(async () => (await grace.collection("cards").get(card.id)) === null, "it is gone at Grace's");
    await until(() => ada.status.pending === 0 && grace.status.pending === 0, "nothing waits");
    await until(async () => (await ada.outbox()).length === 0, "the outbox is empty");
    await Promise.all([ada.stop(), grace.stop()]);
    assert.equal(ada.status.link, "stopped");
  });
}

test("a conflict is told, shows the user's version until it is settled, and is settled once", { skip }, async () => {
  const [ada, grace] = [await open("ada"), await open("grace")];
  await ada.sync();
  const board = await boardOf(ada, "Launch");
  const made = await ada.collection("cards").create({ board: board.id, title: "t", column: "todo" });
  await ada.sync();
  await grace.sync();
  await ada.collection("cards").update(made.id, { votes: 1 });
  await grace.collection("cards").update(made.id, { votes: 2 });
  await ada.sync();
  const asked = [];
  grace.onConflict((conflict) => void asked.push(conflict));
  await grace.sync();
  await until(() => asked.length === 1, "Grace is asked");
  const [conflict] = await grace.conflicts();
  assert.deepEqual([conflict.kind, conflict.fields, conflict.server.object.votes, conflict.client.votes], ["update_update", ["votes"], 1, 2]);
  assert.equal((await grace.collection("cards").get(made.id)).object.votes, 2);
  assert.equal(grace.status.conflicts, 1);
  assert.equal(await conflict.settle(conflict.keepClient()), true);
  assert.equal(await conflict.settle(conflict.keepServer()), false);
  await grace.sync();
  await ada.sync();
  assert.equal((await ada.collection("cards").get(made.id)).object.votes, 2);
  assert.equal(grace.status.conflicts, 0);
  await ada.collection("cards").delete(made.id);
  await ada.sync();
});

test("what the server refuses is told, and the record is as the server has it", { skip }, async () => {
  const alan = await open("alan");
  await alan.sync();
  const board = await boardOf(alan, "Launch");
  const [card] = await alan.collection("cards").filter({ board: board.id });
  await alan.collection("cards").update(card.id, { title: "a viewer's" });
  const seen = [];
  alan.onRejected((rejection) => seen.push(rejection));
  await alan.sync();
  await until(() => seen.length === 1, "Alan has the rejection");
  assert.ok(seen[0].error instanceof errors.PermissionDenied, seen[0].error.code);
  assert.equal(seen[0].mutation.fields.title, "a viewer's");
  assert.equal((await alan.collection("cards").get(card.id)).object.title, card.object.title);
  await until(async () => (await alan.rejections()).length === 0, "it is told once");
});

test("a store belongs to one user", { skip }, async () => {
  const store = new MemoryStore();
  const ada = await open("ada", { store });
  await ada.sync();
  await assert.rejects(clientOf("grace", { store }), errors.StoreMismatch);
  const nameless = await clientOf("grace", { store, auth: new TokenAuth("demo-grace") });
  await assert.rejects(nameless.sync(), errors.StoreMismatch);
  assert.ok(await boardOf(ada, "Launch"), "Ada's records are hers still");
});

test("credentials that are not taken stop the link, and new ones start it again", { skip }, async () => {
  let good = false;
  const auth = new TokenAuth("wrong", { refresh: () => (good ? "demo-ada" : "wrong too") });
  const ada = await open("ada", { auth });
  ada.start();
  await until(() => ada.status.link === "auth_required", "it rests");
  assert.ok(ada.status.problem instanceof errors.NotAuthenticated);
  good = true;
  ada.start();
  await ada.waitUntilSynced();
  assert.ok(await boardOf(ada, "Launch"));
});

test("the network goes and comes: nothing is lost, and the link says so", { skip }, async () => {
  const way = wobbly();
  const ada = await open("ada", { fetch: way, transports: ["poll"] });
  ada.start();
  await ada.waitUntilSynced();
  way.down = "before";
  const board = await boardOf(ada, "Launch");
  const card = await ada.collection("cards").create({ board: board.id, title: "in a tunnel" });
  await until(() => ada.status.link === "offline", "it is offline");
  assert.ok(ada.status.retryAt instanceof Date);
  way.down = "";
  await until(async () => (await ada.collection("cards").get(card.id)).pending === false, "it is sent");
  await ada.collection("cards").delete(card.id);
  await until(() => ada.status.pending === 0, "the delete is sent");
});

for (const [transport, path] of [["sse", "live/stream/"], ["long-poll", "live/changes/"]]) {
  test(`${transport}: a server that takes the request and never answers holds nothing up`, { skip }, async () => {
    const silent = (url, how) =>
      String(url).includes(path)
        ? new Promise((_, reject) => how.signal.addEventListener("abort", () => reject(how.signal.reason)))
        : fetch(url, how);
    const ada = await open("ada", { fetch: silent, transports: [transport], timeout: 0.5 });
    ada.start();
    await ada.waitUntilSynced();
    if (transport === "sse") await until(() => ada.status.transport === "poll", "it falls back to polls");
    const stopped = ada.stop();
    assert.equal(ada.status.link, "stopped");
    await stopped; // in the middle of a request too
  });
}

test("all replicas of a user are equal when writing stops, over whichever transport", { skip }, async () => {
  const ways = globalThis.WebSocket ? ["websocket", "sse", "poll"] : ["sse", "long-poll", "poll"];
  const party = [];
  for (const way of ways) {
    const client = await open("ada", { transports: [way] });
    client.start();
    await client.waitUntilSynced();
    party.push(client);
  }
  const board = await boardOf(party[0], "Launch");
  await Promise.all(
    party.map(async (client, who) => {
      for (let at = 0; at < 10; at++) {
        const card = await client.collection("cards").create({ board: board.id, title: `${who} ${at}`, position: at });
        if (at % 3 === 0) await client.collection("cards").update(card.id, { body: "more" });
        if (at % 5 === 0) await client.collection("cards").delete(card.id);
      }
    }),
  );
  await until(() => party.every(({ status }) => status.pending === 0), "all is sent");
  const fresh = await open("ada");
  await fresh.sync();
  const truth = JSON.stringify(await contentsOf(fresh));
  for (const client of party) {
    await until(async () => JSON.stringify(await contentsOf(client)) === truth, "it is equal to a fresh replica");
    assert.deepEqual(await client.outbox(), []);
  }
});

test("a log-out leaves nothing; a reset pulls all of it again, and the outbox stays", { skip }, async () => {
  const ada = await open("ada");
  await ada.sync();
  const before = await contentsOf(ada);
  const id = await ada.clientId();
  const board = await boardOf(ada, "Launch");
  const card = await ada.collection("cards").create({ board: board.id, title: "waits" });
  await ada.reset();
  assert.deepEqual((await ada.collection("cards").all()).map((record) => record.id), [card.id]);
  await ada.collection("cards").delete(card.id);
  await ada.sync();
  assert.deepEqual(await contentsOf(ada), before);
  await ada.reset({ wipe: true });
  assert.deepEqual(await contentsOf(ada), {});
  assert.notEqual(await ada.clientId(), id);
});

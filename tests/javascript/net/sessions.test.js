/** What the client says of itself, and what it does when its session is ended or it is blocked. */

import assert from "node:assert/strict";
import test from "node:test";

import { Backoff, errors, MemoryStore, Pace, SyncClient } from "../../../django_sync/static/django_sync/client.js";
import { closeError } from "../../../django_sync/static/django_sync/net/frames.js";
import { until } from "../helpers.js";

const PROBLEMS = { session_ended: errors.SessionEnded, blocked: errors.Blocked };
const LINKS = { session_ended: "ended", blocked: "blocked" };

/** A server of one user who polls; `refuse` says with which code a request is refused. */
function serverOf() {
  const server = { asked: [], sessions: 0, refuse: () => null };
  const json = (body, status = 200) => new Response(JSON.stringify(body), { status });
  server.fetch = async (url, { method, headers, body }) => {
    const path = new URL(url).pathname.replace("/sync/", "");
    server.asked.push({ method, path, headers });
    const code = server.refuse(path, headers);
    if (code) return json({ code, status: 403, detail: "No." }, 403);
    if (path === "") return json({ protocol: 1, epoch: "e", limits: {}, transports: ["poll"], collections: {} });
    if (path === "sessions/") return json({ id: `s${++server.sessions}`, transport: "poll", poll_interval: 0.05 }, 201);
    if (path === "mutations/") {
      const results = JSON.parse(body).mutations.map(({ id }) => ({ id, status: "applied", revision: 1 }));
      return json({ results });
    }
    return json({ changes: [], cursor: "c", has_more: false, epoch: "e" });
  };
  server.of = (path) => server.asked.filter((one) => one.path === path);
  return server;
}

async function open(server) {
  return SyncClient.open("http://sync.test/sync/", {
    store: new MemoryStore(), collections: ["cards"], fetch: server.fetch,
    backoff: new Backoff({ first: 0.01, longest: 0.02 }), pace: new Pace({ shortest: 0.01, longest: 0.02 }),
  });
}

test("who polls tells so once, and each request says whose it is", async () => {
  const server = serverOf();
  const client = await open(server);
  client.start();
  await until(() => server.of("changes/").length > 4, "it polls");
  assert.equal(server.of("sessions/").length, 1);
  const { headers } = server.of("changes/").at(-1);
  assert.equal(headers["Sync-Session"], "s1");
  assert.match(headers["Sync-Client"], /^[-0-9a-f]{36}$/);
  await client.close();
});

for (const code of Object.keys(PROBLEMS)) {
  test(`${code}: it rests, keeps its outbox, and goes on when it is asked to`, async () => {
    const server = serverOf();
    const client = await open(server);
    client.start();
    await until(() => server.of("changes/").length > 2, "it polls");
    server.refuse = (path, headers) => (code === "blocked" || headers["Sync-Session"] === "s1" ? code : null);
    await until(() => client.status.link === LINKS[code], "it says so");
    assert.ok(client.status.problem instanceof PROBLEMS[code]);
    const asked = server.asked.length;
    await client.collection("cards").create({ title: "mine" });
    client.network({ online: true });
    for (let round = 0; round < 200; round++) await new Promise(setImmediate); // it has handled all that
    assert.equal(server.asked.length, asked, "it asks nothing");
    assert.equal((await client.outbox()).length, 1);
    if (code === "blocked") {
      await assert.rejects(client.waitUntilSynced(5), PROBLEMS[code]);
      server.refuse = () => null;
    }
    client.start();
    await until(async () => (await client.outbox()).length === 0, "it is sent");
    await until(() => client.status.link === "live", "it is live");
    assert.equal(server.sessions, code === "blocked" ? 1 : 2);
    await client.close();
  });
}

test("a server that opens no session is polled all the same", async () => {
  const server = serverOf();
  server.refuse = (path) => (path === "sessions/" ? "throttled" : null);
  const client = await open(server);
  client.start();
  await until(() => server.of("changes/").length > 4, "it polls");
  assert.equal(client.status.link, "live");
  assert.equal(server.of("sessions/").length, 1, "and is not asked again and again");
  await client.close();
});

test("what a close code says", () => {
  assert.ok(closeError(4419, "") instanceof errors.SessionEnded);
  assert.ok(closeError(4423, "") instanceof errors.Blocked);
});

/** Several tabs of one store: in Node, on a twin of IndexedDB, with locks that are made here. */

import assert from "node:assert/strict";
import test from "node:test";

import { IndexedDBStore } from "../../../django_sync/static/django_sync/store/indexeddb.js";
import { boardOf, clientOf, contentsOf, twin, until, URL_OF_SERVER } from "../helpers.js";

const skip = URL_OF_SERVER ? !twin && "fake-indexeddb is not installed" : "SYNC_URL names no server";

/** As `navigator.locks`, of which Node has none yet: one holds a name, the others wait in line. */
class Locks {
  #last = new Map();

  request(name, { signal }, run) {
    const before = this.#last.get(name) ?? Promise.resolve();
    const given = before.then(() => (signal.aborted ? undefined : run()));
    this.#last.set(name, given);
    return given;
  }
}

let number = 0;

/** Opens tabs on one store. */
function browser(t) {
  const [factory, locks, name] = [new twin.IDBFactory(), new Locks(), `tabs ${number++}`];
  const tabs = [];
  t.after(() => Promise.all(tabs.map((tab) => tab.close())));
  return async () => {
    const store = await new IndexedDBStore(name, factory).open();
    tabs.push(await clientOf("ada", { store, tabs: { locks } }));
    return tabs.at(-1);
  };
}

test("one tab holds the link, and the other sees the same", { skip }, async (t) => {
  const open = browser(t);
  const [one, other] = [await open(), await open()];
  one.start();
  other.start();
  await one.waitUntilSynced();
  await until(() => one.status.leads && one.status.link === "live", "the first leads");
  await until(() => other.status.link === "live", "the second knows the status");
  assert.equal(other.status.leads, false);
  const board = await boardOf(other, "Launch");
  const [changes, shown] = [[], []];
  other.onChange("cards", ({ id, kind, record }) => changes.push({ id, kind, title: record?.object.title }));
  other.collection("cards").live({ title: "in both" }, (records) => shown.push(records));
  const card = await one.collection("cards").create({ board: board.id, title: "in both" });
  await until(() => shown.at(-1)?.length === 1, "the live query of the second shows it");
  assert.deepEqual(changes.filter(({ id }) => id === card.id), [{ id: card.id, kind: "created", title: "in both" }]);
  await other.collection("cards").delete(card.id);
  await until(async () => (await one.outbox()).length === 0, "the first sends what the second wrote");
  assert.equal(await one.collection("cards").get(card.id), null);
});

test("who is given the lock while it waits for another waits no longer", { skip, timeout: 60_000 }, async (t) => {
  const one = await browser(t)();
  t.mock.timers.enable({ apis: ["setTimeout"] }); // no time passes
  one.start();
  await one.waitUntilSynced(); // asked before it was given the lock
});

test("who does not lead waits for who does", { skip }, async (t) => {
  const open = browser(t);
  const [one, other] = [await open(), await open()];
  one.start();
  await one.waitUntilSynced();
  other.start();
  await other.waitUntilSynced({ timeout: 20 });
  assert.equal(other.status.leads, false);
});

test("where the tab that leads is closed, the next goes on with what it had not sent", { skip }, async (t) => {
  const open = browser(t);
  const [one, other] = [await open(), await open()];
  one.start();
  await one.waitUntilSynced();
  other.start();
  const board = await boardOf(one, "Launch");
  const made = one.collection("cards").create({ board: board.id, title: "left behind" });
  await one.stop(); // before it can have gone out
  const card = await made;
  await one.close();
  await until(() => other.status.leads && other.status.link === "live", "the second leads");
  await until(async () => (await other.outbox()).length === 0, "it is sent");
  const fresh = await clientOf("grace");
  t.after(() => fresh.close());
  await fresh.sync();
  assert.ok(await fresh.collection("cards").get(card.id));
  await other.collection("cards").delete(card.id);
  await other.waitUntilSynced();
});

for (const who of ["the one that leads", "another one"]) {
  test(`a log-out in one tab ends the link in all, and nothing is pulled again: ${who}`, { skip }, async (t) => {
    const open = browser(t);
    const [leading, following] = [await open(), await open()];
    leading.start();
    await leading.waitUntilSynced();
    following.start(); // it would take over as soon as it may
    const [leaves, stays] = who === "another one" ? [following, leading] : [leading, following];
    const led = [];
    stays.onStatus(({ leads }) => led.push(leads));
    await leaves.reset({ wipe: true });
    await leaves.close();
    await until(() => stays.status.link === "stopped" && !stays.status.leads, "the other has stopped too");
    assert.ok(!led.slice(led.indexOf(false) + 1).includes(true), `it took over: ${led}`);
    assert.deepEqual(await contentsOf(stays), {});
    assert.equal(stays.status.pending, 0);
    await stays.close();
  });
}

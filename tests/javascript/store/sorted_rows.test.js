/** The order of rows in memory: right after any changes, and kept up to date with little work. */

import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore } from "../../../django_sync/static/django_sync/store/memory.js";
import { SortedRows } from "../../../django_sync/static/django_sync/store/sorted_rows.js";

/** Random numbers that are the same each time. */
function dice(seed) {
  return (sides) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * sides);
  };
}

const compare = (one, other) => {
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return one[at] < other[at] ? -1 : 1;
  return 0;
};

test("it gives what sorting and filtering all rows would give", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const roll = dice(seed);
    const sorted = new SortedRows(["a", "b"], "id");
    const rows = new Map();
    const set = (id, row) => {
      if (rows.has(id)) sorted.remove(rows.get(id));
      if (row) sorted.add(row);
      if (row) rows.set(id, row);
      else rows.delete(id);
    };
    for (let round = 0; round < 12; round++) {
      for (let change = roll(90); change > 0; change--) {
        const id = roll(60);
        const before = rows.get(id);
        set(id, roll(3) === 0 ? undefined : { id, a: "xyz"[roll(3)], b: roll(9) === 0 ? undefined : roll(5) });
        if (roll(4) === 0) set(id, before); // as a transaction that is undone
      }
      const all = [...rows.values()].filter((row) => row.b !== undefined);
      all.sort((one, other) => compare([one.a, one.b, one.id], [other.a, other.b, other.id]));
      const ids = (found) => found.map(({ id }) => id);
      const [a, b, limit] = ["xyz"[roll(3)], roll(5), roll(6)];
      assert.deepEqual(ids(sorted.between([], undefined, Infinity)), ids(all));
      const ofA = all.filter((row) => row.a === a);
      assert.deepEqual(ids(sorted.between([a], undefined, limit)), ids(ofA).slice(0, limit));
      assert.deepEqual(ids(sorted.between([a], b, limit)), ids(ofA.filter((row) => row.b > b)).slice(0, limit));
      assert.deepEqual(ids(sorted.between([a, b], undefined, Infinity)), ids(ofA.filter((row) => row.b === b)));
      assert.equal(sorted.count([a]), ofA.length);
    }
  }
});

/** How often keys are compared, and rows are copied one by one, meanwhile. */
async function worked(body) {
  const { compare } = SortedRows.prototype;
  const { push } = Array.prototype;
  let times = 0;
  const counted = (method) =>
    function (...given) {
      times += 1;
      return method.apply(this, given);
    };
  SortedRows.prototype.compare = counted(compare);
  Array.prototype.push = counted(push);
  try {
    await body();
  } finally {
    SortedRows.prototype.compare = compare;
    Array.prototype.push = push;
  }
  return times;
}

test("an outbox that is written and read in turn costs the same for each mutation, however long it is", async () => {
  const each = async (number) => {
    const store = new MemoryStore();
    const row = (seq, state) => ({ seq, collection: "cards", objectId: `card ${seq % 40}`, state });
    const times = await worked(async () => {
      for (let seq = 0; seq < number; seq++) {
        await store.write(async (tx) => {
          tx.put("outbox", row(seq, "new"));
          await tx.list("outbox", { index: "state", only: "new", limit: 5 });
          await tx.count("outbox", { index: "state", only: "new" });
          await tx.list("outbox", { after: seq - 5, limit: 5 });
        });
      }
      for (let seq = 0; seq < number; seq++) {
        await store.write(async (tx) => {
          tx.put("outbox", row(seq, "settled"));
          await tx.list("outbox", { index: "state", only: "settled", limit: 5 });
          tx.delete("outbox", seq);
          await tx.list("outbox", { after: seq, limit: 5 });
        });
      }
    });
    return times / number;
  };
  const [few, many] = [await each(250), await each(4000)];
  assert.ok(many < few * 2, `${few} steps for each of 250, ${many} for each of 4,000`);
});

test("many rows that come at once are sorted, and merged once with those that are there", async () => {
  const store = new MemoryStore();
  const fill = (from) =>
    store.write(async (tx) => {
      for (let at = from; at < 20000; at += 2) {
        tx.put("records", { collection: "cards", id: String((at * 7919) % 20011).padStart(5, "0"), scope: "s" });
      }
    });
  const read = () => store.read((tx) => tx.list("records", { only: ["cards"], limit: 10 }));
  const times = await worked(async () => {
    await fill(0);
    await read();
    await fill(1);
    await read();
  });
  assert.ok(times < 20000 * 2 * 15, `${times} steps`);
});

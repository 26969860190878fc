/** Whatever happens to records in chunks, they are what a plain model says. CHUNK_RUNS and SEED have more runs, or one. */

import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore } from "../../../django_sync/static/django_sync/client.js";
import { Database } from "../../../django_sync/static/django_sync/store/database.js";
import { IndexedDBStore } from "../../../django_sync/static/django_sync/store/indexeddb.js";
import { compareValues, conditionsOf, meets } from "../../../django_sync/static/django_sync/store/indexes.js";
import { applyMutations } from "../../../django_sync/static/django_sync/store/overlay.js";
import { Replica } from "../../../django_sync/static/django_sync/store/replica.js";
import { tidyOnce } from "../../../django_sync/static/django_sync/store/upkeep.js";
import { NAMES, SMALL, begin, cardsOf, idOf, places, pulled, put } from "./chunked.js";
import { twin } from "../helpers.js";

const skip = twin ? false : "fake-indexeddb is not installed";

/** Numbers that are the same in each run with this seed (mulberry32). */
function dice(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count) => Math.floor(next() * count);
  const some = (count, most) => [...new Set(Array.from({ length: 1 + below(most) }, () => below(count)))];
  return { below, some, of: (list) => list[below(list.length)] };
}

/** What a user must see, told by the plainest means. */
class Model {
  server = new Map();
  local = new Map();

  seen() {
    const found = new Map();
    for (const key of new Set([...this.server.keys(), ...this.local.keys()])) {
      const row = this.server.get(key);
      const mutations = this.local.get(key) ?? [];
      const object = mutations.length === 0 && row?.gone ? null : applyMutations(row?.object ?? null, mutations);
      if (object !== null) found.set(key, object);
    }
    return found;
  }

  found(collection, where, { orderBy, limit } = {}) {
    const conditions = conditionsOf(where);
    const records = [...this.seen()]
      .filter(([key, object]) => key.startsWith(`${collection}/`) && meets(conditions, object))
      .map(([key, object]) => ({ id: key.split("/")[1], object }));
    const reversed = orderBy?.startsWith("-");
    const field = reversed ? orderBy.slice(1) : orderBy;
    records.sort((one, other) => {
      const compared = field === undefined ? 0 : compareValues(one.object[field] ?? null, other.object[field] ?? null);
      return (reversed ? -1 : 1) * (compared || (one.id < other.id ? -1 : 1));
    });
    return records.slice(0, limit ?? Infinity);
  }
}

/** One run: two tabs of one store, a server, a user, and the model. */
class Run {
  model = new Model();
  revision = 0;
  indexes = { cards: ["rank", "text"], boards: ["rank"] };

  constructor(seed, open, sizes) {
    this.dice = dice(seed);
    this.sizes = sizes;
    this.open = open;
  }

  async begin() {
    this.store = await this.open();
    this.tabs = [this.tab(), this.tab()];
    await this.tabs[0].declare(this.indexes);
  }

  tab() {
    return new Database(this.store, undefined, this.sizes);
  }

  get db() {
    return this.dice.of(this.tabs);
  }

  object() {
    const { below, of } = this.dice;
    const object = { rank: of([0, 1, 2, -1.5, null, true, "2"]), text: of(["a", "b", "\uffe6", "\u{1f600}", "", null]), n: below(100) };
    if (below(5) === 0) delete object.rank;
    return object;
  }

  key() {
    return [this.dice.of(NAMES), idOf(this.dice.below(24))];
  }

  /** Puts of what the server has then; some of them come twice. */
  puts(most) {
    const collection = this.dice.of(NAMES);
    return this.dice.some(24, most).map((number) => {
      const key = `${collection}/${idOf(number)}`;
      const row = { revision: ++this.revision, scope: this.dice.of(["s", "t", "u"]), object: this.object() };
      this.model.server.set(key, row);
      return put(idOf(number), row.revision, row.object, row.scope, collection);
    });
  }

  async changes() {
    const changes = [];
    for (let count = this.dice.below(4); count >= 0; count--) changes.push(...this.puts(8));
    await pulled(this.db, changes);
  }

  /** A snapshot in pages; what it does not bring goes. */
  async snapshot() {
    const collection = this.dice.of(NAMES);
    const keep = [...this.model.server].filter(([key, row]) => key.startsWith(`${collection}/`) && !row.gone && this.dice.below(4) > 0);
    for (const key of [...this.model.server.keys()]) if (key.startsWith(`${collection}/`)) this.model.server.delete(key);
    keep.forEach(([key, row]) => this.model.server.set(key, row));
    const all = keep.map(([key, { revision, scope, object }]) => put(key.split("/")[1], revision, object, scope, collection));
    for (const number of this.dice.some(24, 8)) {
      const row = { revision: ++this.revision, scope: "s", object: this.object() };
      this.model.server.set(`${collection}/${idOf(number)}`, row);
      const fresh = put(idOf(number), row.revision, row.object, row.scope, collection);
      const at = all.findIndex(({ id }) => id === fresh.id);
      if (at >= 0) all[at] = fresh;
      else all.push(fresh);
    }
    const db = this.db;
    const { pull } = await new Replica(db).beginPull();
    const half = this.dice.below(all.length + 1);
    await pulled(db, [begin(collection), ...all.slice(0, half)], true, pull);
    if (this.dice.below(2)) await this.tidy();
    await pulled(db, all.slice(half), false, pull);
  }

  async deletion() {
    const [collection, id] = this.key();
    const key = `${collection}/${id}`;
    const row = this.model.server.get(key);
    const revision = ++this.revision;
    if (row && this.model.local.has(key)) Object.assign(row, { revision, gone: true });
    else this.model.server.delete(key);
    await pulled(this.db, [{ op: "delete", collection, id, revision }]);
  }

  async removal() {
    const [collection, id] = this.key();
    this.model.server.delete(`${collection}/${id}`);
    await pulled(this.db, [{ op: "remove", collection, id }]);
  }

  async drop() {
    const [collection] = this.key();
    const scope = this.dice.of(["s", "t", "u"]);
    for (const [key, row] of [...this.model.server]) {
      if (key.startsWith(`${collection}/`) && row.scope === scope) this.model.server.delete(key);
    }
    await pulled(this.db, [{ op: "drop", collection, scope }, ...this.puts(3)]);
  }

  async edit() {
    const [collection, id] = this.key();
    const key = `${collection}/${id}`;
    const cards = cardsOf(this.db, collection);
    const known = this.model.seen().has(key);
    const op = known ? this.dice.of(["update", "update", "delete"]) : "create";
    if (!known && (this.model.server.has(key) || this.model.local.has(key))) return; // hidden by an edit
    let fields = op === "delete" ? {} : this.object();
    if (op === "create") await cards.create(fields, { id });
    else if (op === "update") await cards.update(id, fields);
    else await cards.delete(id);
    if (op === "update") {
      const before = this.model.seen().get(key);
      fields = Object.fromEntries(Object.entries(fields).filter(([name, value]) => !Object.hasOwn(before, name) || before[name] !== value));
      if (Object.keys(fields).length === 0) return; // nothing would change
    }
    const mutations = [...(this.model.local.get(key) ?? []), { op, fields }];
    const vanishes = op === "delete" && mutations[0].op === "create";
    if (vanishes) this.model.local.delete(key);
    else this.model.local.set(key, mutations);
  }

  /** What fails leaves nothing behind, neither before it is stored nor after. */
  async failure() {
    const stored = this.db.write(async (tx) => {
      for (const number of this.dice.some(24, 6)) tx.records.remove(["cards", idOf(number)]);
      for (const number of this.dice.some(24, 6)) tx.records.put({ ...put(idOf(number), 9e9, this.object()), generation: 1 });
      assert.ok((await tx.records.list("cards", { limit: 99 })).length > 0);
      throw new RangeError("no room");
    });
    await assert.rejects(stored, RangeError);
    await this.check();
    const { server } = this.model;
    this.model.server = new Map(server);
    const changes = [...this.puts(8), { op: "put", collection: "cards", get id() { throw new RangeError("no room"); } }];
    this.model.server = server;
    await assert.rejects(pulled(this.db, changes), RangeError);
  }

  async tidy() {
    await this.db.write((tx) => tidyOnce(tx, this.dice.of(NAMES)));
  }

  async reopen() {
    this.tabs[this.dice.below(2)] = this.tab();
  }

  async index() {
    this.indexes = this.dice.of([{ cards: ["rank"] }, { cards: ["text", "rank"], boards: ["text"] }, {}]);
    await this.db.declare(this.indexes);
  }

  async forget() {
    await new Replica(this.db).forget();
    this.model.server.clear();
  }

  query() {
    const { of, below } = this.dice;
    const where = of([{}, {}, { rank: 2 }, { rank: null }, { rank: { gte: 0 } }, { text: { gt: "a" } }, { text: { gte: "\uffe6" }, rank: 1 }, { text: "b" }]);
    return [where, { orderBy: of([undefined, "rank", "-rank", "text", "-text", "n"]), limit: of([undefined, 1, 3, 1 + below(20)]) }];
  }

  async check() {
    const seen = this.model.seen();
    for (const name of NAMES) {
      const cards = cardsOf(this.db, name);
      const wanted = this.model.found(name, {});
      const unindexed = (records) => records.map(({ id, object }) => ({ id, object: { ...object } }));
      assert.deepEqual(unindexed(await cards.all()), wanted);
      assert.equal(await cards.count(), wanted.length);
      const paged = [];
      for await (const some of cards.pages()) paged.push(...some);
      assert.deepEqual(unindexed(paged), wanted);
      for (let count = 0; count < 4; count++) {
        const query = this.query();
        assert.deepEqual(unindexed(await cards.filter(...query)), this.model.found(name, ...query), JSON.stringify(query));
      }
      const id = idOf(this.dice.below(24));
      assert.deepEqual((await cards.get(id))?.object ?? null, seen.get(`${name}/${id}`) ?? null);
      for (const scope of ["s", "t", "u"]) {
        const is = [...this.model.server].some(([key, row]) => key.startsWith(`${name}/`) && row.scope === scope);
        assert.equal(await new Replica(this.db).knows(name, scope), is);
      }
    }
    const { found } = await places(this.store);
    assert.deepEqual([...found.keys()].sort(), [...this.model.server.keys()].sort());
    assert.ok([...found.values()].every((times) => times === 1), "each is in one place");
  }

  async go(steps) {
    await this.begin();
    const kinds = ["changes", "changes", "changes", "snapshot", "deletion", "deletion", "removal", "drop", "edit", "edit", "failure", "tidy", "tidy", "tidy", "reopen", "index"];
    const log = [];
    for (let step = 0; step < steps; step++) {
      const kind = this.dice.below(40) === 0 ? "forget" : this.dice.of(kinds);
      log.push(kind);
      try {
        await this[kind]();
        await this.check();
      } catch (error) {
        error.message = `after ${log.join(", ")}: ${error.message}`;
        throw error;
      }
    }
  }
}

const SIZES = [SMALL, { size: 1, least: 1, singles: 0 }, { size: 5, least: 3, singles: 4 }, { size: 100, least: 2, singles: 1 }];
const RUNS = Number(process.env.CHUNK_RUNS ?? 10);
const opened = {
  memory: () => async () => new MemoryStore(),
  indexeddb: twin && (() => {
    const factory = new twin.IDBFactory();
    return () => new IndexedDBStore("chunks", factory).open();
  }),
};

for (const [kind, make] of Object.entries(opened)) {
  test(`${kind}: whatever happens, the records are what the model says`, { skip: make ? false : skip }, async () => {
    for (let seed = Number(process.env.SEED ?? 1); seed <= RUNS; seed++) {
      const run = new Run(seed, make(), SIZES[seed % SIZES.length]);
      try {
        await run.go(25);
      } catch (error) {
        error.message = `seed ${seed}, ${error.message}`;
        throw error;
      }
    }
  });
}

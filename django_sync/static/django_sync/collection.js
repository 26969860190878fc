/** One collection as the user of the client works with it: reads, local writes, live queries. */

import { AlreadyExists, NotFound } from "./errors.js";
import { newId, objectId } from "./ids.js";
import { LiveQuery } from "./livequery.js";
import { toJson, isEqual } from "./store/encoding.js";
import { enter } from "./store/outbox.js";
import { mutationsByObject, seenRecord, visible, ChangeWatch } from "./store/overlay.js";
import { find, Query } from "./store/query.js";

/** @import { Record } from "./types.js" */
/** @import { Database, Tx } from "./store/database.js" */
/** @import { Fields } from "./store/encoding.js" */
/** @import { Key, Seen } from "./store/overlay.js" */
/** @import { Ordering, Wanted } from "./store/query.js" */

/** Records read at a time. */
const PAGE = 1_000;

/**
 * @typedef {object} Observers What a collection reports to its client.
 * @property {(seen: Seen) => void} wrote something local was committed
 * @property {(query: LiveQuery) => () => void} watch a live query began; the function that it returns ends it
 */

/** A collection's records, read and written locally, at once, offline too. */
export class Collection {
  #db;
  #observers;

  /** @internal @param {string} name @param {Database} db @param {Observers} observers */
  constructor(name, db, observers) {
    /** As the server registered it. */
    this.name = name;
    this.#db = db;
    this.#observers = observers;
  }

  /**
   * Create an object and return its record, whose id is already the one it keeps.
   * @param {Fields} fields values by name, all of them JSON
   * @param {{id?: string}} [more] `id`, a UUID, may be chosen
   * @returns {Promise<Record>}
   * @throws {errors.AlreadyExists} where the id is taken
   */
  async create(fields, { id } = {}) {
    const made = id === undefined ? newId() : objectId(id);
    return /** @type {Promise<Record>} */ (this.#write(made, "create", toJson(fields)));
  }

  /**
   * Change some fields and return the record. Fields that have the value already are left out.
   * @param {string} id
   * @param {Fields} fields only what changes
   * @returns {Promise<Record>}
   * @throws {errors.NotFound} where there is no such record
   */
  async update(id, fields) {
    return /** @type {Promise<Record>} */ (this.#write(objectId(id), "update", toJson(fields)));
  }

  /**
   * Delete an object.
   * @param {string} id
   * @throws {errors.NotFound} where there is no such record
   */
  async delete(id) {
    await this.#write(objectId(id), "delete", {});
  }

  /** The record with this id, or `null`. @param {string} id @returns {Promise<Record | null>} */
  async get(id) {
    return (await this.getMany([id]))[0];
  }

  /**
   * Those with these ids, in one look at the store; `null` for each that there is not.
   * @param {string[]} ids
   * @returns {Promise<(Record | null)[]>}
   */
  async getMany(ids) {
    const keys = ids.map((id) => this.#key(objectId(id)));
    return this.#db.read((tx) => Promise.all(keys.map((key) => visible(tx, key))));
  }

  /** All records, in the order of their ids. @returns {Promise<Record[]>} */
  all() {
    return this.filter({});
  }

  /**
   * The records whose fields have these values, or are within these bounds, or for which a function
   * returns `true`: in the order of their ids, or of a field. All are of one state of the store. With
   * an index on a field of the query, only the records that the index finds are read.
   * @param {Wanted} wanted such as `{board: id, due: {gte: "2026-03-01", lt: "2026-04-01"}}`
   * @param {Ordering} [ordering] such as `{orderBy: "-due", limit: 20}`
   * @returns {Promise<Record[]>}
   * @throws {errors.Invalid} for a bound that is not a number, a text, `true` or `false`, and for a limit that is not a whole number from 0 on
   */
  async filter(wanted, ordering) {
    return this.find(new Query(wanted, ordering));
  }

  /** @internal @param {Query} query @returns {Promise<Record[]>} */
  find(query) {
    return this.#db.read((tx) => find(tx, this.name, query));
  }

  /** All records, some hundreds at a time in the order of their ids; each page is one state of the store. @returns {AsyncGenerator<Record[]>} */
  async *pages() {
    /** @type {string | undefined} */
    let after;
    do {
      const from = after;
      const page = await this.#db.read((tx) => this.#page(tx, from));
      yield page.records;
      after = page.last;
    } while (after !== undefined);
  }

  /** How many there are. @returns {Promise<number>} */
  async count() {
    return this.#db.read(async (tx) => {
      const [rows, local] = await Promise.all([
        tx.records.count(this.name),
        mutationsByObject(tx, this.name),
      ]);
      let count = rows;
      for (const [id, mutations] of local) {
        const row = await tx.records.get(this.#key(id));
        count += Number(seenRecord(this.#key(id), row, mutations) !== null) - Number(row !== undefined);
      }
      return count;
    });
  }

  /**
   * Call `callback` with the records that match, in the order of their ids or of a field: now, and
   * whenever one of them changes, comes or goes, by this client or by others.
   * @param {Wanted} wanted as for `filter()`
   * @param {(records: Record[]) => unknown} callback
   * @param {Ordering} [ordering]
   * @returns {LiveQuery} `stop()` ends it
   */
  live(wanted, callback, ordering) {
    const query = new LiveQuery(this, new Query(wanted, ordering), callback);
    query.begin(this.#observers.watch(query));
    return query;
  }

  /** @param {string} id @returns {Key} */
  #key(id) {
    return [this.name, id];
  }

  /** @param {string} id @param {"create" | "update" | "delete"} op @param {Fields} asked */
  async #write(id, op, asked) {
    const key = this.#key(id);
    let fields = asked;
    const done = await this.#db.write(
      async (tx) => {
        const before = await visible(tx, key);
        if (op === "create" && before !== null) {
          throw new AlreadyExists(`There is a record ${id} in ${this.name}.`);
        }
        if (op !== "create" && before === null) {
          throw new NotFound(`There is no record ${id} in ${this.name}.`);
        }
        if (op === "update" && before !== null) {
          fields = changed(asked, before.object);
          if (Object.keys(fields).length === 0) return { record: before, seen: null };
        }
        const watch = new ChangeWatch(tx, "local");
        await watch.look([key]);
        await enter(tx, key, op, fields);
        return { record: await visible(tx, key), seen: await watch.seen() };
      },
      { durable: true },
    );
    if (done.seen !== null) this.#observers.wrote(done.seen);
    return done.record;
  }

  /** @param {Tx} tx @param {string | undefined} after */
  async #page(tx, after) {
    const [rows, local] = await Promise.all([
      tx.records.list(this.name, { after, limit: PAGE }),
      mutationsByObject(tx, this.name),
    ]);
    const last = rows.length === PAGE ? String(rows[rows.length - 1].id) : undefined;
    const stored = new Map(rows.map((row) => [row.id, row]));
    const within = (/** @type {string} */ id) => (after === undefined || id > after) && (last === undefined || id <= last);
    const ids = [...new Set([...stored.keys(), ...[...local.keys()].filter(within)])].sort();
    const records = ids.map((id) => seenRecord(this.#key(id), stored.get(id), local.get(id) ?? []));
    return { records: records.filter((record) => record !== null), last };
  }
}

/** Those fields that would change something. @param {Fields} asked @param {Fields} now */
function changed(asked, now) {
  return Object.fromEntries(
    Object.entries(asked).filter(([name, value]) => !Object.hasOwn(now, name) || !isEqual(now[name], value)),
  );
}

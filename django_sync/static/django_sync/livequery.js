/**
 * A live query: the records that match, kept up to date.
 *
 * `touched()` names the objects that a commit has touched, and the query reads them again. What it
 * reads after a commit is the state of that commit or of a later one, so its last call shows the
 * current state. What is touched while it reads is read in the next round; rounds do not overlap.
 */

import { log } from "./log.js";

/** @import { Collection } from "./collection.js" */
/** @import { Record } from "./types.js" */
/** @import { Query } from "./store/query.js" */

/** With more touched objects than this, it is quicker to read all records. */
const MANY = 500;

/** Calls back with the records that match, whenever they change; `Collection.live()` begins one. */
export class LiveQuery {
  #collection;
  #query;
  #callback;
  /** @type {Map<string, Record>} */
  #found = new Map();
  /** @type {Set<string>} */
  #dirty = new Set();
  #all = true;
  #running = false;
  #isCalled = false;
  #stopped = false;
  #end = () => {};

  /**
   * @internal
   * @param {Collection} collection
   * @param {Query} query
   * @param {(records: Record[]) => unknown} callback
   */
  constructor(collection, query, callback) {
    this.#collection = collection;
    this.#query = query;
    this.#callback = callback;
  }

  /** Its collection's name. */
  get collection() {
    return this.#collection.name;
  }

  /** @internal @param {() => void} end */
  begin(end) {
    this.#end = end;
    void this.#run();
  }

  /** Call the callback no more. */
  stop() {
    this.#stopped = true;
    this.#end();
  }

  /** These objects may look different now; `null` where all may. @internal @param {string[] | null} ids */
  touched(ids) {
    // With a limit, another record may take the place of one that left.
    if (ids === null || this.#query.limit < Infinity || this.#dirty.size + ids.length > MANY) this.#all = true;
    else for (const id of ids) this.#dirty.add(id);
    void this.#run();
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#stopped && (this.#all || this.#dirty.size > 0)) {
        const changed = this.#all ? await this.#readAll() : await this.#readDirty();
        if (changed || !this.#isCalled) this.#call();
      }
    } catch (error) {
      log.error("A live query cannot be read:", error);
    } finally {
      this.#running = false;
    }
  }

  async #readAll() {
    this.#all = false;
    this.#dirty.clear();
    const found = byId(await this.#collection.find(this.#query));
    const before = this.#found;
    this.#found = found;
    return before.size !== found.size || [...found].some(([id, record]) => isNews(before.get(id), record));
  }

  async #readDirty() {
    const ids = [...this.#dirty];
    this.#dirty.clear();
    const records = await this.#collection.getMany(ids);
    let [changed, grown] = [false, false];
    ids.forEach((id, at) => {
      const record = records[at];
      const before = this.#found.get(id);
      if (this.#query.matches(record)) {
        changed ||= isNews(before, record);
        grown ||= before === undefined;
        this.#found.set(id, record);
      } else if (this.#found.delete(id)) changed = true;
    });
    const moved = grown || (changed && this.#query.field !== null);
    if (moved) this.#found = byId(this.#query.inOrder([...this.#found.values()]));
    return changed;
  }

  #call() {
    if (this.#stopped) return;
    this.#isCalled = true;
    try {
      this.#callback([...this.#found.values()]);
    } catch (error) {
      log.error("A callback failed:", error);
    }
  }
}

/** @param {Record[]} records @returns {Map<string, Record>} in the order in which they come */
function byId(records) {
  return new Map(records.map((record) => [record.id, record]));
}

/** @param {Record | undefined} before @param {Record} now */
function isNews(before, now) {
  return (
    before === undefined || before.revision !== now.revision || before.pending !== now.pending ||
    !before.looksLike(now)
  );
}

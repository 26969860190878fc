/**
 * One page, or one frame, on its way into the store, within the caller's transaction.
 *
 * It knows what a change does to records, conflicts and the outbox, but nothing about cursors and
 * feeders: `store/replica.js` has decided before who may write.
 */

import { releaseConflicts, refreshConflicts, unseenConflicts } from "../conflicts.js";
import { log } from "../log.js";
import { removeSettled, stripServerValues } from "./outbox.js";
import { rowsOn, keyText } from "./overlay.js";

/** @import { Delete, Page, Put, WireChange } from "../net/pages.js" */
/** @import { Tx } from "./database.js" */
/** @import { Filling, Key, ChangeWatch } from "./overlay.js" */
/** @import { Row } from "./tables.js" */

export class Applier {
  #tx;
  #watch;
  #page;
  #live;
  #filling;
  /** @type {Map<string, boolean>} objects with entries in the outbox: whether any is not settled */
  #busy = new Map();
  /** @type {Map<string, Row>} */
  #collections = new Map();

  /**
   * @param {Tx} tx
   * @param {ChangeWatch} watch
   * @param {Page} page
   * @param {Row[]} outbox
   * @param {boolean} live a socket or stream brings it, which may go on for days: settled mutations
   *   are removed one by one then, not at the end of the next pull
   * @param {Filling} [filling] gets the collections that begin empty
   */
  constructor(tx, watch, page, outbox, live, filling = new Map()) {
    this.#tx = tx;
    this.#watch = watch;
    this.#page = page;
    this.#live = live;
    this.#filling = filling;
    for (const row of outbox) {
      const key = keyText([row.collection, row.objectId]);
      this.#busy.set(key, (this.#busy.get(key) ?? false) || row.state !== "settled");
    }
  }

  /**
   * @param {readonly string[]} names the collections that are asked for
   * @param {number} pull
   * @param {boolean} replaces revisions of an earlier epoch mean nothing now
   */
  async run(names, pull, replaces) {
    await this.#selectCollections(names);
    if (replaces) {
      for (const row of this.#collections.values()) this.#store({ ...row, replaces: row.sweeping });
    }
    for (const run of runs(this.#page.changes)) await this.#change(run);
    if (!this.#page.hasMore) await this.#complete(pull);
    if (this.#live) await removeSettled(this.#tx, (key) => this.#watch.row(key));
  }

  /** Enter the collections asked for, forget those no longer asked for. @param {readonly string[]} names */
  async #selectCollections(names) {
    for (const row of await this.#tx.list("collections")) this.#collections.set(row.name, row);
    for (const name of [...this.#collections.keys()].filter((known) => !names.includes(known))) {
      await this.#hideAll(name);
      this.#collections.delete(name);
      this.#tx.delete("collections", name);
    }
    for (const name of names.filter((wanted) => !this.#collections.has(wanted))) {
      this.#store({ name, generation: 0, sweeping: false, replaces: false });
    }
  }

  /** @param {Row} row */
  #store(row) {
    this.#collections.set(row.name, row);
    this.#tx.put("collections", row);
  }

  /** Changes of one kind and collection. @param {WireChange[]} run */
  async #change(run) {
    const { op, collection } = run[0];
    const entry = this.#collections.get(collection);
    if (entry === undefined) {
      log.info(`Skipped ${run.length} changes of “${collection}”: not asked for.`);
      return;
    }
    if (op === "put") await this.#put(entry, /** @type {Put[]} */ (run));
    else if (op === "delete") await this.#delete(/** @type {Delete[]} */ (run));
    else if (op === "begin") {
      this.#store({ ...entry, generation: entry.generation + 1, sweeping: true });
      this.#filling.delete(collection);
      const empty = !this.#live && (await this.#tx.records.count(collection)) === 0;
      if (empty) this.#filling.set(collection, new Set());
    } else {
      for (const change of run) {
        if (change.op === "drop") await this.#hideScope(collection, change.scope);
        else if (change.op === "remove") await this.#remove([collection, change.id]);
      }
    }
  }

  /** Write records. Within an epoch none falls to a lower revision. @param {Row} entry @param {Put[]} run */
  async #put({ generation, sweeping, replaces }, run) {
    await this.#watch.look(run.map(({ collection, id }) => [collection, id]));
    for (const { collection, id, revision, scope, object } of run) {
      const known = await this.#watch.row([collection, id]);
      const newer =
        known === undefined || revision >= known.revision || (replaces && known.generation < generation);
      if (newer) this.#watch.put({ collection, id, revision, scope, object, generation });
      else if (sweeping && known.generation < generation) this.#watch.put({ ...known, generation });
      if (this.#busy.has(keyText([collection, id]))) {
        const record = { collection, id, revision, scope, object };
        await refreshConflicts(this.#tx, this.#page.epoch, record);
      }
    }
  }

  /**
   * Forget deleted records, but keep one that local edits are based on until these end: else what
   * the user types would vanish before they see the conflict.
   * @param {Delete[]} run
   */
  async #delete(run) {
    await this.#watch.look(run.map(({ collection, id }) => [collection, id]));
    for (const { collection, id, revision } of run) {
      /** @type {Key} */
      const key = [collection, id];
      const known = await this.#watch.row(key);
      const older = known !== undefined && known.revision <= revision;
      if (this.#busy.get(keyText(key))) {
        await refreshConflicts(this.#tx, this.#page.epoch, { collection, id, revision, deleted: true });
        if (older) this.#watch.put({ ...known, revision, gone: 1 });
      } else if (older) {
        this.#watch.forget(key);
      }
      if (this.#live) await this.#removeSettled(key, revision);
    }
  }

  /** @param {Key} key */
  async #remove(key) {
    await this.#hide([key]);
    await this.#releaseEntries([key]);
  }

  /** @param {string} collection @param {string} scope */
  async #hideScope(collection, scope) {
    const ids = await this.#tx.records.inScope(collection, scope);
    await this.#hide(ids.map((id) => [collection, id]));
  }

  /** @param {string} collection @param {number} [generation] only what is older */
  async #hideAll(collection, generation) {
    for await (const ids of this.#tx.records.before(collection, generation)) {
      await this.#hide(ids.map((id) => [collection, id]));
    }
  }

  /** Forget records that the user no longer sees: state, bases, the server's side of conflicts. @param {Key[]} keys */
  async #hide(keys) {
    await this.#watch.look(keys);
    for (const key of keys) this.#watch.forget(key);
    const busy = keys.filter((key) => this.#busy.has(keyText(key)));
    await this.#releaseEntries(busy);
    if (this.#live) for (const key of busy) await this.#removeSettled(key, null);
  }

  /** @param {Key[]} keys */
  async #releaseEntries(keys) {
    await releaseConflicts(this.#tx, keys);
    await stripServerValues(this.#tx, keys);
  }

  /**
   * Remove settled mutations of what has gone: no newer change will come for it. Where it comes
   * back, it comes with a change of its own.
   * @param {Key} key
   * @param {number | null} revision
   */
  async #removeSettled(key, revision) {
    if (!this.#busy.has(keyText(key))) return;
    for (const row of await rowsOn(this.#tx, key)) {
      const over = revision === null || row.settledRevision <= revision;
      if (row.state === "settled" && over) this.#tx.delete("outbox", row.seq);
    }
  }

  /** The first `has_more: false`: remove what was not in the snapshot, and settled mutations. @param {number} pull */
  async #complete(pull) {
    for (const entry of this.#collections.values()) {
      if (entry.sweeping && !this.#filling.has(entry.name)) {
        await this.#hideAll(entry.name, entry.generation);
      }
      if (entry.sweeping || entry.replaces) this.#store({ ...entry, sweeping: false, replaces: false });
    }
    for (const row of await this.#tx.list("outbox", { index: "state", only: "settled" })) {
      if (row.settledPull >= pull) continue;
      await this.#watch.look([[row.collection, row.objectId]]);
      this.#tx.delete("outbox", row.seq);
    }
    const overtaken = await unseenConflicts(this.#tx, pull);
    if (overtaken.length > 0) {
      await this.#watch.look(overtaken);
      await this.#releaseEntries(overtaken);
    }
    for (const row of await this.#tx.records.keptDeleted()) {
      /** @type {Key} */
      const key = [row.collection, row.id];
      if ((await rowsOn(this.#tx, key)).length === 0) this.#watch.forget(key);
    }
  }
}

/** Groups of neighbours of one kind and collection. @param {WireChange[]} changes */
function runs(changes) {
  /** @type {WireChange[][]} */
  const found = [];
  for (const change of changes) {
    const last = found.at(-1);
    if (last && last[0].op === change.op && last[0].collection === change.collection) last.push(change);
    else found.push([change]);
  }
  return found;
}

/**
 * The server's records within one transaction, whether each has a row of its own or many are in a
 * chunk. No other code reads or writes these tables.
 *
 * A record is in one place only: in a row of its own, or at a position of one chunk that is not
 * gone. Written records are collected, and stored when the transaction ends or before records are
 * listed. Many records become chunks, few become rows, and their old places are marked or deleted in
 * the same transaction. So after a crash a record is in its old place or in its new one.
 */

import { Chunks, IDS } from "./chunk_reader.js";
import { chunkOf, cut, liveIn, livePositions, recordAt, rowOf } from "./chunks.js";

/** @import { ChunkCache } from "./chunk_cache.js" */
/** @import { Place } from "./chunk_reader.js" */
/** @import { Part, Sizes, Summary } from "./chunks.js" */
/** @import { Tx } from "./database.js" */
/** @import { Key } from "./overlay.js" */
/** @import { Row } from "./tables.js" */

/** @typedef {{key: Key, row: Row | null, isNew: boolean}} Written `isNew`: it is not stored yet. */

/** Rows that are read with one request. */
const MANY = 1_000;

/** From this many keys on, it is checked whether to read all rows at once. */
const MANY_KEYS = 20;

/** Listing this many rows takes no longer than getting one row by its key. */
const ROWS_PER_KEY = 8;

export class Records {
  #tx;
  /** @type {Map<string, Written>} */
  #written = new Map();
  /** Chunks that were changed and are not stored yet. @type {Map<number, Summary>} */
  #dirty = new Map();
  /** Records that are known to have no row of their own. @type {Set<string>} */
  #noRow = new Set();
  /** All rows of some collections, by id. @type {Map<string, Map<string, Row>>} */
  #rows = new Map();

  /** @param {Tx} tx @param {ChunkCache} cache @param {Sizes} sizes */
  constructor(tx, cache, sizes) {
    this.#tx = tx;
    this.sizes = sizes;
    this.chunks = new Chunks(tx, cache);
  }

  /** One record. @param {Key} key @returns {Promise<Row | undefined>} */
  async get(key) {
    const written = this.#written.get(keyText(key));
    if (written !== undefined) return written.row ?? undefined;
    const place = await this.chunks.find(key);
    if (place !== null) return recordAt(place.summary, await this.chunks.content(place.summary.number), key[1], place.at);
    const rows = this.#rows.get(key[0]);
    const row = rows === undefined ? await this.#tx.get("records", key) : rows.get(key[1]);
    if (row === undefined) this.#noRow.add(keyText(key));
    return row;
  }

  /**
   * Prepare for reading many records: if few have rows of their own, read all of these at once.
   * @param {Key[]} keys
   */
  async expect(keys) {
    if (keys.length < MANY_KEYS) return;
    for (const collection of new Set(keys.map(([name]) => name))) {
      if (this.#rows.has(collection)) continue;
      if ((await this.#tx.count("records", { only: [collection] })) > ROWS_PER_KEY * keys.length) continue;
      const rows = await this.#tx.list("records", { only: [collection] });
      this.#rows.set(collection, new Map(rows.map((row) => [row.id, row])));
    }
  }

  /** Write one. @param {Row} row @param {boolean} [isNew] whether it is known not to be stored yet */
  put(row, isNew = false) {
    this.#write([row.collection, row.id], row, isNew);
  }

  /** Remove one. @param {Key} key */
  remove(key) {
    this.#write(key, null, false);
  }

  /**
   * Records in the order of their ids.
   * @param {string} collection
   * @param {{after?: string, limit: number}} range
   * @returns {Promise<Row[]>}
   */
  async list(collection, { after, limit }) {
    await this.flush();
    const rows = await this.#tx.list("records", { only: [collection], after, limit });
    /** @type {{id: string, place: Place | null, row: Row | null}[]} */
    const found = rows.map((row) => ({ id: row.id, place: null, row }));
    const summaries = (await this.chunks.summaries(collection)).filter(({ last }) => after === undefined || last > after);
    const columns = await this.chunks.ids(collection, summaries);
    summaries.forEach((summary, which) => {
      const ids = columns[which];
      for (let at = firstBehind(ids, after), left = limit; at < ids.length && left > 0; at++) {
        if (summary.gone.has(at)) continue;
        found.push({ id: ids[at], place: { summary, at }, row: null });
        left -= 1;
      }
    });
    found.sort((one, other) => (one.id < other.id ? -1 : 1)).splice(limit);
    return Promise.all(found.map(({ id, place, row }) => row ?? this.#at(/** @type {Place} */ (place), id)));
  }

  /**
   * The ids of all records of earlier generations, some at a time. The caller may remove these
   * before it takes the next ones.
   * @param {string} collection
   * @param {number} [generation] all of them without it
   * @returns {AsyncGenerator<string[]>}
   */
  async *before(collection, generation = Infinity) {
    await this.flush();
    const summaries = (await this.chunks.summaries(collection)).filter((summary) => summary.generation < generation);
    for (const summary of summaries) {
      const [ids] = await this.chunks.ids(collection, [summary]);
      yield livePositions(summary).map((at) => ids[at]);
    }
    /** @type {string | undefined} */
    let after;
    do {
      const rows = await this.#tx.list("records", { only: [collection], after, limit: MANY });
      yield rows.filter((row) => row.generation < generation).map(({ id }) => id);
      after = rows.length < MANY ? undefined : rows[rows.length - 1].id;
    } while (after !== undefined);
  }

  /** The ids of a scope's records, in order. @param {string} collection @param {string} scope @returns {Promise<string[]>} */
  async inScope(collection, scope) {
    await this.flush();
    const rows = await this.#tx.list("records", { index: "scope", only: [collection, scope] });
    const found = rows.map(({ id }) => id);
    for (const summary of await this.chunks.withScope(collection, scope)) {
      const [ids] = await this.chunks.ids(collection, [summary]);
      found.push(...(await this.chunks.ofScope(summary, scope)).map((at) => ids[at]));
    }
    return found.sort();
  }

  /** Whether there is a record of that scope. @param {string} collection @param {string} scope */
  async hasScope(collection, scope) {
    await this.flush();
    const rows = await this.#tx.list("records", { index: "scope", only: [collection, scope], limit: 1 });
    if (rows.length > 0) return true;
    for (const summary of await this.chunks.withScope(collection, scope)) {
      if ((await this.chunks.ofScope(summary, scope)).length > 0) return true;
    }
    return false;
  }

  /** How many there are. @param {string} collection */
  async count(collection) {
    await this.flush();
    const rows = await this.#tx.count("records", { only: [collection] });
    return (await this.chunks.summaries(collection)).reduce((sum, summary) => sum + liveIn(summary), rows);
  }

  /** Deleted records that are kept for the local edits on them. @returns {Promise<Row[]>} */
  async keptDeleted() {
    await this.flush();
    return this.#tx.list("records", { index: "gone", only: 1 });
  }

  /** Records that have rows of their own. @param {string} collection @param {{after?: string, limit?: number}} [range] */
  async singles(collection, range = {}) {
    await this.flush();
    return this.#tx.list("records", { ...range, only: [collection] });
  }

  /** Remove all. */
  clear() {
    this.#written.clear();
    this.#noRow.clear();
    this.#rows.clear();
    this.chunks.clear();
    for (const table of /** @type {const} */ (["records", "chunks", "columns", "contents"])) this.#tx.clear(table);
  }

  /** @param {Place} place @param {string} id */
  async #at({ summary, at }, id) {
    return recordAt(summary, await this.chunks.content(summary.number), id, at);
  }

  // ── The end of the transaction ──

  /** Store what was written. */
  async flush() {
    if (this.#written.size === 0) return;
    const written = [...this.#written.values()];
    this.#written.clear();
    await this.chunks.known();
    await this.#releasePlaces(written.filter(({ isNew }) => !isNew));
    const rows = written.flatMap(({ row }) => (row === null ? [] : [row]));
    for (const group of grouped(rows)) this.#store(group);
    this.#storeSummaries();
  }

  /** @param {Key} key @param {Row | null} row @param {boolean} isNew */
  #write(key, row, isNew) {
    const name = keyText(key);
    if (isNew) this.#noRow.add(name);
    this.#written.set(name, { key, row, isNew });
  }

  /** Mark or delete the old places of records that were written or removed. @param {Written[]} written */
  async #releasePlaces(written) {
    const places = await Promise.all(written.map(({ key }) => this.chunks.find(key)));
    places.forEach((place, which) => {
      const { key, row } = written[which];
      if (place !== null) this.#mask(place);
      // A record that stays a row is overwritten; if it moves to a chunk, `#store` deletes the row.
      else if (row === null) this.#deleteRow(key);
    });
  }

  /** @param {Row[]} rows of one collection and generation */
  #store(rows) {
    const chunkable = rows.filter((row) => row.gone === undefined);
    if (chunkable.length < this.sizes.least) {
      for (const row of rows) this.#putRow(row);
      return;
    }
    for (const row of rows) {
      if (row.gone === undefined) this.#deleteRow([row.collection, row.id]);
      else this.#putRow(row);
    }
    for (const part of cut(chunkable, this.sizes.size)) this.#addChunk(part);
  }

  /** @param {Row} row */
  #putRow(row) {
    this.#noRow.delete(keyText([row.collection, row.id]));
    this.#rows.get(row.collection)?.set(row.id, row);
    this.#tx.put("records", row);
  }

  /** @param {Key} key */
  #deleteRow(key) {
    if (this.#noRow.has(keyText(key))) return;
    this.#tx.delete("records", key);
    this.#rows.get(key[0])?.delete(key[1]);
    this.#noRow.add(keyText(key));
  }

  /** @param {Part[]} parts */
  #addChunk(parts) {
    const { collection } = parts[0].row;
    const number = this.chunks.nextNumber();
    const { summary, ids, columns, content } = chunkOf(number, parts, this.#tx.meta.indexes?.[collection] ?? []);
    this.#tx.put("contents", content);
    this.#tx.put("columns", { collection, field: IDS, number, ids });
    for (const [field, column] of columns) this.#tx.put("columns", { collection, field, number, ...column });
    this.#replace(summary);
  }

  /** Mark a position of a chunk as gone. @param {Place} place */
  #mask({ summary, at }) {
    const now = this.#dirty.get(summary.number) ?? this.chunks.now(summary);
    const gone = this.#dirty.has(now.number) ? /** @type {Set<number>} */ (now.gone) : new Set(now.gone);
    this.#replace({ ...now, gone: gone.add(at) });
  }

  /** @param {Summary} summary */
  #replace(summary) {
    this.#dirty.set(summary.number, summary);
    this.chunks.replace(summary);
  }

  /** Store the changed summaries; delete chunks that have no record left. */
  #storeSummaries() {
    for (const summary of this.#dirty.values()) {
      const { collection, number, fields } = summary;
      if (liveIn(summary) > 0) {
        this.#tx.put("chunks", rowOf(summary));
        continue;
      }
      this.chunks.drop(summary);
      this.#tx.delete("chunks", [collection, number]);
      this.#tx.delete("contents", number);
      for (const field of [IDS, ...fields]) this.#tx.delete("columns", [collection, field, number]);
    }
    this.#dirty.clear();
  }

  /** Store the columns of these fields and no others. @param {Summary} summary @param {readonly string[]} fields */
  async reindex(summary, fields) {
    const { collection, number } = summary;
    for (const field of summary.fields.filter((one) => !fields.includes(one))) {
      this.#tx.delete("columns", [collection, field, number]);
    }
    for (const field of fields.filter((one) => !summary.fields.includes(one))) {
      const [{ values, at }] = await this.chunks.columns(collection, field, [summary]);
      this.#tx.put("columns", { collection, field, number, values, at });
    }
    this.#replace({ ...this.chunks.now(summary), fields: [...fields] });
    this.#storeSummaries();
  }
}

/** Groups of rows of one collection and generation. @param {Row[]} rows @returns {Iterable<Row[]>} */
function grouped(rows) {
  /** @type {Map<string, Row[]>} */
  const found = new Map();
  for (const row of rows) {
    const name = keyText([row.collection, String(row.generation)]);
    const group = found.get(name);
    if (group === undefined) found.set(name, [row]);
    else group.push(row);
  }
  return found.values();
}

/** The position of the first id after another. @param {string[]} ids @param {string | undefined} after */
function firstBehind(ids, after) {
  if (after === undefined) return 0;
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {Key} key */
function keyText([collection, id]) {
  return `${collection}/${id}`;
}

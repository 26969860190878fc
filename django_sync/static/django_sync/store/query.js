/**
 * Finds a collection's records that match, in order, in one state of the store.
 *
 * An index is used if there is a fitting one, else all chunks are read. The content of a chunk is
 * read at most once, or with a limit at most once in each round. Records outside of chunks are few,
 * so all of them are checked. Objects with local mutations are checked as the user sees them.
 */

import { Invalid } from "../errors.js";
import { livePositions, recordAt } from "./chunks.js";
import { compareValues, conditionsOf, isIndexable, meets, partOf } from "./indexes.js";
import { mutationsByObject, seenRecord } from "./overlay.js";

/** @import { Record } from "../types.js" */
/** @import { Content, Summary } from "./chunks.js" */
/** @import { Tx } from "./database.js" */
/** @import { Column, Condition } from "./indexes.js" */
/** @import { Row } from "./tables.js" */

/**
 * @typedef {object} Ordering In which order records are wanted, and how many.
 * @property {string} [orderBy] a field, with `-` before it for the reverse; their ids without it
 * @property {number} [limit] the most records, the first in that order; all without it
 */

/** @typedef {import("./encoding.js").Fields | ((record: Record) => boolean)} Wanted Fields' values or bounds (`gt`, `gte`, `lt`, `lte`), or a function that says whether a record matches. */

/** Contents read at a time. */
const CONTENTS_AT_ONCE = 16;

/** @typedef {{summary: Summary, at: number}} Candidate */

/** @typedef {{summary: Summary, ids: string[], column: Column, from: number, to: number}} Part The part of a chunk's column in which candidates are. */

/** Conditions, an order and a limit. */
export class Query {
  /** @type {Condition[]} */
  conditions = [];
  /** @type {(record: Record) => boolean} */
  #accepts = () => true;
  /** @type {string | null} */
  field = null;
  isReversed = false;

  /**
   * @param {Wanted} wanted
   * @param {Ordering} [ordering]
   * @throws {Invalid} for a bound that has no order, and for a limit that is not a whole number from 0 on
   */
  constructor(wanted, { orderBy, limit = Infinity } = {}) {
    if (typeof wanted === "function") this.#accepts = /** @type {(record: Record) => boolean} */ (wanted);
    else this.conditions = conditionsOf(wanted);
    if (limit !== Infinity && !(Number.isInteger(limit) && limit >= 0)) throw new Invalid(`A limit cannot be ${limit}.`);
    this.limit = limit;
    if (orderBy === undefined) return;
    this.isReversed = orderBy.startsWith("-");
    this.field = orderBy.slice(Number(this.isReversed));
  }

  /** Whether an object meets the conditions on its fields. @param {Record["object"]} object */
  meets(object) {
    return meets(this.conditions, object);
  }

  /** @param {Record | null} record @returns {record is Record} */
  matches(record) {
    return record !== null && this.meets(record.object) && this.#accepts(record);
  }

  /** Sort records in the order of the query, and cut at its limit. @param {Record[]} records */
  inOrder(records) {
    const { field } = this;
    const sign = this.isReversed ? -1 : 1;
    return records
      .sort((one, other) => {
        const compared = field === null ? 0 : compareValues(valueOf(one, field), valueOf(other, field));
        return sign * (compared || (one.id < other.id ? -1 : 1));
      })
      .slice(0, this.limit);
  }
}

/** @param {Record} record @param {string} field */
function valueOf({ object }, field) {
  return Object.hasOwn(object, field) ? object[field] : null;
}

/**
 * @param {Tx} tx
 * @param {string} collection
 * @param {Query} query
 * @returns {Promise<Record[]>}
 */
export async function find(tx, collection, query) {
  if (query.limit === 0) return [];
  return new Search(tx, collection, query).run();
}

class Search {
  #tx;
  #collection;
  #query;
  /** Objects with local mutations. @type {Map<string, Row[]>} */
  #local = new Map();
  /** @type {Record[]} */
  #found = [];

  /** @param {Tx} tx @param {string} collection @param {Query} query */
  constructor(tx, collection, query) {
    this.#tx = tx;
    this.#collection = collection;
    this.#query = query;
  }

  async run() {
    this.#local = await mutationsByObject(this.#tx, this.#collection);
    await this.#searchLocal();
    for (const row of await this.#tx.records.singles(this.#collection)) {
      if (!this.#local.has(row.id)) this.#take(seenRecord([this.#collection, row.id], row, []));
    }
    const summaries = await this.#tx.records.chunks.summaries(this.#collection);
    if (summaries.length > 0) await this.#searchChunks(summaries);
    return this.#query.inOrder(this.#found);
  }

  async #searchLocal() {
    for (const [id, mutations] of this.#local) {
      const row = await this.#tx.records.get([this.#collection, id]);
      this.#take(seenRecord([this.#collection, id], row, mutations));
    }
  }

  /** @param {Record | null} record */
  #take(record) {
    if (this.#query.matches(record)) this.#found.push(record);
  }

  /** @param {Summary[]} summaries */
  async #searchChunks(summaries) {
    const { parts, isSorted } = await this.#plan(summaries);
    if (parts === null) {
      await this.#read(summaries.map((summary) => ({ summary, positions: livePositions(summary) })));
    } else if (isSorted && this.#query.limit < Infinity) {
      await this.#walk(parts);
    } else {
      const positions = parts.map(({ summary, column: { at }, from, to }) => {
        return { summary, positions: at.slice(from, to).filter((one) => !summary.gone.has(one)) };
      });
      await this.#read(positions);
    }
  }

  /**
   * Which index to use, if any, and whether its order is the order of the query.
   * @param {Summary[]} summaries
   * @returns {Promise<{parts: Part[] | null, isSorted: boolean}>}
   */
  async #plan(summaries) {
    const { conditions, field, limit } = this.#query;
    const fields = this.#tx.meta.indexes?.[this.#collection] ?? [];
    const usable = conditions.filter((condition) => fields.includes(condition.field) && isIndexable(condition));
    const best = await this.#best(summaries, usable);
    const plan = { parts: best?.parts ?? null, isSorted: best !== null && this.#isInOrder(best.condition) };
    if (plan.isSorted || field === null || limit === Infinity || !fields.includes(field)) return plan;
    // A walk in the wanted order reads about `limit * all / fewest` candidates until `limit` match.
    const own = usable.find((condition) => condition.field === field) ?? null;
    const sorted = await this.#parts(summaries, field, own);
    const expected = best === null ? 0 : (limit * counted(sorted)) / best.count;
    return best === null || expected < best.count ? { parts: sorted, isSorted: true } : plan;
  }

  /** The condition whose index finds the fewest candidates; `null` where there is none. @param {Summary[]} summaries @param {Condition[]} usable */
  async #best(summaries, usable) {
    let best = null;
    for (const condition of usable) {
      const parts = await this.#parts(summaries, condition.field, condition);
      const count = counted(parts);
      if (best === null || count < best.count) best = { parts, condition, count };
    }
    return best;
  }

  /** Whether the index that a condition uses has the query's order. @param {Condition} condition */
  #isInOrder(condition) {
    const { field } = this.#query;
    return field === null ? condition.equals !== undefined : field === condition.field;
  }

  /** @param {Summary[]} summaries @param {string} field @param {Condition | null} condition @returns {Promise<Part[]>} */
  async #parts(summaries, field, condition) {
    const columns = await this.#tx.records.chunks.columns(this.#collection, field, summaries);
    const parts = summaries.map((summary, which) => {
      const [from, to] = partOf(columns[which], condition);
      return { summary, column: columns[which], from, to, ids: /** @type {string[]} */ ([]) };
    });
    return parts.filter(({ from, to }) => from < to);
  }

  /** Read candidates in order, twice as many in each round, until enough match. @param {Part[]} parts */
  async #walk(parts) {
    const ids = await this.#tx.records.chunks.ids(this.#collection, parts.map(({ summary }) => summary));
    parts.forEach((part, which) => (part.ids = ids[which]));
    const candidates = merged(parts, this.#query.isReversed);
    const others = this.#found.length;
    for (let round = this.#query.limit; this.#found.length - others < this.#query.limit; round *= 2) {
      const wanted = taken(candidates, round);
      if (wanted.length === 0) return;
      await this.#read(wanted);
    }
  }

  /** Take what matches at these positions. @param {{summary: Summary, positions: number[]}[]} wanted */
  async #read(wanted) {
    const some = wanted.filter(({ positions }) => positions.length > 0);
    // A query that reads nearly everything would remove from memory what other queries need.
    const keep = some.length <= CONTENTS_AT_ONCE;
    for (let from = 0; from < some.length; from += CONTENTS_AT_ONCE) {
      const batch = some.slice(from, from + CONTENTS_AT_ONCE);
      const summaries = batch.map(({ summary }) => summary);
      const [ids, ...contents] = await Promise.all([
        this.#tx.records.chunks.ids(this.#collection, summaries),
        ...summaries.map(({ number }) => this.#tx.records.chunks.content(number, keep)),
      ]);
      batch.forEach(({ summary, positions }, which) => this.#matching(summary, positions, ids[which], contents[which]));
    }
  }

  /** @param {Summary} summary @param {number[]} positions @param {string[]} ids @param {Content} content */
  #matching(summary, positions, ids, content) {
    for (const at of positions) {
      if (this.#local.has(ids[at])) continue;
      const row = recordAt(summary, content, ids[at], at);
      if (this.#query.meets(row.object)) this.#take(seenRecord([this.#collection, row.id], row, []));
    }
  }
}

/**
 * The next `count` candidates, grouped by chunk.
 * @param {Iterator<Candidate, void>} candidates
 * @param {number} count
 */
function taken(candidates, count) {
  /** @type {Map<Summary, number[]>} */
  const found = new Map();
  for (let left = count; left > 0; left--) {
    const { value } = candidates.next();
    if (!value) break;
    const positions = found.get(value.summary) ?? [];
    positions.push(value.at);
    found.set(value.summary, positions);
  }
  return [...found].map(([summary, positions]) => ({ summary, positions }));
}

/** @param {Part[]} parts */
function counted(parts) {
  return parts.reduce((sum, { from, to }) => sum + to - from, 0);
}

/**
 * The candidates of several chunks in the order of value and id, or in the reverse order.
 * @param {Part[]} parts
 * @param {boolean} isReversed
 * @returns {Generator<Candidate, void>}
 */
function* merged(parts, isReversed) {
  const sign = isReversed ? -1 : 1;
  const heads = parts.map((part) => ({ part, next: isReversed ? part.to - 1 : part.from }));
  const comesFirst = (/** @type {Head} */ one, /** @type {Head} */ other) => sign * compareHeads(one, other) < 0;
  for (let at = heads.length >> 1; at >= 0; at--) sink(heads, at, comesFirst);
  while (heads.length > 0) {
    const [head] = heads;
    const { part } = head;
    const at = part.column.at[head.next];
    head.next += sign;
    if (head.next < part.from || head.next >= part.to) {
      const last = /** @type {Head} */ (heads.pop());
      if (last !== head) heads[0] = last;
    }
    sink(heads, 0, comesFirst);
    if (!part.summary.gone.has(at)) yield { summary: part.summary, at };
  }
}

/** @typedef {{part: Part, next: number}} Head */

/** @param {Head} one @param {Head} other */
function compareHeads(one, other) {
  const compared = compareValues(one.part.column.values[one.next], other.part.column.values[other.next]);
  return compared || (idOf(one) < idOf(other) ? -1 : 1);
}

/** @param {Head} head */
function idOf({ part, next }) {
  return part.ids[part.column.at[next]];
}

/**
 * Restore the order of a binary heap below one place.
 * @param {Head[]} heads
 * @param {number} at
 * @param {(one: Head, other: Head) => boolean} comesFirst
 */
function sink(heads, at, comesFirst) {
  while (2 * at + 1 < heads.length) {
    let child = 2 * at + 1;
    if (child + 1 < heads.length && comesFirst(heads[child + 1], heads[child])) child += 1;
    if (!comesFirst(heads[child], heads[at])) return;
    [heads[at], heads[child]] = [heads[child], heads[at]];
    at = child;
  }
}

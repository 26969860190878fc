/**
 * How the outbox is sent: batch by batch, by HTTP or over a socket.
 *
 * The caller passes a `post`, which returns the answer or throws one of `errors.js`. A batch that is
 * too large is halved. A mutation that makes the server fail is set aside, so that only what depends
 * on it has to wait.
 */

import { Captive, CursorExpired, Invalid, InvalidCursor, SyncError, TooLarge, UnknownCollection, ValidationFailed } from "../errors.js";
import { log } from "../log.js";
import { UNKNOWN } from "../net/service.js";
import { Blocked, take } from "../store/outbox.js";
import { enterResults } from "../store/results.js";

/** @import { Service } from "../net/service.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Fields } from "../store/encoding.js" */
/** @import { Outgoing } from "../store/outbox.js" */
/** @import { Place } from "../store/replica.js" */
/** @import { Settled } from "../store/results.js" */
/** @import { Counts } from "../types.js" */

/** @typedef {(body: string) => Promise<Fields>} Post Sends the envelope of section 7. */

/** How often one exchange sends again what callbacks wrote while it ran. */
export const ROUNDS = 3;

/** Errors of a whole batch that one mutation may have caused: of exactly these classes. */
const POISON = [TooLarge, Invalid, UnknownCollection, ValidationFailed, SyncError];

/** Whether an error means that the cursor is void. @param {unknown} error @returns {boolean} */
export function isVoid(error) {
  return error instanceof CursorExpired || error instanceof InvalidCursor;
}

/**
 * The request's body; the mutations in it are the texts that the outbox keeps.
 * @param {Place} place
 * @param {Outgoing[]} batch
 */
export function envelope(place, batch) {
  const cursor = JSON.stringify(batch.length > 0 ? place.cursor : null);
  const mutations = batch.map(({ body }) => body).join(",");
  return `{"client_id":"${place.clientId}","cursor":${cursor},"atomic":false,"mutations":[${mutations}]}`;
}

/** Sends one store's outbox. */
export class Upload {
  #db;
  #onSettled;
  #readPlace;
  #onVoid;
  /** @type {Service} */
  #limits = UNKNOWN;
  #batchSize = UNKNOWN.batchSize;

  /**
   * @param {Database} db
   * @param {(settled: Settled) => void} settled is called after each commit
   * @param {() => Promise<Place>} place
   * @param {(place: Place, error: SyncError) => Promise<void>} voided
   */
  constructor(db, settled, place, voided) {
    this.#db = db;
    this.#onSettled = settled;
    this.#readPlace = place;
    this.#onVoid = voided;
  }

  /** Learn the server's limits. @param {Service} service */
  setLimits(service) {
    this.#limits = service;
    this.#batchSize = service.batchSize;
  }

  /**
   * Send the outbox; where a part of it fails, send the rest and return the error.
   * @param {Post} post
   * @param {Counts} counts
   * @returns {Promise<SyncError | null>}
   */
  async run(post, counts) {
    const blocked = new Blocked();
    let failure = null;
    for (let round = 0; round < ROUNDS; round++) {
      const pass = await this.#pass(post, counts, blocked);
      failure ??= pass.failure;
      if (pass.final === 0 || isVoid(pass.failure)) break;
    }
    return failure;
  }

  /**
   * Go through the outbox once, as far as it reached when this began.
   * @param {Post} post
   * @param {Counts} counts
   * @param {Blocked} blocked
   * @returns {Promise<{final: number, failure: SyncError | null}>}
   */
  async #pass(post, counts, blocked) {
    let [final, failures] = [0, 0];
    /** @type {SyncError | null} */
    let failure = null;
    let from = 0;
    const to = await this.#db.read(async (tx) => tx.meta.seq + 1);
    let limit = this.#batchSize;
    while (true) {
      const batch = await this.#take({ from, to }, limit, blocked);
      if (batch.length === 0) return { final, failure };
      const place = await this.#readPlace();
      try {
        const answer = await post(envelope(place, batch));
        final += await this.#enter(batch, answer, counts);
        failures = 0;
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        if (isVoid(error)) {
          await this.#onVoid(place, error);
          return { final, failure: error };
        }
        const poison = POISON.some((kind) => error.constructor === kind);
        if (!poison || (batch.length === 1 && failures > 0)) throw error;
        limit = Math.max(1, Math.floor(batch.length / 2));
        if (error instanceof TooLarge) this.#batchSize = limit;
        if (batch.length > 1) continue;
        log.error(`Mutation ${batch[0].row.id} is set aside: ${error.detail}`);
        blocked.add(batch[0].row);
        failure ??= error;
        limit = this.#batchSize;
        if (error.constructor === SyncError) failures += 1;
      }
      from = batch[batch.length - 1].row.seq + 1;
    }
  }

  /** @param {{from: number, to: number}} span @param {number} limit @param {Blocked} blocked */
  #take(span, limit, blocked) {
    const most = this.#limits.bodyBytes - 1_000;
    return this.#db.write((tx) => take(tx, span, limit, most, blocked), { durable: true });
  }

  /** @param {Outgoing[]} batch @param {Fields} answer @param {Counts} counts */
  async #enter(batch, answer, counts) {
    const { results } = answer;
    if (!Array.isArray(results)) throw new Captive("The answer has no results: it does not come from a django_sync server.");
    const settled = await this.#db.write((tx) => enterResults(tx, batch, results, counts));
    this.#onSettled(settled);
    return settled.final;
  }
}

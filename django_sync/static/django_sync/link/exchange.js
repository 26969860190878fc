/**
 * One full exchange with the server: the outbox goes out, then pages come in.
 *
 * Each step is one request and one transaction, and callbacks run between the steps; two exchanges
 * at once, in tabs or calls, are safe: the same mutation sent twice is harmless, and of two pages
 * one is discarded.
 */

import { ClientMismatch, InvalidCursor, StorageLost, StoreMismatch, SyncError } from "../errors.js";
import { log } from "../log.js";
import { readPage } from "../net/pages.js";
import { readService, UNKNOWN } from "../net/service.js";
import { hasNew } from "../store/outbox.js";
import { Counts } from "../types.js";
import { envelope, isVoid, ROUNDS, Sending } from "./upload.js";
import { Wakes } from "./wakes.js";

/** @import { Network } from "../net/http.js" */
/** @import { Page } from "../net/pages.js" */
/** @import { Service } from "../net/service.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Seen } from "../store/overlay.js" */
/** @import { Binding } from "../store/owner.js" */
/** @import { Place, Replica } from "../store/replica.js" */
/** @import { Settled } from "../store/results.js" */
/** @import { Post } from "./upload.js" */

/**
 * @typedef {object} Listener Who is told of what came, after each commit.
 * @property {(seen: Seen, page: {hasMore: boolean}) => void} pulled
 * @property {(settled: Settled) => void} settled
 */

/** How one client speaks with its server. */
export class Exchange {
  #db;
  #network;
  #binding;
  #listener;
  #sending;
  /** @type {Post} */
  #post;
  #wakes;
  #described = false;
  #clientId = "";
  /** @type {Service} */
  service = UNKNOWN;

  /**
   * @param {Database} db
   * @param {Network} network
   * @param {Binding} binding
   * @param {Replica} replica
   * @param {readonly string[]} names of the collections
   * @param {Listener} listener
   */
  constructor(db, network, binding, replica, names, listener) {
    this.#db = db;
    this.#network = network;
    this.#binding = binding;
    this.#listener = listener;
    this.#post = (body) => network.post("mutations/", body);
    this.#sending = new Sending(
      db,
      (settled) => listener.settled(settled),
      () => this.#place(),
      (place, error) => this.void(place, error),
    );
    this.#wakes = new Wakes(db);
    this.replica = replica;
    this.names = names;
  }

  /** Send the outbox and pull until `has_more` is false; throw what a part of it failed with. */
  async run() {
    const { counts, failure } = await this.go();
    if (failure !== null) throw failure;
    return counts;
  }

  /**
   * The same, but return what one mutation failed with where all the rest is done.
   * @param {{anew?: boolean}} [how] `anew` asks for the service document again
   * @returns {Promise<{counts: Counts, failure: SyncError | null}>}
   */
  go({ anew = false } = {}) {
    return this.#bound(async () => {
      const counts = new Counts();
      this.#described = this.#described && !anew;
      await this.#binding.check();
      await this.#describe();
      if (!(await this.#binding.isProven())) await this.#claim();
      let failure = null;
      for (let round = 0; round < ROUNDS; round++) {
        failure = await this.#sending.run(this.#post, counts);
        await this.#pull(counts);
        if (!isVoid(failure) && !(await this.#db.read(hasNew))) break;
      }
      return { counts, failure };
    });
  }

  /** Pull and send nothing, as a worker without a page does; what is in the outbox waits for one. */
  pull() {
    return this.#bound(async () => {
      const counts = new Counts();
      await this.#binding.check();
      await this.#describe();
      // A cursor is bound to its user, so the server tells of another one; without one it must be asked.
      if ((await this.#place()).cursor === null && !(await this.#binding.isProven())) await this.#claim();
      await this.#pull(counts);
      return counts;
    });
  }

  /** Send the outbox and pull nothing; return what a part of it failed with. @param {Post} [post] */
  send(post = this.#post) {
    return this.#bound(() => this.#sending.run(post, new Counts()));
  }

  /** Have the server hold a pull until something is new; whether it brought anything. */
  async listen() {
    return this.#bound(async () => {
      const { pull, place } = await this.replica.beginPull();
      const counts = new Counts();
      const seconds = this.service.waitSeconds;
      const params = { ...this.asked(place), wait: String(seconds) };
      const wakes = await this.#wakes.asked();
      let page;
      try {
        page = readPage(await this.#network.get("live/changes/", { params, held: seconds }));
      } catch (error) {
        if (!(error instanceof SyncError) || !isVoid(error)) throw error;
        await this.void(place, error);
      }
      if (page && (await this.#apply(page, place, pull, counts)) && !page.hasMore) {
        await this.#wakes.served(wakes);
        return page.changes.length > 0;
      }
      await this.#pull(counts);
      return true;
    });
  }

  /** The cursor is void; make sure that it is not because the user is another one. @param {Place} place @param {SyncError} error */
  async void(place, error) {
    if (error instanceof InvalidCursor) await this.#claim();
    await this.replica.startOver(place);
  }

  /** What a pull asks for, and a stream. @param {{cursor: string | null}} place @returns {Record<string, string>} */
  asked({ cursor }) {
    const collections = this.names.join(",");
    return cursor === null ? { collections } : { collections, cursor };
  }

  /**
   * What is done for the installation that the store is now, and for no other.
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  async #bound(run) {
    this.#clientId = (await this.replica.place()).clientId;
    this.#network.said["Sync-Client"] = this.#clientId;
    try {
      return await run();
    } catch (error) {
      if (error instanceof ClientMismatch) throw new StoreMismatch(error.detail, { cause: error });
      throw error;
    }
  }

  /** What the server says of itself; asked where it is not known. */
  async described() {
    await this.#bound(() => this.#describe());
    return this.service;
  }

  /** Ask once what the server speaks and what its limits are. */
  async #describe() {
    if (this.#described) return;
    this.service = readService(await this.#network.get(""));
    this.#network.quick();
    await this.#db.write(async (tx) => tx.set({ serverEpoch: this.service.epoch }));
    this.#sending.described(this.service);
    this.#described = true;
  }

  /** Have the server compare the client id with the user before anything is mixed. */
  async #claim() {
    await this.#post(envelope(await this.replica.place(), []));
    await this.#binding.prove();
  }

  /** Where the store stands; an exchange does not go on in a store that was cleared. */
  async #place() {
    const place = await this.replica.place();
    if (place.clientId !== this.#clientId) {
      throw new StorageLost("The store was cleared while the exchange ran.");
    }
    return place;
  }

  /** @param {Counts} counts */
  async #pull(counts) {
    let { pull } = await this.replica.beginPull();
    let restarts = 0;
    let wakes = 0;
    /**
     * The next page, on its way while this one is written; where the store then stands elsewhere,
     * nobody takes it.
     * @type {{cursor: string, answer: Promise<any>} | null}
     */
    let ahead = null;
    while (true) {
      const place = await this.#place();
      if (place.stream !== 0) {
        // One began meanwhile; whoever asks for a pull now comes first.
        ({ pull } = await this.replica.beginPull());
        continue;
      }
      const asked = ahead?.cursor === place.cursor ? ahead.answer : null;
      ahead = null;
      // What woke us after a page was asked for is not served by it.
      if (asked === null) wakes = await this.#wakes.asked();
      let page;
      try {
        page = readPage(await (asked ?? this.#page(place)));
      } catch (error) {
        restarts += 1;
        const goesOn = error instanceof SyncError && isVoid(error) && place.cursor !== null;
        if (!goesOn || restarts > ROUNDS) throw error;
        await this.void(place, error);
        continue;
      }
      if (page.changes.length === 0) this.#network.quick();
      if (page.hasMore && page.cursor === place.cursor) {
        throw new SyncError("The server's cursor stands still with more to come.");
      }
      if (page.hasMore) {
        ahead = { cursor: page.cursor, answer: this.#page(page) };
        ahead.answer.catch(() => undefined); // heard where it is taken
      }
      if ((await this.#apply(page, place, pull, counts)) && !page.hasMore) {
        await this.#wakes.served(wakes);
        return;
      }
    }
  }

  /** The server's answer with the page behind a cursor. @param {{cursor: string | null}} place */
  #page(place) {
    return this.#network.get("changes/", { params: this.asked(place) });
  }

  /** @param {Page} page @param {Place} place @param {number} pull @param {Counts} counts */
  async #apply(page, place, pull, counts) {
    const seen = await this.replica.apply(page, place, this.names, pull);
    if (seen === null) {
      log.info("A page was discarded: the store has moved on.");
      return false;
    }
    counts.pages += 1;
    counts.changes += page.changes.length;
    this.#listener.pulled(seen, page);
    return true;
  }
}

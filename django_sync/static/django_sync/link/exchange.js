/**
 * One full exchange with the server: the outbox goes out, then pages come in.
 *
 * Each step is one request and one transaction, and callbacks run between the steps. Two exchanges
 * at once, in tabs or calls, are safe: the server carries out a mutation once, however often it is
 * sent; and where two pages come for one cursor, one is discarded.
 */

import { ClientMismatch, InvalidCursor, StorageLost, StoreMismatch, SyncError } from "../errors.js";
import { log } from "../log.js";
import { readPage } from "../net/pages.js";
import { readService, UNKNOWN } from "../net/service.js";
import { hasNew } from "../store/outbox.js";
import { Counts } from "../types.js";
import { envelope, isVoid, ROUNDS, Upload } from "./upload.js";
import { WakeupStore } from "../store/wakeup_store.js";

/** @import { HttpClient } from "../net/http.js" */
/** @import { Page } from "../net/pages.js" */
/** @import { Service } from "../net/service.js" */
/** @import { Database } from "../store/database.js" */
/** @import { Seen } from "../store/overlay.js" */
/** @import { StoreOwner } from "../store/owner.js" */
/** @import { Place, Replica } from "../store/replica.js" */
/** @import { Settled } from "../store/results.js" */
/** @import { Post } from "./upload.js" */

/**
 * @typedef {object} Listener What is called after each commit.
 * @property {(seen: Seen, page: {hasMore: boolean}) => void} pulled
 * @property {(settled: Settled) => void} settled
 */

/** @typedef {{cursor: string, answer: Promise<any>}} Ahead A request for the next page; it is used only if the store is then at its cursor. */

/** The exchanges of one client with its server. */
export class Exchange {
  #db;
  #http;
  #owner;
  #listener;
  #upload;
  /** @type {Post} */
  #post;
  #wakes;
  #isDescribed = false;
  #clientId = "";
  /** @type {Service} */
  service = UNKNOWN;

  /**
   * @param {Database} db
   * @param {HttpClient} http
   * @param {StoreOwner} owner
   * @param {Replica} replica
   * @param {readonly string[]} names of the collections
   * @param {Listener} listener
   */
  constructor(db, http, owner, replica, names, listener) {
    this.#db = db;
    this.#http = http;
    this.#owner = owner;
    this.#listener = listener;
    this.#post = (body) => http.post("mutations/", body);
    this.#upload = new Upload(
      db,
      (settled) => listener.settled(settled),
      () => this.#place(),
      (place, error) => this.void(place, error),
    );
    this.#wakes = new WakeupStore(db);
    this.replica = replica;
    this.names = names;
  }

  /** Send the outbox and pull until `has_more` is false; throw the error if a part of it failed. */
  async run() {
    const { counts, failure } = await this.go();
    if (failure !== null) throw failure;
    return counts;
  }

  /**
   * The same, but return the error of one mutation where everything else is done.
   * @param {{anew?: boolean}} [how] `anew` asks for the service document again
   * @returns {Promise<{counts: Counts, failure: SyncError | null}>}
   */
  go({ anew = false } = {}) {
    return this.#bound(async () => {
      const counts = new Counts();
      this.#isDescribed = this.#isDescribed && !anew;
      await this.#owner.check();
      await this.#describe();
      if (!(await this.#owner.isConfirmed())) await this.#claim();
      let failure = null;
      for (let round = 0; round < ROUNDS; round++) {
        failure = await this.#upload.run(this.#post, counts);
        await this.#pull(counts);
        if (!isVoid(failure) && !(await this.#db.read(hasNew))) break;
      }
      return { counts, failure };
    });
  }

  /** Pull and send nothing, as a worker does while no page is open; the outbox waits for a page. */
  pull() {
    return this.#bound(async () => {
      const counts = new Counts();
      await this.#owner.check();
      await this.#describe();
      // With a cursor the server notices another user; without one it has to be asked.
      if ((await this.#place()).cursor === null && !(await this.#owner.isConfirmed())) await this.#claim();
      await this.#pull(counts);
      return counts;
    });
  }

  /** Send the outbox and pull nothing; return the error if a part of it failed. @param {Post} [post] */
  send(post = this.#post) {
    return this.#bound(() => this.#upload.run(post, new Counts()));
  }

  /** Have the server hold a pull until something is new; return whether it brought anything. */
  async listen() {
    return this.#bound(async () => {
      const { pull, place } = await this.replica.beginPull();
      const counts = new Counts();
      const seconds = this.service.waitSeconds;
      const params = { ...this.asked(place), wait: String(seconds) };
      const wakes = await this.#wakes.noteRequest();
      let page;
      try {
        page = readPage(await this.#http.get("live/changes/", { params, held: seconds }));
      } catch (error) {
        if (!(error instanceof SyncError) || !isVoid(error)) throw error;
        await this.void(place, error);
      }
      if (page && (await this.#apply(page, place, pull, counts)) && !page.hasMore) {
        await this.#wakes.noteServed(wakes);
        return page.changes.length > 0;
      }
      await this.#pull(counts);
      return true;
    });
  }

  /** The cursor is void; make sure first that the user is not another one. @param {Place} place @param {SyncError} error */
  async void(place, error) {
    if (error instanceof InvalidCursor) await this.#claim();
    await this.replica.startOver(place);
  }

  /** The parameters of a pull, or of a stream. @param {{cursor: string | null}} place @returns {Record<string, string>} */
  asked({ cursor }) {
    const collections = this.names.join(",");
    return cursor === null ? { collections } : { collections, cursor };
  }

  /**
   * Run something for the installation that the store belongs to now, and for no other.
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  async #bound(run) {
    this.#clientId = (await this.replica.place()).clientId;
    this.#http.identityHeaders["Sync-Client"] = this.#clientId;
    try {
      return await run();
    } catch (error) {
      if (error instanceof ClientMismatch) throw new StoreMismatch(error.detail, { cause: error });
      throw error;
    }
  }

  /** The service document; the server is asked where it is not known. */
  async serviceDocument() {
    await this.#bound(() => this.#describe());
    return this.service;
  }

  /** Ask once which protocol the server uses and what its limits are. */
  async #describe() {
    if (this.#isDescribed) return;
    this.service = readService(await this.#http.get(""));
    this.#http.countRoundTrip();
    await this.#db.write(async (tx) => tx.set({ serverEpoch: this.service.epoch }));
    this.#upload.setLimits(this.service);
    this.#isDescribed = true;
  }

  /** Have the server compare the client id with the user before anything is mixed. */
  async #claim() {
    await this.#post(envelope(await this.replica.place(), []));
    await this.#owner.confirm();
  }

  /** The store's place in the feed; an exchange does not go on in a store that was cleared. */
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
    /** @type {Ahead | null} */
    let ahead = null;
    while (true) {
      const place = await this.#place();
      if (place.stream !== 0) {
        // A connection took the store meanwhile; the newest pull takes it back.
        ({ pull } = await this.replica.beginPull());
        continue;
      }
      const asked = ahead?.cursor === place.cursor ? ahead.answer : null;
      ahead = null;
      // A wake-up that comes after the request for a page is not served by that page.
      if (asked === null) wakes = await this.#wakes.noteRequest();
      let page;
      try {
        page = readPage(await (asked ?? this.#page(place)));
      } catch (error) {
        restarts += 1;
        if (restarts > ROUNDS) throw error;
        await this.#restart(place, error);
        continue;
      }
      if (page.changes.length === 0) this.#http.countRoundTrip();
      if (page.hasMore) ahead = this.#askAhead(page, place);
      if ((await this.#apply(page, place, pull, counts)) && !page.hasMore) {
        await this.#wakes.noteServed(wakes);
        return;
      }
    }
  }

  /** Start over where the cursor is void; throw every other error. @param {Place} place @param {unknown} error */
  async #restart(place, error) {
    if (!(error instanceof SyncError) || !isVoid(error) || place.cursor === null) throw error;
    await this.void(place, error);
  }

  /**
   * Ask for the page behind this one, while this one is written.
   * @param {Page} page
   * @param {Place} place
   * @returns {Ahead}
   */
  #askAhead(page, place) {
    if (page.cursor === place.cursor) throw new SyncError("The server's cursor does not move, though more pages follow.");
    const answer = this.#page(page);
    answer.catch(() => undefined); // it throws again where it is awaited
    return { cursor: page.cursor, answer };
  }

  /** The server's answer with the page behind a cursor. @param {{cursor: string | null}} place */
  #page(place) {
    return this.#http.get("changes/", { params: this.asked(place) });
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

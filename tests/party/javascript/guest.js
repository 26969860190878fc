/**
 * A guest with a JavaScript client, in Node or in a page: does what one line asks for, and answers
 * with one line. `../remote.py` sends the lines; `terminal.js` and `guest.html` pass them on.
 */

import { Backoff, logTo, MemoryStore, Pace, Resolution, SyncClient, TokenAuth } from "../../../django_sync/static/django_sync/client.js";
import { IndexedDBStore } from "../../../django_sync/static/django_sync/store/indexeddb.js";
import { FAULTS } from "./sabotage.js";
import { Watched } from "./watched.js";
import { Weather } from "./weather.js";

logTo({ warn: () => undefined }); // the weather makes for a lot of it

export class Guest {
  #store = null;
  #client = null;
  #asked = null;
  #weather = null;
  #told;
  #shown = new Map();

  /** @param {{get: () => string[], add: (id: string) => void}} told mutations that were refused: outlives the page */
  constructor(told) {
    this.#told = told;
  }

  /** @param {string} line JSON of a word and what belongs to it @returns {Promise<string>} */
  async obey(line) {
    const { word, ...asked } = JSON.parse(line);
    try {
      return JSON.stringify({ found: (await this[word](asked)) ?? null });
    } catch (error) {
      return JSON.stringify({ code: error.code ?? "error", detail: String(error.stack ?? error) });
    }
  }

  /** Open a store and a client. */
  async open({ url, token, user, collections, way, seed, fault, calm }) {
    this.#asked = { url, token, user, collections, way };
    this.#weather = new Weather(seed);
    this.#weather.calm = calm;
    const kept = globalThis.indexedDB && globalThis.document ? await new IndexedDBStore(`django_sync ${user}`, indexedDB).open() : new MemoryStore();
    this.#store = new Watched(kept);
    if (fault) FAULTS[fault](this.#store);
    await this.#opened();
  }

  async #opened() {
    const { url, token, collections, way } = this.#asked;
    this.#client = await SyncClient.open(url, {
      store: this.#store,
      collections,
      auth: new TokenAuth(token),
      transports: [way],
      timeout: 5,
      backoff: new Backoff({ first: 0.02, longest: 0.1, random: this.#weather.random }),
      pace: new Pace({ shortest: 0.05, longest: 0.2, random: this.#weather.random }),
      fetch: this.#weather.fetch,
      WebSocket: this.#weather.WebSocket,
    });
    this.#client.onRejected(({ mutation }) => this.#told.add(mutation.id));
    this.#client.onChange(null, () => undefined);
  }

  /** The program ends and is started again; its store is what it was. */
  async restart() {
    await this.#client.close();
    await this.#opened();
    this.#client.start();
  }

  start() {
    this.#client.start();
  }

  async sync() {
    return this.#client.sync();
  }

  async close() {
    await this.#client.close();
  }

  // What its user does.

  async create({ collection, fields }) {
    return recordOf(await this.#client.collection(collection).create(fields));
  }

  async update({ collection, id, fields }) {
    return recordOf(await this.#client.collection(collection).update(id, fields));
  }

  async delete({ collection, id }) {
    await this.#client.collection(collection).delete(id);
  }

  async all({ collection }) {
    return (await this.#client.collection(collection).all()).map(recordOf);
  }

  async conflicts() {
    const found = await this.#client.conflicts();
    this.#shown = new Map(found.map((conflict) => [conflict.mutation.id, conflict]));
    return found.map(({ mutation, collection, id, server }) => ({ mutation: mutation.id, collection, id, server: server && recordOf(server) }));
  }

  /** Decide a conflict as it was shown, whatever came since. */
  async settle({ mutation, kept, values }) {
    return this.#shown.get(mutation).settle(new Resolution(kept, values));
  }

  // What becomes of its network.

  heal() {
    return this.#weather.heal();
  }

  late() {
    return this.#weather.deliverLate();
  }

  offline() {
    this.#weather.goes();
    this.#client.network({ online: false });
  }

  online() {
    this.#weather.comes();
    this.#client.network({ online: true });
  }

  // What is looked at.

  /** The store past the client, and what the client shows and says. */
  async dump() {
    const { status } = this.#client;
    const [{ tables, ledger }, outbox, conflicts, rejections, clientId] = await Promise.all([
      this.#store.dump(),
      this.#client.outbox(),
      this.#client.conflicts(),
      this.#client.rejections(),
      this.#client.clientId(),
    ]);
    return {
      tables, ledger, clientId, told: this.#told.get(), transport: status.transport, kind: this.#store.kind,
      standing: `${status.link} ${status.network} ${status.transport} ${status.problem}`,
      open: [outbox.length, conflicts.length, rejections.length],
    };
  }
}

function recordOf({ collection, id, revision, scope, object }) {
  return { collection, id, revision, scope, object };
}

/**
 * The owner of a store: the first server and user that it synced with.
 *
 * The URL is compared at once, and the user's identity where the credentials have one. Else the server
 * decides: a client id belongs to the first user who sent it. So whenever the credentials have
 * changed, the client sends an empty batch first; the server answers `client_mismatch` if the store
 * is another user's.
 */

import { StoreMismatch } from "../errors.js";

/** @import { Auth } from "../auth.js" */
/** @import { Database, Meta } from "./database.js" */

/** Compares a store's owner with its user of now. */
export class StoreOwner {
  #db;
  #url;
  #auth;
  /** The confirmed fingerprint, until the page goes, where it cannot be stored. @type {string | null} */
  #confirmed = null;

  /** @param {Database} db @param {string} url @param {Auth | null} auth */
  constructor(db, url, auth) {
    this.#db = db;
    this.#url = url;
    this.#auth = auth;
  }

  /** Throw `StoreMismatch` where the store is known to be another user's or server's. */
  async check() {
    await this.#db.read(async (tx) => this.#compare(tx.meta));
  }

  /** Whether the server has accepted these credentials for this store before. */
  async isConfirmed() {
    const now = await this.#fingerprint();
    return this.#db.read(async (tx) => now === `${tx.meta.clientId} ${tx.meta.fingerprint}` || now === this.#confirmed);
  }

  /** The server has accepted the client id: the store is this user's. */
  async confirm() {
    const now = await this.#fingerprint();
    this.#confirmed = now;
    await this.#db.write(async (tx) => {
      this.#compare(tx.meta);
      const [clientId, fingerprint] = now.split(" ");
      const kept = clientId === tx.meta.clientId && globalThis.crypto.subtle !== undefined;
      tx.set({
        url: this.#url,
        user: this.#auth?.identity ?? tx.meta.user,
        fingerprint: kept ? fingerprint : tx.meta.fingerprint,
      });
    });
  }

  /** @param {Readonly<Meta>} meta */
  #compare({ url, user }) {
    if (url !== null && url !== this.#url) {
      throw new StoreMismatch(`The store belongs to ${url}, not to ${this.#url}.`);
    }
    const identity = this.#auth?.identity ?? null;
    if (user !== null && identity !== null && user !== identity) {
      throw new StoreMismatch("The store belongs to another user.");
    }
  }

  /** The client's id, and a hash that stays while the credentials do; they are not in it. */
  async #fingerprint() {
    const headers = Object.entries((await this.#auth?.headers()) ?? {}).sort();
    const clientId = await this.#db.read(async (tx) => tx.meta.clientId);
    const salted = JSON.stringify([clientId, headers]);
    const { subtle } = globalThis.crypto; // only where the page came over TLS, or from this machine
    if (subtle === undefined) return `${clientId} ${salted}`;
    const digest = await subtle.digest("SHA-256", new TextEncoder().encode(salted));
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
    return `${clientId} ${hex.join("")}`;
  }
}

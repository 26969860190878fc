/**
 * The calls to the server: one request, one decoded answer or one of `errors.js`.
 *
 * The network is not trusted: each call has its time-out, redirects are not followed (credentials
 * go nowhere else), and an answer that is not the server's, such as a captive portal's page, is
 * `Captive`. It knows nothing of the store.
 */

import { Captive, NotAuthenticated, Offline, SyncError } from "../errors.js";
import { errorOf, jsonOf } from "./responses.js";

/** @import { Auth } from "../auth.js" */
/** @import { Fields } from "../store/encoding.js" */

/** A call was cut by `cut()`. It never leaves the client. */
export class Interrupted extends Error {}

/**
 * @typedef {object} RequestOptions
 * @property {Record<string, string>} [params]
 * @property {string} [body]
 * @property {number} [held] seconds for which the server may hold it back
 * @property {string} [accept]
 * @property {boolean} [keepalive] whether it is to be sent though the page goes meanwhile
 */

/** The calls to one server as one user; `identityHeaders` name the client and are no secret. */
export class HttpClient {
  #cutter = new AbortController();
  /** @type {number | null} */
  #lastDuration = null;
  /** @type {Record<string, string>} */
  identityHeaders = {};

  /**
   * @param {string} url absolute
   * @param {Auth | null} auth
   * @param {object} [how]
   * @param {typeof globalThis.fetch} [how.fetch]
   * @param {number} [how.timeout] seconds to wait for an answer
   * @param {(error: SyncError | null) => void} [how.onAnswer] is called after each call, with its error
   * @param {(seconds: number) => void} [how.onRoundTrip] is called with each round trip
   */
  constructor(url, auth, { fetch = globalThis.fetch, timeout = 30, onAnswer = () => undefined, onRoundTrip = () => undefined } = {}) {
    this.url = url;
    this.auth = auth;
    // A browser's own fetch needs the window as its `this`.
    this.fetch = /** @type {typeof globalThis.fetch} */ ((...asked) => fetch(...asked));
    this.timeout = timeout;
    this.onAnswer = onAnswer;
    this.onRoundTrip = onRoundTrip;
  }

  /** End the running calls, and those to come, with `Interrupted`, until `resume()`. */
  cut() {
    this.#cutter.abort();
  }

  /** Allow calls again. */
  resume() {
    if (this.#cutter.signal.aborted) this.#cutter = new AbortController();
  }

  /** @param {string} path @param {RequestOptions} [asked] */
  get(path, asked) {
    return this.#call("GET", path, asked);
  }

  /** @param {string} path @param {string} body */
  post(path, body) {
    return this.#call("POST", path, { body });
  }

  /** @param {string} path @param {string} body @param {RequestOptions} [asked] */
  patch(path, body, asked) {
    return this.#call("PATCH", path, { ...asked, body });
  }

  /**
   * Get an answer that the server may continue without end; the reader ends it with `abort`.
   * @param {string} path
   * @param {Record<string, string>} params
   * @returns {Promise<{response: Response, abort: () => void}>}
   */
  async stream(path, params) {
    const opened = await this.#withRenewal(() => this.#openStream(path, params));
    this.onAnswer(null);
    return opened;
  }

  /** The last call was one for which the server had little to do: a round trip. */
  countRoundTrip() {
    if (this.#lastDuration !== null) this.onRoundTrip(this.#lastDuration);
    this.#lastDuration = null;
  }

  /** Aborts where calls are cut. */
  get cutSignal() {
    return this.#cutter.signal;
  }

  /** @param {string} method @param {string} path @param {RequestOptions} [asked] @returns {Promise<Fields>} */
  async #call(method, path, asked = {}) {
    try {
      const answer = await this.#withRenewal(() => this.#once(method, path, asked));
      this.onAnswer(null);
      return answer;
    } catch (error) {
      if (error instanceof SyncError) this.onAnswer(error);
      throw error;
    }
  }

  /**
   * Ask, and once more with other credentials where these are not taken.
   * @template T
   * @param {() => Promise<T>} ask
   * @returns {Promise<T>}
   */
  async #withRenewal(ask) {
    try {
      return await ask();
    } catch (error) {
      const renewable = error instanceof NotAuthenticated && this.auth?.refresh !== undefined;
      if (!renewable || (await this.auth?.refresh?.()) === false) throw error;
    }
    return ask();
  }

  /** @param {string} method @param {string} path @param {RequestOptions} asked */
  async #once(method, path, asked) {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), (this.timeout + (asked.held ?? 0)) * 1000);
    try {
      const began = performance.now();
      const response = await this.#send(method, path, asked, aborter);
      this.#lastDuration = asked.held === undefined ? (performance.now() - began) / 1000 : null;
      const body = jsonOf(await this.#textOf(response));
      if (response.ok && body !== null) return body;
      throw errorOf(response, body, Date.now());
    } finally {
      clearTimeout(timer);
      aborter.abort(); // this also removes the listener for a cut
    }
  }

  /** A stream's beginning has its time-out; how long it may be silent then is for its reader. @param {string} path @param {Record<string, string>} params */
  async #openStream(path, params) {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), this.timeout * 1000);
    try {
      const response = await this.#send("GET", path, { params, accept: "text/event-stream" }, aborter);
      if (response.status === 200 && response.body !== null) {
        return { response, abort: () => aborter.abort() };
      }
      throw errorOf(response, jsonOf(await this.#textOf(response)), Date.now());
    } catch (error) {
      aborter.abort();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {Response} response */
  async #textOf(response) {
    try {
      return await response.text();
    } catch (error) {
      throw this.#networkError(error);
    }
  }

  /** @param {string} method @param {string} path @param {RequestOptions} asked @param {AbortController} aborter */
  async #send(method, path, { params, body, accept = "application/json", keepalive = false }, aborter) {
    const cutter = this.#cutter.signal;
    const url = new URL(path, this.url);
    for (const [name, value] of Object.entries(params ?? {})) url.searchParams.set(name, value);
    const headers = { Accept: accept, ...this.identityHeaders, ...(await this.auth?.headers()) };
    if (body !== undefined) Object.assign(headers, { "Content-Type": "application/json" });
    if (cutter.aborted) throw new Interrupted();
    const end = () => aborter.abort();
    cutter.addEventListener("abort", end, { signal: aborter.signal });
    try {
      const response = await this.fetch(url, {
        method, headers, body, keepalive, signal: aborter.signal, redirect: "manual", cache: "no-store",
        credentials: this.auth?.credentials ?? "omit",
      });
      if (response.type === "opaqueredirect") {
        throw new Captive("The server redirects to another address; check the URL.");
      }
      if (response.status === 401) throw errorOf(response, jsonOf(await response.text()), Date.now());
      return response;
    } catch (error) {
      throw this.#networkError(error, cutter);
    }
  }

  /** The errors of fetch become ours here, and nowhere else. @param {unknown} error @param {AbortSignal} [cutter] */
  #networkError(error, cutter = this.#cutter.signal) {
    if (error instanceof Offline || !(error instanceof Error)) return error;
    if (cutter.aborted) return new Interrupted();
    const ours = error instanceof TypeError || error.name === "AbortError" || error.name === "NetworkError";
    if (!ours) return error;
    const detail = error.name === "AbortError" ? "The answer did not come in time." : error.message;
    return new Offline(detail, { cause: error });
  }
}

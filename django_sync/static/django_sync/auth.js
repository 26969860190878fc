/** Who the client is to the server. */

/**
 * @typedef {object} Auth Any object with `headers()` will do.
 * @property {() => Record<string, string> | Promise<Record<string, string>>} headers of each call
 * @property {() => unknown} [refresh] called once after a 401; the call is repeated unless it
 *   returns, or its promise gives, `false`
 * @property {string | null} [identity] the same for one user, and different from all others'
 * @property {RequestCredentials} [credentials] whether cookies go along; `omit` without it
 */

/**
 * Django's session cookie, with the CSRF token that unsafe methods need
 * (https://docs.djangoproject.com/en/stable/howto/csrf/).
 */
export class SessionAuth {
  /** Cookies go to the page's own origin. @type {RequestCredentials} */
  credentials = "same-origin";

  /**
   * @param {object} [how]
   * @param {string | null} [how.user] a name that stays the same for one user; where the store
   *   belongs to another, the client throws before it asks the server
   * @param {string | (() => string) | null} [how.token] the CSRF token, where no cookie holds it
   *   (`CSRF_USE_SESSIONS`, `CSRF_COOKIE_HTTPONLY`): for example out of a `meta` element
   * @param {string} [how.cookie] `CSRF_COOKIE_NAME`
   * @param {string} [how.header] as `CSRF_HEADER_NAME` has it, in HTTP's spelling
   */
  constructor({ user = null, token = null, cookie = "csrftoken", header = "X-CSRFToken" } = {}) {
    /** The user, where one was given. */
    this.identity = user;
    this.token = token;
    this.cookie = cookie;
    this.header = header;
  }

  /**
   * The CSRF token, as it is now.
   * @returns {Record<string, string> | Promise<Record<string, string>>}
   */
  headers() {
    const token = typeof this.token === "function" ? this.token() : this.token;
    const { cookieStore, document } = /** @type {any} */ (globalThis);
    if (token === null && document === undefined && cookieStore !== undefined) {
      // A service worker has no document; in some browsers it may read a cookie.
      return cookieStore.get(this.cookie).then((/** @type {any} */ found) => this.#with(decodeURIComponent(found?.value ?? "")));
    }
    return this.#with(token ?? cookieOf(this.cookie));
  }

  /** @param {string} token @returns {Record<string, string>} */
  #with(token) {
    return token ? { [this.header]: token } : {};
  }
}

/** @param {string} name */
function cookieOf(name) {
  const cookies = globalThis.document?.cookie.split("; ") ?? [];
  const found = cookies.find((cookie) => cookie.startsWith(`${name}=`));
  return found === undefined ? "" : decodeURIComponent(found.slice(name.length + 1));
}

class HeaderAuth {
  /** @type {string} */
  static scheme = "";
  #token;
  #renew;

  /**
   * @param {string} token
   * @param {{user?: string | null, refresh?: (() => Promise<string> | string) | null}} [more]
   *   `user`: a name that stays the same for one user; `refresh` gives a new token after a 401
   */
  constructor(token, { user = null, refresh = null } = {}) {
    this.#token = token;
    this.#renew = refresh;
    /** The user, where one was given. */
    this.identity = user;
  }

  /** `Authorization`, with the token as it is now. */
  headers() {
    const { scheme } = /** @type {typeof HeaderAuth} */ (this.constructor);
    return { Authorization: `${scheme} ${this.#token}` };
  }

  /** Get another token; `false` where there is no `refresh` to call. */
  async refresh() {
    if (this.#renew === null) return false;
    this.#token = await this.#renew();
    return true;
  }
}

/** DRF's tokens. */
export class TokenAuth extends HeaderAuth {
  static scheme = "Token";
}

/** JWT and the like. */
export class BearerAuth extends HeaderAuth {
  static scheme = "Bearer";
}

/** Name and password (RFC 7617). */
export class BasicAuth extends HeaderAuth {
  static scheme = "Basic";

  /** @param {string} name @param {string} password */
  constructor(name, password) {
    const bytes = new TextEncoder().encode(`${name}:${password}`);
    super(btoa(String.fromCharCode(...bytes)), { user: name });
  }
}

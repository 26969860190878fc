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
    /**
     * @param {object} [how]
     * @param {string | null} [how.user] a name that stays the same for one user; where the store
     *   belongs to another, the client throws before it asks the server
     * @param {string | (() => string) | null} [how.token] the CSRF token, where no cookie holds it
     *   (`CSRF_USE_SESSIONS`, `CSRF_COOKIE_HTTPONLY`): for example out of a `meta` element
     * @param {string} [how.cookie] `CSRF_COOKIE_NAME`
     * @param {string} [how.header] as `CSRF_HEADER_NAME` has it, in HTTP's spelling
     */
    constructor({ user, token, cookie, header }?: {
        user?: string | null | undefined;
        token?: string | (() => string) | null | undefined;
        cookie?: string | undefined;
        header?: string | undefined;
    });
    /** Cookies go to the page's own origin. @type {RequestCredentials} */
    credentials: RequestCredentials;
    /** The user, where one was given. */
    identity: string | null;
    token: string | (() => string) | null;
    cookie: string;
    header: string;
    /**
     * The CSRF token, as it is now.
     * @returns {Record<string, string> | Promise<Record<string, string>>}
     */
    headers(): Record<string, string> | Promise<Record<string, string>>;
    #private;
}
/** DRF's tokens. */
export class TokenAuth extends HeaderAuth {
}
/** JWT and the like. */
export class BearerAuth extends HeaderAuth {
}
/** Name and password (RFC 7617). */
export class BasicAuth extends HeaderAuth {
    /** @param {string} name @param {string} password */
    constructor(name: string, password: string);
}
/**
 * Any object with `headers()` will do.
 */
export type Auth = {
    /**
     * of each call
     */
    headers: () => Record<string, string> | Promise<Record<string, string>>;
    /**
     * called once after a 401; the call is repeated unless it
     * returns, or its promise gives, `false`
     */
    refresh?: (() => unknown) | undefined;
    /**
     * the same for one user, and different from all others'
     */
    identity?: string | null | undefined;
    /**
     * whether cookies go along; `omit` without it
     */
    credentials?: RequestCredentials | undefined;
};
declare class HeaderAuth {
    /** @type {string} */
    static scheme: string;
    /**
     * @param {string} token
     * @param {{user?: string | null, refresh?: (() => Promise<string> | string) | null}} [more]
     *   `user`: a name that stays the same for one user; `refresh` gives a new token after a 401
     */
    constructor(token: string, { user, refresh }?: {
        user?: string | null;
        refresh?: (() => Promise<string> | string) | null;
    });
    /** The user, where one was given. */
    identity: string | null;
    /** `Authorization`, with the token as it is now. */
    headers(): {
        Authorization: string;
    };
    /** Get another token; `false` where there is no `refresh` to call. */
    refresh(): Promise<boolean>;
    #private;
}
export {};

/** How long to wait after failures. Pure, except for random numbers. */
/** How long to wait after a failure: exponential, with full jitter, and never less than the server asks for. */
export class Backoff {
    /**
     * @param {object} [policy]
     * @param {number} [policy.first] seconds, at most, after the first failure; twice as many after each
     * @param {number} [policy.longest] seconds, at most, after any
     * @param {() => number} [policy.random] from 0 up to 1
     */
    constructor({ first, longest, random }?: {
        first?: number | undefined;
        longest?: number | undefined;
        random?: (() => number) | undefined;
    });
    first: number;
    longest: number;
    random: () => number;
    /**
     * @internal Count a failure; return the seconds to wait, never less than the server asked for.
     * @param {number | null} [retryAfter]
     */
    failed(retryAfter?: number | null): number;
    /** @internal Forget the failures. */
    succeeded(): void;
    #private;
}

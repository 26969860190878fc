/** How long to wait after a failure: exponential, with full jitter. Pure but for the dice. */
export class Backoff {
    /**
     * @param {object} [policy]
     * @param {number} [policy.first] seconds
     * @param {number} [policy.longest] seconds
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
     * Count a failure; return the seconds to wait, never less than the server asked for.
     * @param {number | null} [retryAfter]
     */
    failed(retryAfter?: number | null): number;
    /** Begin anew. */
    succeeded(): void;
    #private;
}

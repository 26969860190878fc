/** How often to poll. Pure but for the dice. */
/** How often the client polls where nothing better works, in seconds. */
export class Pace {
    /**
     * @param {object} [policy]
     * @param {number} [policy.shortest] after a poll that brought something; then longer by `growth`
     * @param {number} [policy.longest] after polls that brought nothing
     * @param {number} [policy.sparing] on a metered network or in the background
     * @param {number} [policy.growth] how many times as long after each that brought nothing
     * @param {() => number} [policy.random] from 0 up to 1
     */
    constructor({ shortest, longest, sparing, growth, random }?: {
        shortest?: number | undefined;
        longest?: number | undefined;
        sparing?: number | undefined;
        growth?: number | undefined;
        random?: (() => number) | undefined;
    });
    shortest: number;
    longest: number;
    sparing: number;
    growth: number;
    random: () => number;
    /**
     * @internal Count a poll; return the seconds until the next, varied by a tenth, so that many clients do not
     * come at once.
     * @param {{news: boolean, sparing: boolean}} poll whether it brought news, and whether each costs
     */
    next({ news, sparing }: {
        news: boolean;
        sparing: boolean;
    }): number;
    #private;
}

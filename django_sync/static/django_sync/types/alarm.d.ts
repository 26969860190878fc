/** What the link's loop waits on: time, or that something came. */
export class Alarm {
    /** Seconds, from whenever; they never go back. */
    now(): number;
    /** End a wait, or the next one. */
    ring(): void;
    /**
     * Wait until somebody rings, for so many seconds at most.
     * @param {number} seconds `Infinity` for as long as it takes
     */
    wait(seconds: number): Promise<void>;
    #private;
}

/**
 * Enter the results of a batch, within one transaction. A result of a mutation that was not in the
 * batch, or of a status that this version does not know, is skipped: the mutation is sent again.
 * @param {Tx} tx
 * @param {Outgoing[]} batch
 * @param {unknown[]} results
 * @param {Counts} counts
 * @returns {Promise<Settled>}
 */
export function enterResults(tx: Tx, batch: Outgoing[], results: unknown[], counts: Counts): Promise<Settled>;
/**
 * Refused mutations of which nobody has been told yet, by `seq`.
 * @param {Tx} tx
 * @returns {Promise<Map<number, Rejection>>}
 */
export function rejectionsOf(tx: Tx): Promise<Map<number, Rejection>>;
/**
 * What a batch of results brought about, to be told after the commit.
 */
export type Settled = {
    final: number;
    seen: Seen;
    /**
     * by `seq`
     */
    conflicts: number[];
    /**
     * by `seq`
     */
    rejections: number[];
};
import type { Tx } from "./database.js";
import type { Outgoing } from "./outbox.js";
import type { Counts } from "./views.js";
import { Rejection } from "./views.js";
import type { Seen } from "./overlay.js";

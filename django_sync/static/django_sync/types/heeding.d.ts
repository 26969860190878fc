/** @import { Told } from "./around.js" */
/**
 * Heed that the network came, went or is another, that the page is looked at again, and that it goes.
 * @param {(told: Told) => void} network
 * @param {() => void} leave
 * @returns {() => void} which ends it
 */
export function heedPage(network: (told: Told) => void, leave: () => void): () => void;
import type { Told } from "./around.js";

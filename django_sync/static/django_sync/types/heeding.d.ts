/** @import { Told } from "./around.js" */
/**
 * Heed that the network came, went or is another, and that the page is looked at again.
 * @param {(told: Told) => void} network
 * @returns {() => void} which ends it
 */
export function heedPage(network: (told: Told) => void): () => void;
import type { Told } from "./around.js";

/** What the browser tells a client by itself. */
/**
 * Heed that the network came or went, and that the page is looked at again.
 * @param {(hints: {online?: boolean}) => void} network
 * @returns {() => void} which ends it
 */
export function heedPage(network: (hints: {
    online?: boolean;
}) => void): () => void;

/**
 * The session: what the server is told of this client, and what it decides in turn. Asked before a
 * line is opened, for the ticket and for the transport that the server would have used.
 */
import type { Transport } from "./choice.js";
import type { Network } from "./network.js";
import type { Hints } from "./pace.js";
export type Decision = {
    id: string;
    transport: string;
    /**
     * of a socket, with its ticket
     */
    url: string;
    heartbeat: number;
    pollInterval: number | null;
    upgradeAfter: number | null;
};
/** One client's session, opened once and told of what changes. */
export declare class Sessions {
    #private;
    /** @param {Network} network @param {readonly string[]} names of the collections */
    constructor(network: Network, names: readonly string[]);
    /** Open another at the next time. */
    forget(): void;
    /**
     * Tell how things stand; return what is decided, or `null` where none can be asked.
     * @param {string} clientId
     * @param {Transport[]} able
     * @param {Transport[]} failed
     * @param {Hints} hints
     * @returns {Promise<Decision | null>}
     */
    ask(clientId: string, able: Transport[], failed: Transport[], { metered, foreground }: Hints): Promise<Decision | null>;
}

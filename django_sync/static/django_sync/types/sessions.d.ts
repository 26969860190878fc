/** Of this client library, as the server's list of sessions shows it. */
export const VERSION: "0.1.0";
/** One client's session, opened once and told of what changes. */
export class Sessions {
    /** @param {Network} network @param {readonly string[]} names of the collections @param {Database} db @param {Enabling} enabling */
    constructor(network: Network, names: readonly string[], db: Database, enabling: Enabling);
    /** Whether there is something to tell: another network, or another way to be woken. @param {NetworkState} around */
    wants(around: NetworkState): boolean;
    /** Open another at the next time. */
    forget(): void;
    /**
     * The page goes. Where its browser can be woken it is to be from now on, and not only once the
     * session counts as idle; nobody waits for an answer.
     */
    leave(): void;
    /**
     * Tell how things stand; return what is decided, or `null` where none can be asked.
     * @param {string} clientId
     * @param {Transport[]} able
     * @param {Transport[]} failed
     * @param {NetworkState} around
     * @returns {Promise<Decision | null>}
     */
    ask(clientId: string, able: Transport[], failed: Transport[], around: NetworkState): Promise<Decision | null>;
    #private;
}
/**
 * What the server answered; times in seconds.
 */
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
import type { NetworkState } from "./reach.js";
import type { Transport } from "./choice.js";
import type { Network } from "./network.js";
import type { Database } from "./database.js";
import type { Enabling } from "./enabling.js";

/** @import { SyncError } from "../errors.js" */
/** @import { Event, Kind, NetworkState } from "./network_state.js" */
/** @typedef {{online?: boolean, type?: Kind, metered?: boolean, foreground?: boolean}} NetworkInfo */
/** The network's state, kept up to date. */
export class NetworkMonitor {
    /** @param {(state: NetworkState) => void} report is called with each new state */
    constructor(report: (state: NetworkState) => void);
    /** @type {NetworkState} */
    state: NetworkState;
    /**
     * Take what the page reports; what is left out stays as it was. `type: "none"` and
     * `online: false` mean the same.
     * @param {NetworkInfo} info
     * @throws {TypeError} for an unknown type
     */
    update({ online, type, metered, foreground }: NetworkInfo): NetworkState;
    /** A request was answered, or ended in `error`. @param {SyncError | null} error */
    recordAnswer(error: SyncError | null): void;
    /** A request's answer began so long after the request was sent. @param {number} seconds */
    recordRoundTrip(seconds: number): void;
    #private;
}
export type NetworkInfo = {
    online?: boolean;
    type?: Kind;
    metered?: boolean;
    foreground?: boolean;
};
import type { NetworkState } from "./network_state.js";
import type { SyncError } from "../errors.js";
import type { Kind } from "./network_state.js";

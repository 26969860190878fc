/** The current state of one client's network: what page and browser report, and what its requests show. */

import { Captive, Offline } from "../errors.js";
import { KINDS, REACHABILITY, RoundTrip, UNKNOWN } from "./network_state.js";

/** @import { SyncError } from "../errors.js" */
/** @import { Event, Kind, NetworkState } from "./network_state.js" */

/** @typedef {{online?: boolean, type?: Kind, metered?: boolean, foreground?: boolean}} NetworkInfo */

/** The network's state, kept up to date. */
export class NetworkMonitor {
  #report;
  #roundTrip = new RoundTrip();
  /** @type {NetworkState} */
  state = UNKNOWN;

  /** @param {(state: NetworkState) => void} report is called with each new state */
  constructor(report) {
    this.#report = report;
  }

  /**
   * Take what the page reports; what is left out stays as it was. `type: "none"` and
   * `online: false` mean the same.
   * @param {NetworkInfo} info
   * @throws {TypeError} for an unknown type
   */
  update({ online, type, metered, foreground }) {
    if (type !== undefined && !KINDS.includes(type)) throw new TypeError(`“${type}” is not a type of network.`);
    const now = this.state;
    let kind = type ?? (online === false ? "none" : undefined);
    if (kind === undefined && online && now.type === "none") kind = "unknown"; // it is back, and may be another
    const next = { ...now, metered: metered ?? now.metered, foreground: foreground ?? now.foreground };
    if (kind !== undefined && kind !== now.type) {
      this.#roundTrip = new RoundTrip(); // another path, another time
      const reachability = REACHABILITY[now.reachability][kind === "none" ? "gone" : "other"];
      this.#show({ ...next, type: kind, rttMs: null, reachability });
    } else {
      this.#show(online ? { ...next, reachability: REACHABILITY[now.reachability].online } : next);
    }
    return this.state;
  }

  /** A request was answered, or ended in `error`. @param {SyncError | null} error */
  recordAnswer(error) {
    /** @type {Event} */
    let event = "answered";
    if (error instanceof Offline) event = error instanceof Captive ? "strange" : "silent";
    const { type, reachability } = this.state;
    const kind = event === "answered" && type === "none" ? "unknown" : type; // the page was wrong
    this.#show({ ...this.state, type: kind, reachability: REACHABILITY[reachability][event] });
  }

  /** A request's answer began so long after the request was sent. @param {number} seconds */
  recordRoundTrip(seconds) {
    this.#roundTrip = this.#roundTrip.sampled(seconds);
    this.#show({ ...this.state, rttMs: this.#roundTrip.ms });
  }

  /** @param {NetworkState} next */
  #show(next) {
    const names = /** @type {(keyof NetworkState)[]} */ (Object.keys(next));
    if (names.every((name) => next[name] === this.state[name])) return;
    this.state = Object.freeze(next);
    this.#report(this.state);
  }
}

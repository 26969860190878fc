/** How the sync stands, in a word, and in full for who opens it. It tells nothing that it does not know. */

import { errors } from "../django_sync/client.js";
import { announce, element, find, main, told } from "./page.js";
import { count } from "./words.js";

/** @import { SyncClient } from "../django_sync/client.js" */
/** @import { Status } from "../django_sync/types.js" */

/** @type {Record<string, string>} */
const LINKS = {
  stopped: "Working offline", offline: "Offline", connecting: "Connecting", catching_up: "Catching up",
  live: "Live", backing_off: "No answer", auth_required: "Signed out", refused: "Refused",
  ended: "Ended", blocked: "Blocked",
};
/** @type {Record<string, string>} */
const TONES = {
  stopped: "off", offline: "off", connecting: "busy", catching_up: "busy", live: "live",
  backing_off: "off", auth_required: "bad", refused: "bad", ended: "bad", blocked: "bad",
};
/** @type {Record<string, string>} */
const SENTENCES = {
  stopped: "You chose to work offline. Changes are kept here and sent when you go on.",
  offline: "There is no network. Changes are kept here and sent when it is back.",
  connecting: "Reaching the server.",
  catching_up: "Exchanging what changed.",
  live: "What others do shows here at once.",
  backing_off: "The server does not answer. Changes are kept here; it is tried again by itself.",
  auth_required: "Your session has ended. Changes are kept here and sent once you sign in again.",
  ended: "Whoever looks after the server has ended this session. Changes are kept here; press “Go on” to begin another.",
  blocked: "Whoever looks after the server has blocked you or this browser. Changes are kept here and sent once you are let in again.",
};
/** Where the link is offline and the browser knows of a network. */
const UNREACHED = "The server does not answer. Changes are kept here, and sent when it does; it is tried again by itself.";
/** What cannot wait for somebody to open the menu. */
const NOTICED = ["auth_required", "refused", "ended", "blocked"];
/** @type {Record<string, string>} */
const TRANSPORTS = { websocket: "WebSocket", sse: "server-sent events", "long-poll": "long polling", poll: "polling" };

/** @param {SyncClient} client */
export function showStatus(client) {
  const place = find(document, "#status");
  let last = "";
  /** What an exchange was told that the link, on a socket that is open, does not know yet. @type {Status | null} */
  let ended = null;
  const show = () => {
    const { status } = client;
    const word = wordOf(status);
    place.dataset.tone = TONES[status.link] ?? "busy";
    place.dataset.link = status.link;
    place.dataset.pending = String(status.pending);
    find(place, ".word").textContent = word;
    find(place, ".said").textContent = sentenceOf(status);
    for (const [name, text] of Object.entries(factsOf(client))) find(place, `[data-show=${name}]`).textContent = text;
    const paused = status.link === "stopped";
    find(place, "[data-do=sync]").disabled = paused;
    find(place, "[data-do=pause]").setAttribute("aria-pressed", String(paused));
    if (status.link !== last && ["live", "offline", ...NOTICED].includes(status.link)) announce(word);
    if (status.link !== last) ended = null;
    last = status.link;
    showNotice(ended ?? status, client);
  };
  client.onStatus(show);
  setInterval(() => client.status.retryAt !== null && show(), 1000); // it counts down
  find(place, "[data-do=pause]").addEventListener("click", () => {
    if (client.status.link === "stopped") client.start();
    else client.stop();
  });
  find(place, "[data-do=sync]").addEventListener("click", async () => {
    const tried = find(place, ".tried");
    tried.textContent = "Asking the server …";
    try {
      const { sent, changes } = await client.sync();
      ended = null;
      showNotice(client.status, client);
      tried.textContent = `In step: ${count(sent, "change")} sent, ${count(changes, "change")} fetched.`;
    } catch (error) {
      tried.textContent = `Not in step: ${error instanceof Error ? error.message : error}`;
      const link = linkAfter(error);
      if (link !== null) showNotice((ended = { ...client.status, link, problem: /** @type {any} */ (error) }), client);
    }
  });
  show();
}

/** Where the link will stand once it hears of it. @param {unknown} error @returns {"auth_required" | "refused" | "blocked" | null} */
function linkAfter(error) {
  if (error instanceof errors.NotAuthenticated) return "auth_required";
  if (error instanceof errors.Blocked) return "blocked";
  return error instanceof errors.ClientMismatch || error instanceof errors.StoreMismatch ? "refused" : null;
}

/** @param {Status} status */
function wordOf({ link, pending, progress, retryAt }) {
  let word = LINKS[link] ?? link;
  if (link === "catching_up" && progress !== null && progress.total > 0) {
    word += ` ${Math.min(99, Math.floor((100 * progress.done) / progress.total))} %`;
  }
  if (link === "backing_off" && retryAt !== null) word += `, again in ${seconds(retryAt)} s`;
  return pending > 0 ? `${word} · ${pending} waiting` : word;
}

/** @param {Date} moment */
function seconds(moment) {
  return Math.max(0, Math.ceil((moment.getTime() - Date.now()) / 1000));
}

/** @param {Status} status */
function sentenceOf({ link, problem }) {
  if (link === "offline" && navigator.onLine) return UNREACHED;
  if (link !== "refused") return SENTENCES[link] ?? "";
  if (problem?.code === "client_mismatch" || problem?.code === "store_mismatch") {
    return "This browser is now signed in as somebody else. Load the page again to go on as them.";
  }
  return `The server refuses this page: ${problem?.message ?? "it gave no reason"} Load the page again.`;
}

/** @param {SyncClient} client */
function factsOf({ status, storage }) {
  const kept = storage.kind === "indexeddb" ? (storage.persisted ? "this browser, lastingly" : "this browser") : "this tab’s memory only";
  return {
    link: (LINKS[status.link] ?? status.link) + (status.retryAt === null ? "" : `, again in ${seconds(status.retryAt)} s`),
    transport: status.transport === null ? "nothing now" : (TRANSPORTS[status.transport] ?? status.transport),
    pending: count(status.pending, "change"),
    conflicts: status.conflicts === 0 ? "none" : String(status.conflicts),
    leads: status.leads ? "this tab" : status.link === "stopped" ? "no tab" : "another tab of yours",
    storage: kept,
  };
}

/** @param {Status} status @param {SyncClient} client */
function showNotice(status, client) {
  const { link, problem } = status;
  const place = find(main, "#notices");
  const key = NOTICED.includes(link) ? `${link} ${problem?.code}` : "";
  if (place.dataset.shown === key) return;
  place.dataset.shown = key;
  place.querySelector(".link-notice")?.remove();
  if (key === "") return;
  const notice = element("p", { class: "notice link-notice", role: "alert" }, sentenceOf(status));
  if (link === "auth_required") {
    const address = `${told.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`;
    notice.append(" ", element("a", { href: address }, "Sign in again"));
  }
  if (link === "ended" || link === "blocked") {
    const again = element("button", { type: "button" }, link === "ended" ? "Go on" : "Try again");
    again.addEventListener("click", () => client.start());
    notice.append(" ", again);
  }
  place.append(notice);
}

/** Say that nothing is kept, where that is so. @param {SyncClient} client */
export function warnOfMemory({ storage }) {
  if (storage.kind !== "memory") return;
  find(main, "#notices").append(element("p", { class: "notice", role: "status" },
    `Your browser gives this page no place to keep things (${storage.problem ?? "it does not say why"}). All works, but what was not sent is lost when this tab is closed.`));
}

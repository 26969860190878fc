/**
 * The application: it opens the client, and shows the board that the address names.
 *
 * Nothing here waits for the network. What is done goes to the client, and what is shown comes from
 * its live queries, the same whether it was done here, in another window, or by somebody else.
 */

import { SessionAuth, SyncClient, TokenAuth } from "../django_sync/client.js";
import { BoardView } from "./board.js";
import { editBoard, showBoards } from "./boards.js";
import { watchConflicts } from "./conflict.js";
import { keepAtHand } from "./offline.js";
import { announce, element, find, isSecond, main, told } from "./page.js";
import { preparePersonMenu } from "./person.js";
import { showRejection } from "./refused.js";
import { showStatus, warnOfMemory } from "./status.js";
import { prepareWaking } from "./waking.js";
import { capital } from "./words.js";

/** @import { Record } from "../django_sync/client.js" */

const client = await opened();
const boards = client.collection("boards");
const place = find(main, "#board");

/** @type {BoardView | null} */
let view = null;
/** The user's boards, or `null` before they were read. @type {Record[] | null} */
let known = null;

addEventListener("unhandledrejection", ({ reason }) => sayNotSaved(reason));
showStatus(client);
warnOfMemory(client);
watchConflicts(client);
client.onRejected((rejection) => showRejection(client, rejection));
preparePersonMenu(client);
prepareWaking(client);
keepAtHand(told);

boards.live(() => true, (records) => {
  known = records.sort((one, other) => one.object.name.localeCompare(other.object.name));
  show();
});
client.onStatus(() => {
  if (view === null) show(); // "nothing yet" becomes "nothing" once the first pull is through
});
client.onChange("boards", ({ kind, origin, id }) => {
  const address = new URL(location.href);
  if (kind !== "deleted" || origin !== "local" || address.searchParams.get("board") !== id) return;
  address.searchParams.delete("board"); // who deletes a board goes on to the next
  history.replaceState(null, "", address);
  show();
});
addEventListener("popstate", show);
main.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[data-board]"));
  if (link !== null && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    go(String(link.dataset.board));
  }
  if (target.closest("[data-do=new-board]")) void newBoard();
});
client.start();

/** @returns {Promise<SyncClient>} */
async function opened() {
  const auth = isSecond ? new TokenAuth(told.token, { user: told.user }) : new SessionAuth({ user: told.user });
  try {
    return await SyncClient.open(told.sync, {
      store: told.store,
      collections: ["boards", "labels", "cards", "comments"],
      auth,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    find(main, "#board").replaceChildren(
      element("p", { class: "notice error", role: "alert" }, `Your boards cannot be opened here: ${why}`),
    );
    throw error;
  }
}

/** Show the board that the address names, or the first. */
function show() {
  if (known === null) return;
  const wanted = new URL(location.href).searchParams.get("board");
  const board = wanted === null ? known[0] : known.find(({ id }) => id === wanted);
  showBoards(known, board?.id ?? null);
  if (board === undefined) {
    view?.close();
    view = null;
    place.replaceChildren(nothing(wanted));
    document.title = "Boards";
    return;
  }
  if (view?.id !== board.id) {
    view?.close();
    view = new BoardView(client, board, place);
  }
  view.showHeading(board);
  document.title = `${board.object.name} · ${isSecond ? capital(told.user) : "Boards"}`;
}

/** What stands where a board would. @param {string | null} wanted */
function nothing(wanted) {
  const { link, progress } = client.status;
  const under = progress !== null || link === "connecting" || link === "catching_up";
  if (under) return element("p", { class: "loading", role: "status" }, "Fetching your boards …");
  if (wanted !== null) {
    return element("div", { class: "empty" },
      element("h1", {}, "No such board"),
      element("p", {}, "It was deleted, or you are no longer a member of it. Your other boards are above."));
  }
  return element("div", { class: "empty" },
    element("h1", {}, "No board yet"),
    element("p", {}, "You own none, and nobody has shared one with you. Make your first: it works offline too."),
    element("button", { class: "primary", "data-do": "new-board" }, "New board"));
}

/** @param {string} id */
function go(id) {
  const address = new URL(location.href);
  address.searchParams.set("board", id);
  history.pushState(null, "", address);
  show();
}

async function newBoard() {
  const made = await editBoard(client, null);
  if (made === null) return;
  known = [...(known ?? []).filter(({ id }) => id !== made.id), made];
  go(made.id);
  announce(`Board ${made.object.name} was made.`);
}

/** A write that the browser could not keep: the one thing that must not pass in silence. @param {unknown} error */
function sayNotSaved(error) {
  const why = error instanceof Error ? error.message : String(error);
  find(main, "#notices").append(element("p", { class: "notice error", role: "alert" }, `The last step was not done: ${why}`));
}

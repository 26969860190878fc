/** The list of boards, and the dialog that makes, changes and deletes one. */

import { ask, copyOf, element, find, main, refill, told } from "./page.js";

/** @import { Record, SyncClient } from "../django_sync/client.js" */

/**
 * Whether a board is the user's own. One made here has no owner before the server has named one.
 * @param {Record} board
 */
export function isOwn(board) {
  return board.object.owner === undefined || board.object.owner === told.user;
}

/** @param {Record[]} boards @param {string | null} open the id of the one that is shown */
export function showBoards(boards, open) {
  const items = boards.map(({ id, object }) => {
    const address = new URL(location.href);
    address.searchParams.set("board", id);
    const link = element("a", { href: address.href, "data-board": id, "data-key": id }, element("span", { class: "dot" }), object.name);
    link.style.setProperty("--color", object.color ?? "");
    if (id === open) link.setAttribute("aria-current", "page");
    return element("li", {}, link);
  });
  refill(find(main, "#boards ul"), items);
}

/**
 * Ask for a board's name and colour, and write them.
 * @param {SyncClient} client @param {Record | null} board `null` makes one
 * @returns {Promise<Record | null>} the board, or `null` where none was made, or it was deleted
 */
export async function editBoard(client, board) {
  const dialog = find(copyOf("board-dialog"), "dialog");
  const form = find(dialog, "form");
  find(dialog, "h2").textContent = board === null ? "New board" : "Edit board";
  find(dialog, "[value=delete]").hidden = board === null;
  if (board !== null) {
    form.elements.name.value = board.object.name;
    form.elements.color.value = board.object.color;
  }
  document.body.append(dialog);
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  dialog.remove();
  const fields = { name: form.elements.name.value.trim(), color: form.elements.color.value };
  if (dialog.returnValue === "delete" && board !== null) return remove(client, board);
  if (dialog.returnValue !== "save" || fields.name === "") return null;
  const boards = client.collection("boards");
  return board === null ? boards.create(fields) : boards.update(board.id, fields);
}

/** @param {SyncClient} client @param {Record} board */
async function remove(client, board) {
  const sure = await ask(`Delete “${board.object.name}”?`, "Its cards and comments go with it, for everybody.", "Delete board");
  if (sure) await client.collection("boards").delete(board.id);
  return null;
}

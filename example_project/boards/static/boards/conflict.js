/**
 * Conflicts: an edit of the user's and one of somebody else's that nobody but the user can settle.
 *
 * The client keeps them until they are settled, over restarts and without a net. The header says
 * how many there are; the dialog shows one field by field: as it was, theirs, yours.
 */

import { rowsOf } from "./choosing.js";
import { announce, copyOf, find } from "./page.js";
import { verdict } from "./verdict.js";
import { count } from "./words.js";

/** @import { Conflict, SyncClient } from "../django_sync/client.js" */

/** @type {Conflict[]} */
let open = [];
/** @type {{key: string, dialog: HTMLDialogElement} | null} */
let shown = null;

/** The ids of what waits for a decision. @param {string} collection */
export function conflictsAt(collection) {
  return new Set(open.filter((one) => one.collection === collection).map(({ id }) => id));
}

/** Keep the header's button right, and open the dialog when it is pressed. @param {SyncClient} client */
export function watchConflicts(client) {
  const button = find(document, "#conflicts");
  const look = async () => {
    const before = open.length;
    open = await client.conflicts();
    button.hidden = open.length === 0;
    find(button, "span").textContent = count(open.length, "conflict");
    if (open.length > before) announce(`${count(open.length, "conflict")} to decide.`);
    document.dispatchEvent(new CustomEvent("conflicts"));
    if (shown !== null && !open.some((one) => keyOf(one) === shown?.key)) shown.dialog.close("stale");
  };
  let known = -1;
  client.onStatus(({ conflicts }) => {
    if (conflicts !== known) void look();
    known = conflicts;
  });
  client.onConflict(() => void look());
  client.onChange(null, ({ id }) => {
    if (open.some((one) => one.id === id)) void look();
  });
  button.addEventListener("click", () => decide(client));
  void look();
}

/** One state of one conflict: where the server's record changes again, it is shown anew. @param {Conflict} conflict */
function keyOf(conflict) {
  return `${conflict.mutation.id} ${conflict.serverRevision}`;
}

/** Show the oldest conflict, and then the next. @param {SyncClient} client */
async function decide(client) {
  const conflict = open[0];
  if (conflict === undefined || shown !== null) return;
  const names = new Map((await client.collection("labels").all()).map(({ id, object }) => [id, object.name]));
  const dialog = find(copyOf("conflict"), "dialog");
  const record = await client.collection(conflict.collection).get(conflict.id);
  const rows = rowsOf(dialog, conflict, record, (id) => names.get(id) ?? "a label that is gone");
  document.body.append(dialog);
  shown = { key: keyOf(conflict), dialog };
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  dialog.remove();
  shown = null;
  if (dialog.returnValue === "stale") return void decide(client); // there is newer news of it
  if (dialog.returnValue !== "save") return find(document, "#conflicts").focus();
  await conflict.settle(verdict(conflict, rows));
  open = await client.conflicts();
  document.dispatchEvent(new CustomEvent("conflicts"));
  if (open.length > 0) return void decide(client);
  find(document, "#conflicts").hidden = true;
  announce("No conflict is left.");
  find(document, "#main").focus();
}

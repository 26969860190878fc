/** The inside of the conflict dialog: what stands against what, and what the choice becomes. */

import { element, find } from "./page.js";
import { capital, fieldName, spell, thing } from "./words.js";

/** @import { Conflict, Record, Resolution } from "../django_sync/client.js" */

/** @typedef {{name: string | null, isTheirs: () => boolean}} Row `name` is `null` where it is all or nothing. */

/**
 * Fill the dialog.
 * @param {HTMLElement} dialog @param {Conflict} conflict
 * @param {Record | null} record as the user sees it
 * @param {(id: string) => string} labelName
 * @returns {Row[]}
 */
export function rowsOf(dialog, conflict, record, labelName) {
  const known = record?.object ?? conflict.server?.object ?? conflict.base ?? {};
  const what = thing(conflict.collection);
  const title = known.title ?? known.name ?? known.text ?? what;
  find(dialog, "h2").textContent = `${capital(what)} “${title}”`;
  const whole = wholeOf(conflict);
  find(dialog, "#conflict-text").textContent = whole?.text ??
    "You and somebody else changed this at the same time. Choose for each field; nothing is sent before you do.";
  const rows = whole === null
    ? clashing(conflict).map((name) => fieldRow(conflict, name, labelName))
    : [choice("All of it", null, [["As it is there", whole.theirs], ["What you asked for", whole.yours]])];
  find(dialog, ".fields").append(...rows.map(({ element: made }) => made));
  find(dialog, "input").autofocus = true;
  for (const [button, side] of [["theirs", "theirs"], ["yours", "yours"]]) {
    find(dialog, `[data-do=${button}]`).hidden = whole !== null; // there is one question
    find(dialog, `[data-do=${button}]`).addEventListener("click", () => {
      for (const input of dialog.querySelectorAll(`input[value=${side}]`)) /** @type {HTMLInputElement} */ (input).checked = true;
    });
  }
  return rows;
}

/**
 * What was chosen, for the client.
 * @param {Conflict} conflict @param {Row[]} rows
 * @returns {Resolution}
 */
export function verdict(conflict, rows) {
  if (rows.every((row) => row.isTheirs())) {
    const others = Object.keys(conflict.client).filter((name) => !rows.some((row) => row.name === name));
    // What did not clash is the user's still, and goes on.
    return others.length === 0 || rows[0]?.name === null ? conflict.keepServer() : conflict.merge(theirs(conflict, rows));
  }
  return rows.some((row) => row.isTheirs()) ? conflict.merge(theirs(conflict, rows)) : conflict.keepClient();
}

/** The server's values of the fields where it was chosen. @param {Conflict} conflict @param {Row[]} rows */
function theirs(conflict, rows) {
  const chosen = rows.filter((row) => row.name !== null && row.isTheirs()).map(({ name }) => String(name));
  return Object.fromEntries(chosen.map((name) => [name, conflict.server?.object[name]]));
}

/** The fields to choose between. @param {Conflict} conflict */
function clashing({ fields, client }) {
  return fields.length > 0 ? fields : Object.keys(client);
}

/** Where one side deleted it there is one question. @param {Conflict} conflict */
function wholeOf({ kind, server, mutation }) {
  if (mutation.op === "delete") {
    return { text: "You deleted this while somebody else changed it.", theirs: "Keep it, with their changes", yours: "Delete it all the same" };
  }
  if (server === null || kind === "update_delete") {
    return { text: "Somebody deleted this while you changed it.", theirs: "Let it go", yours: "Bring it back, with your changes" };
  }
  return null;
}

/** @param {Conflict} conflict @param {string} name @param {(id: string) => string} labelName */
function fieldRow(conflict, name, labelName) {
  const said = (/** @type {any} */ object) => spell(name, object?.[name], labelName);
  const base = element("div", { class: "was" }, element("span", { class: "side-title" }, "Before"), element("p", { class: "value" }, said(conflict.base)));
  return choice(fieldName(name), name, [["Theirs", said(conflict.server?.object)], ["Yours", said(conflict.client)]], base);
}

/**
 * @param {string} legend @param {string | null} name @param {[string, string][]} sides theirs, yours
 * @param {...Node} before
 * @returns {Row & {element: HTMLElement}}
 */
function choice(legend, name, sides, ...before) {
  const inputs = ["theirs", "yours"].map((value) => element("input", { type: "radio", name: `side-${name ?? ""}`, value, required: true }));
  const labels = sides.map(([side, value], at) =>
    element("label", { class: "side" }, inputs[at], element("span", { class: "side-title" }, side), element("span", { class: "value" }, value)));
  const made = element("fieldset", {}, element("legend", {}, legend), element("div", { class: "sides" }, ...before, ...labels));
  return { name, element: made, isTheirs: () => inputs[0].checked };
}

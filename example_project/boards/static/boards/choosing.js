/** The inside of the conflict dialog: what stands against what. */

import { element, find } from "./page.js";
import { clashing, wholeOf } from "./verdict.js";
import { capital, fieldName, spell, thing } from "./words.js";

/** @import { Conflict, Record } from "../django_sync/client.js" */
/** @import { Row } from "./verdict.js" */

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
  const yours = record?.object ?? conflict.client; // what was typed since is on top of it
  find(dialog, "#conflict-text").textContent = whole?.text ??
    "You and somebody else changed this at the same time. Choose for each field; nothing is sent before you do.";
  const rows = whole === null
    ? clashing(conflict).map((name) => fieldRow(conflict, name, yours, labelName))
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

/** @param {Conflict} conflict @param {string} name @param {object} yours @param {(id: string) => string} labelName */
function fieldRow(conflict, name, yours, labelName) {
  const said = (/** @type {any} */ object) => spell(name, object?.[name], labelName);
  const base = element("div", { class: "was" }, element("span", { class: "side-title" }, "Before"), element("p", { class: "value" }, said(conflict.base)));
  return choice(fieldName(name), name, [["Theirs", said(conflict.server?.object)], ["Yours", said(yours)]], base);
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

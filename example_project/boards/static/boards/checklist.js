/** A card's checklist: a JSON list of `{text, done}`, written whole at each change. */

import { element, find, icon, refill } from "./page.js";
import { itemText } from "./words.js";

/** @import { BoardView } from "./board.js" */
/** @import { Part } from "./card_dialog.js" */

/** @typedef {{text: string, done: boolean}} Item */

/**
 * @param {HTMLElement} place @param {BoardView} view @param {(fields: object) => unknown} write
 * @returns {Part}
 */
export function checklistIn(place, view, write) {
  /** @type {Item[]} */
  let items = [];
  let shown = "";
  const form = find(place, "form");
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = form.elements.text.value.trim();
    form.reset();
    if (text !== "") write({ checklist: [...items, { text, done: false }] });
  });

  /** @param {Item} item @param {number} at */
  const row = (item, at) => {
    const box = element("input", { type: "checkbox", checked: Boolean(item.done), disabled: !view.writable, "data-key": `done-${at}` });
    box.addEventListener("change", () => write({ checklist: items.map((one, i) => (i === at ? { ...one, done: box.checked } : one)) }));
    const made = element("li", {}, element("label", {}, box, element("span", {}, item.text)));
    if (view.writable) {
      const bin = element("button", { class: "icon-button", "aria-label": `Remove ${item.text}`, "data-key": `bin-${at}` }, icon("close"));
      bin.addEventListener("click", () => write({ checklist: items.filter((_, i) => i !== at) }));
      made.append(bin);
    }
    return made;
  };

  return {
    show({ object }) {
      const list = Array.isArray(object.checklist) ? object.checklist : [];
      if (JSON.stringify(list) === shown) return;
      shown = JSON.stringify(list);
      items = list.map((item) => (typeof item === "object" && item !== null ? { ...item, text: itemText(item) } : { text: itemText(item), done: false }));
      refill(find(place, "ul"), items.map(row));
      const done = items.filter((item) => item.done).length;
      find(place, ".count").textContent = items.length ? `${done} of ${items.length}` : "";
      const progress = find(place, "progress");
      progress.hidden = items.length === 0;
      progress.max = items.length || 1;
      progress.value = done;
    },
  };
}

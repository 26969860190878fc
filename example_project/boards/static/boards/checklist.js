/** A card's checklist: a JSON list of `{text, done}`, written whole at each change. */

import { element, find, icon, refill } from "./page.js";
import { itemText } from "./words.js";

/** @import { BoardView } from "./board.js" */
/** @import { Part, Write } from "./card_dialog.js" */

/** @typedef {{text: string, done: boolean}} Item */

/**
 * @param {HTMLElement} place @param {BoardView} view @param {Write} write
 * @returns {Part}
 */
export function checklistIn(place, view, write) {
  let shown = "";
  /** @param {(items: Item[]) => Item[]} change */
  const rewrite = (change) => write(({ checklist }) => ({ checklist: change(itemsOf(checklist)) }));
  const form = find(place, "form");
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = form.elements.text.value.trim();
    form.reset();
    if (text !== "") void rewrite((items) => [...items, { text, done: false }]);
  });

  /** @param {Item} item @param {number} at */
  const row = (item, at) => {
    const box = element("input", { type: "checkbox", checked: Boolean(item.done), disabled: !view.writable, "data-key": `done-${at}` });
    box.addEventListener("change", () => rewrite((items) => items.map((one, i) => (i === at ? { ...one, done: box.checked } : one))));
    const made = element("li", {}, element("label", {}, box, element("span", {}, item.text)));
    if (view.writable) {
      const bin = element("button", { class: "icon-button", "aria-label": `Remove ${item.text}`, "data-key": `bin-${at}` }, icon("close"));
      bin.addEventListener("click", () => rewrite((items) => items.filter((_, i) => i !== at)));
      made.append(bin);
    }
    return made;
  };

  return {
    show({ object }) {
      if (JSON.stringify(object.checklist) === shown) return;
      shown = JSON.stringify(object.checklist);
      const items = itemsOf(object.checklist);
      const none = view.writable ? [] : [element("li", { class: "quiet" }, "None.")];
      refill(find(place, "ul"), items.length ? items.map(row) : none);
      const done = items.filter((item) => item.done).length;
      find(place, ".count").textContent = items.length ? `${done} of ${items.length}` : "";
      const progress = find(place, "progress");
      progress.hidden = items.length === 0;
      progress.max = items.length || 1;
      progress.value = done;
    },
  };
}

/** The items, of a list that another program may have written in another form. @param {any} list @returns {Item[]} */
function itemsOf(list) {
  if (!Array.isArray(list)) return [];
  return list.map((item) => {
    const known = typeof item === "object" && item !== null ? item : { done: false };
    return { ...known, text: itemText(item) };
  });
}

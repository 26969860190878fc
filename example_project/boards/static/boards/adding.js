/** The form under a column that adds cards, one after the other. */

import { placeAt } from "./order.js";
import { announce, find } from "./page.js";
import { COLUMNS } from "./words.js";

/** @import { BoardView } from "./board.js" */

/** @param {BoardView} view @param {string} name the column's @param {HTMLElement} column */
export function addingTo(view, name, column) {
  const form = find(column, ".adding");
  const button = find(column, ".add");
  const input = form.elements.title;
  input.setAttribute("aria-label", `A new card in ${COLUMNS[name]}`);

  /** @param {boolean} open */
  const show = (open) => {
    form.hidden = !open;
    button.hidden = open;
    (open ? input : button).focus();
  };
  button.addEventListener("click", () => show(true));
  find(form, "[data-do=stop-adding]").addEventListener("click", () => show(false));
  form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") show(false);
  });
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    const title = input.value.trim();
    if (title === "") return;
    form.reset();
    const others = view.others(name);
    const position = placeAt(others, others.length) ?? others.length + 1;
    await view.client.collection("cards").create({
      board: view.id, title, body: "", column: name, position, votes: 0, due: null, checklist: [], labels: [],
    });
    announce(`Added ${title} to ${COLUMNS[name]}.`);
    input.scrollIntoView({ block: "nearest" });
  });
}

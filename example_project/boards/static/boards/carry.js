/**
 * Moving cards with the keyboard: Space or Enter on a card's grip picks it up, the arrow keys move
 * it, Enter or Space drops it, Escape puts it back. Each step is said aloud.
 */

import { announce, find } from "./page.js";
import { COLUMNS } from "./words.js";

/** @import { BoardView, Held } from "./board.js" */

/** @param {BoardView} view @param {AbortSignal} signal */
export function carriesByKeys(view, signal) {
  /** The card that is carried. @type {string | null} */
  let carried = null;

  /** @param {string} words what was done */
  const end = (words) => {
    carried = null;
    announce(words, "assertive");
  };

  view.root.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const grip = /** @type {HTMLElement} */ (event.target).closest(".grip");
    const card = /** @type {HTMLElement | null | undefined} */ (grip?.closest(".card"));
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = String(card.dataset.id);
    if (carried === null) {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      carried = id;
      view.hold(placeOf(view, id));
      announce(`Picked up ${titleOf(view, id)}. ${spoken(view)}. Arrow keys move it, Enter drops it, Escape puts it back.`, "assertive");
      return;
    }
    if (view.held?.id !== carried) return end("The card is gone: somebody deleted it.");
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const words = `Dropped ${titleOf(view, id)}. ${spoken(view)}.`;
      void view.drop().then(() => end(words));
    } else if (event.key === "Escape") {
      event.preventDefault();
      view.letGo();
      end(`${titleOf(view, id)} is back where it was.`);
    } else if (event.key === "Tab") {
      event.preventDefault(); // it is dropped or put back first
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      view.hold(moved(view, view.held, event.key));
      card.scrollIntoView({ block: "nearest", inline: "nearest" });
      announce(`${spoken(view)}.`, "assertive");
    }
  }, { signal });

  document.addEventListener("focusin", (event) => {
    if (carried === null || view.elementOf(carried)?.contains(/** @type {Node} */ (event.target))) return;
    const title = titleOf(view, carried);
    view.letGo();
    end(`${title} is back where it was.`);
  }, { signal });
}

/** @param {BoardView} view @param {string} id @returns {Held} */
function placeOf(view, id) {
  const column = view.cards.get(id)?.object.column;
  const index = [...find(/** @type {HTMLElement} */ (view.columns.get(column)), ".cards").children].findIndex(
    (card) => /** @type {HTMLElement} */ (card).dataset.id === id,
  );
  return { id, column, index };
}

/** @param {BoardView} view @param {Held} held @param {string} key @returns {Held} */
function moved(view, { id, column, index }, key) {
  if (key === "ArrowUp") return { id, column, index: Math.max(index - 1, 0) };
  if (key === "ArrowDown") return { id, column, index: Math.min(index + 1, view.others(column).length) };
  const names = Object.keys(COLUMNS);
  const at = names.indexOf(column) + (key === "ArrowLeft" ? -1 : 1);
  const next = names[Math.min(Math.max(at, 0), names.length - 1)];
  return { id, column: next, index: Math.min(index, view.others(next).length) };
}

/** @param {BoardView} view @param {string} id */
function titleOf(view, id) {
  return view.cards.get(id)?.object.title ?? "The card";
}

/** Where the held card is. @param {BoardView} view */
function spoken(view) {
  const { held } = view;
  return held === null ? "" : `${COLUMNS[held.column]}, ${held.index + 1} of ${view.others(held.column).length + 1}`;
}

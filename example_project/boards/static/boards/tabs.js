/** On a narrow screen: a button for each column, and which column one looks at. */

import { element, find } from "./page.js";
import { COLUMNS } from "./words.js";

/** @import { BoardView } from "./board.js" */

/**
 * @param {BoardView} view
 * @returns {() => void} ends it
 */
export function showTabs(view) {
  /** @type {Map<Element, HTMLElement>} */
  const buttons = new Map();
  for (const [name, column] of view.columns) {
    const button = element("button", { "aria-pressed": "false" }, COLUMNS[name]);
    button.addEventListener("click", () => column.scrollIntoView({ inline: "start", block: "nearest" }));
    buttons.set(column, button);
  }
  find(view.place, ".tabs").replaceChildren(...buttons.values());
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) buttons.get(target)?.setAttribute("aria-pressed", String(isIntersecting));
  }, { root: view.root, threshold: 0.6 });
  for (const column of view.columns.values()) observer.observe(column);
  return () => observer.disconnect();
}

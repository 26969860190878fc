/** The labels of a card, out of those of its board; new ones for the board, and none that nobody wants. */

import { chip } from "./card.js";
import { announce, ask, element, find, icon, refill } from "./page.js";

/** @import { Record } from "../django_sync/client.js" */
/** @import { BoardView } from "./board.js" */
/** @import { Part, Write } from "./card_dialog.js" */

/**
 * @param {HTMLElement} place @param {BoardView} view @param {Write} write
 * @returns {Part}
 */
export function labelsIn(place, view, write) {
  /** The ids of those on the card. @type {string[]} */
  let chosen = [];
  const form = find(place, "form");
  /** @param {string} id @param {boolean} on */
  const put = (id, on) => write(({ labels }) => {
    const others = (labels ?? []).filter((/** @type {string} */ one) => one !== id);
    return { labels: on ? [...others, id] : others };
  });
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    const name = form.elements.name.value.trim();
    if (name === "") return;
    const same = [...view.labels.values()].find(({ object }) => object.name === name);
    const label = same ?? (await view.client.collection("labels").create({ board: view.id, name, color: form.elements.color.value }));
    form.elements.name.value = "";
    await put(label.id, true);
    announce(`Label ${name} is on the card.`);
  });

  /** @param {Record} label */
  const remove = async ({ id, object: { name } }) => {
    if (!(await ask(`Delete the label “${name}”?`, "It goes from all cards of this board, for everybody.", "Delete label"))) return;
    const { client, cards } = view;
    for (const { id: card, object, pending } of cards.values()) {
      // The server takes it off the cards, but for what it has not heard of yet.
      if (!pending || !object.labels?.includes(id)) continue;
      await client.collection("cards").update(card, { labels: object.labels.filter((/** @type {string} */ one) => one !== id) });
    }
    await client.collection("labels").delete(id);
    announce(`Deleted the label ${name}.`);
  };

  /** @param {Record} label */
  const choice = (label) => {
    const { id, object } = label;
    const box = element("input", { type: "checkbox", checked: chosen.includes(id), disabled: !view.writable, "data-key": id });
    box.addEventListener("change", () => put(id, box.checked));
    const made = element("label", { class: "choice" }, box, chip({ name: object.name, color: object.color ?? "#888a85" }));
    if (!view.writable) return made;
    const away = element("button", { class: "icon-button", "aria-label": `Delete the label ${object.name}`, "data-key": `away-${id}` }, icon("close"));
    away.addEventListener("click", () => remove(label));
    return element("div", { class: "with-button" }, made, away);
  };

  return {
    show({ object }) {
      chosen = object.labels ?? [];
      const labels = [...view.labels.values()].sort((one, other) => one.object.name.localeCompare(other.object.name));
      const none = view.writable ? "None on this board yet." : "None.";
      refill(find(place, ".choices"), labels.length ? labels.map(choice) : [element("p", { class: "quiet" }, none)]);
    },
  };
}

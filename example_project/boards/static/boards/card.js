/** The face of a card on the board. It shows, and does nothing. */

import { copyOf, element, find, icon } from "./page.js";
import { count, day, nearness } from "./words.js";

/** @import { Record } from "../django_sync/client.js" */

/**
 * @typedef {object} Beside What a card shows that is not its own.
 * @property {Map<string, Record>} labels the board's, by id
 * @property {number} comments how many
 * @property {boolean} conflict whether it waits for a decision
 * @property {boolean} writable whether the user may move it
 */

/** A card without a face yet. @param {string} id @returns {HTMLElement} */
export function newCard(id) {
  const card = find(copyOf("card"), ".card");
  card.dataset.id = id;
  return card;
}

/**
 * Show a record, if it looks otherwise than what is there. The two buttons stay, and so does focus.
 * @param {HTMLElement} card @param {Record} record @param {Beside} beside
 */
export function paint(card, record, beside) {
  const labels = chipsOf(record, beside.labels);
  const { title, body, due, votes, checklist } = record.object;
  const look = JSON.stringify([
    title, Boolean(body), due, votes, checklist, labels, record.pending, beside.comments, beside.conflict, beside.writable,
  ]);
  if (card.dataset.look === look) return;
  card.dataset.look = look;
  const open = find(card, ".open");
  open.textContent = title || "Without a title";
  const grip = find(card, ".grip");
  grip.hidden = !beside.writable;
  grip.setAttribute("aria-label", `Move ${title}`);
  card.classList.toggle("movable", beside.writable);
  card.classList.toggle("pending", record.pending);
  card.classList.toggle("in-conflict", beside.conflict);
  fill(find(card, ".chips"), labels.map(chip));
  fill(find(card, ".facts"), factsOf(record, beside));
}

/** @param {HTMLElement} place @param {Node[]} inside */
function fill(place, inside) {
  place.replaceChildren(...inside);
  place.hidden = inside.length === 0;
}

/** @param {Record} record @param {Map<string, Record>} labels @returns {{name: string, color: string}[]} */
function chipsOf(record, labels) {
  const found = (record.object.labels ?? []).map((/** @type {string} */ id) => labels.get(id)).filter(Boolean);
  return found
    .map((/** @type {Record} */ { object }) => ({ name: object.name, color: object.color ?? "#888a85" }))
    .sort((/** @type {any} */ one, /** @type {any} */ other) => one.name.localeCompare(other.name));
}

/** A label as a chip. @param {{name: string, color: string}} label */
export function chip({ name, color }) {
  const made = element("span", { class: "chip" }, name);
  made.style.setProperty("--color", color);
  return made;
}

/** @param {Record} record @param {Beside} beside */
function factsOf({ object, pending }, beside) {
  const items = Array.isArray(object.checklist) ? object.checklist : [];
  const done = items.filter((item) => item?.done).length;
  const all = done === items.length ? "all" : "";
  const shown = [
    beside.conflict && fact("fork", "", "warn", "Waits for your decision", "Decide"),
    object.due && fact("due", "Due ", `due ${object.column === "done" ? "far" : nearness(object.due)}`, `Due ${object.due}`, day(object.due)),
    object.body && fact("text", "Has a description", "", "Has a description"),
    items.length > 0 && fact("check", "Checklist: ", all, `${done} of ${items.length} done`, `${done}/${items.length}`),
    beside.comments > 0 && fact("comment", "Comments: ", "", count(beside.comments, "comment"), String(beside.comments)),
    object.votes ? fact("vote", "Votes: ", "", count(object.votes, "vote"), String(object.votes)) : null,
    pending && !beside.conflict && fact("pending", "Waits to be sent", "waits", "Waits to be sent"),
  ];
  return shown.filter((one) => one instanceof Node);
}

/** @param {string} name @param {string} unseen @param {string} look @param {string} title @param {string} [text] */
function fact(name, unseen, look, title, text = "") {
  return element("span", { class: `fact ${look}`, title }, icon(name), element("span", { class: "unseen" }, unseen), text);
}

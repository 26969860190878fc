/** A card, open: all its fields, and the parts that have files of their own. */

import { checklistIn } from "./checklist.js";
import { commentsIn } from "./comments.js";
import { Field } from "./field.js";
import { labelsIn } from "./labels.js";
import { placeAt } from "./order.js";
import { announce, ask, copyOf, element, find } from "./page.js";
import { COLUMNS, when } from "./words.js";

/** @import { Record } from "../django_sync/client.js" */
/** @import { BoardView } from "./board.js" */

/**
 * @typedef {(change: (object: Record["object"]) => object) => Promise<void>} Write What becomes of
 *   the card's fields; it is asked with the newest, for two clicks may be quicker than the screen.
 * @typedef {object} Part A part of the dialog.
 * @property {(card: Record) => void} show
 */

export class CardDialog {
  /** @type {{name: string, field: Field}[]} */
  #fields = [];
  /** @type {Part[]} */
  #parts;
  #card;
  /** The write before the next. @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {BoardView} view @param {string} id @param {() => void} closed */
  constructor(view, id, closed) {
    this.view = view;
    this.id = id;
    this.#card = /** @type {Record} */ (view.cards.get(id));
    const dialog = find(copyOf("card-dialog"), "dialog");
    this.dialog = dialog;
    this.#bind("title", (title) => ({ title }));
    this.#bind("body", (body) => ({ body }));
    this.#bind("due", (due) => ({ due: due || null }));
    find(dialog, "[name=column]").append(
      ...Object.entries(COLUMNS).map(([value, name]) => element("option", { value }, name)),
    );
    this.#bind("column", (column) => this.#toColumn(column));
    /** @type {Write} */
    const write = (change) => this.#write(change);
    this.#parts = [
      checklistIn(find(dialog, ".checklist"), view, write),
      labelsIn(find(dialog, ".labels"), view, write),
      commentsIn(find(dialog, ".comments"), view, id),
    ];
    this.#listen(closed);
    if (!view.writable) this.#onlyRead();
    document.body.append(dialog);
    this.show();
    dialog.showModal();
  }

  /** Close it, as Escape does. */
  close() {
    this.dialog.close();
  }

  /** Show the card as the board's live queries have it. */
  show() {
    const card = this.view.cards.get(this.id);
    if (card === undefined) return this.#gone();
    this.#card = card;
    find(this.dialog, ".where").textContent = `Card in ${COLUMNS[card.object.column] ?? card.object.column}`;
    for (const { name, field } of this.#fields) field.show(card.object[name]);
    find(this.dialog, "output").textContent = String(card.object.votes ?? 0);
    const made = card.object.created_at;
    find(this.dialog, ".made").textContent = card.pending ? "Some of this waits to be sent." : made ? `Made ${when(made)}.` : "";
    for (const part of this.#parts) part.show(card);
  }

  /** @param {string} name @param {(value: string) => object} asked */
  #bind(name, asked) {
    const field = new Field(find(this.dialog, `[name=${name}]`), (value) => this.#write(() => asked(value)));
    this.#fields.push({ name, field });
  }

  /** @param {string} column */
  #toColumn(column) {
    const others = this.view.others(column);
    return { column, position: placeAt(others, others.length) };
  }

  /** @type {Write} */
  #write(change) {
    const cards = this.view.client.collection("cards");
    const done = this.#last.then(async () => {
      const card = await cards.get(this.id);
      if (card !== null) await cards.update(this.id, { ...change(card.object) });
    });
    this.#last = done.catch(() => null); // who asked hears of it; the next write goes on
    return done;
  }

  /** @param {() => void} closed */
  #listen(closed) {
    const { dialog } = this;
    dialog.addEventListener("click", (/** @type {Event} */ event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const does = /** @type {HTMLElement | null} */ (target.closest("[data-do]"))?.dataset.do;
      if (target === dialog || does === "close") dialog.close();
      if (does === "vote-up") void this.#write(({ votes }) => ({ votes: (votes ?? 0) + 1 }));
      if (does === "vote-down") void this.#write(({ votes }) => ({ votes: (votes ?? 0) - 1 }));
      if (does === "delete") void this.#delete();
    });
    dialog.addEventListener("close", () => {
      for (const { field } of this.#fields) field.flush();
      dialog.remove();
      closed();
    });
  }

  async #delete() {
    const { title } = this.#card.object;
    if (!(await ask(`Delete “${title}”?`, "Its comments go with it, for everybody on this board.", "Delete card"))) return;
    await this.view.client.collection("cards").delete(this.id);
    this.dialog.close();
    announce(`Deleted ${title}.`);
  }

  #onlyRead() {
    find(this.dialog, ".notice.read-only").hidden = false;
    for (const input of this.dialog.querySelectorAll("input, textarea")) input.readOnly = true;
    for (const input of this.dialog.querySelectorAll("select, [type=date]")) input.disabled = true;
    for (const away of this.dialog.querySelectorAll("form, .danger, .stepper button")) away.hidden = true;
  }

  /** Somebody deleted it, or took it to another board. What was typed can still be read. */
  #gone() {
    const notice = find(this.dialog, ".gone");
    notice.hidden = false;
    notice.textContent = "This card is no longer on the board: it was deleted or moved to another.";
    for (const input of this.dialog.querySelectorAll("input, textarea")) input.readOnly = true;
    for (const button of this.dialog.querySelectorAll("button:not([data-do=close])")) button.disabled = true;
  }
}

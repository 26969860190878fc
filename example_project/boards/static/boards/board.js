/**
 * One board: three columns of cards, by live queries.
 *
 * `drag.js` and `carry.js` say which card is held and where (`hold`), and whether it stays there
 * (`drop`) or goes back (`letGo`). While a card is held, what others do goes on around it.
 */

import { addingTo } from "./adding.js";
import { editBoard, isOwn } from "./boards.js";
import { newCard, paint } from "./card.js";
import { CardDialog } from "./card_dialog.js";
import { carriesByKeys } from "./carry.js";
import { conflictsAt } from "./conflict.js";
import { dragsByPointer } from "./drag.js";
import { flash, withGlide } from "./motion.js";
import { inOrder, numbered, placeAt } from "./order.js";
import { copyOf, find, readOnly } from "./page.js";
import { showTabs } from "./tabs.js";
import { capital, COLUMNS } from "./words.js";

/** @import { Record, SyncClient } from "../django_sync/client.js" */

/** @typedef {{id: string, column: string, index: number}} Held A card, and where among the others it would drop. */

export class BoardView {
  /** @type {Map<string, Record>} */
  cards = new Map();
  /** @type {Map<string, Record>} */
  labels = new Map();
  /** The comments of all cards here, by card. @type {Map<string, Record[]>} */
  comments = new Map();
  /** @type {Held | null} */
  held = null;
  /** @type {Map<string, HTMLElement>} the columns' elements, by name */
  columns = new Map();
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map();
  /** Changed by somebody else, and not on the board yet. @type {Set<string>} */
  #fresh = new Set();
  /** @type {CardDialog | null} */
  #dialog = null;
  /** @type {(() => void)[]} */
  #endings = [];
  #told = false;

  /** @param {SyncClient} client @param {Record} board @param {HTMLElement} place */
  constructor(client, board, place) {
    this.client = client;
    this.board = board;
    this.writable = !readOnly.has(board.id);
    this.place = place;
    place.replaceChildren(copyOf("board"));
    this.root = find(place, ".columns");
    for (const [name, title] of Object.entries(COLUMNS)) this.#addColumn(name, title);
    const alone = new AbortController();
    this.#endings.push(() => alone.abort());
    this.#listen(alone.signal);
    this.#watch();
    if (this.writable) {
      dragsByPointer(this, alone.signal);
      carriesByKeys(this, alone.signal);
    }
    this.#endings.push(showTabs(this));
  }

  get id() {
    return this.board.id;
  }

  /** Stop all that was begun here. */
  close() {
    for (const end of this.#endings) end();
    this.#dialog?.close();
  }

  /** @param {Record} board */
  showHeading(board) {
    this.board = board;
    const own = isOwn(board);
    const owner = own ? "yours" : `of ${capital(board.object.owner ?? "")}`;
    find(this.place, "h1").textContent = board.object.name;
    find(this.place, ".owner").textContent = owner;
    find(this.place, "[data-do=edit-board]").hidden = !own;
    find(this.place, ".badge").hidden = this.writable;
    const notice = find(this.place, ".notice");
    notice.hidden = this.writable;
    notice.textContent = `You may read this board. ${capital(board.object.owner ?? "its owner")} and its editors change it; what they do shows here at once.`;
    this.place.style.setProperty("--board", board.object.color);
  }

  /** The cards of a column in order, without the held one. @param {string} column @returns {Record[]} */
  others(column) {
    const all = [...this.cards.values()];
    return all.filter(({ id, object }) => object.column === column && id !== this.held?.id).sort(inOrder);
  }

  /** A card's element. @param {string} id */
  elementOf(id) {
    return this.#elements.get(id);
  }

  /** Show a card at a place that it does not have yet. @param {Held} held */
  hold(held) {
    const was = this.held;
    if (was?.id === held.id && was.column === held.column && was.index === held.index) return;
    this.held = held;
    this.#show();
  }

  /** Put the held card back. */
  letGo() {
    this.held = null;
    this.#show();
  }

  /** Leave the held card where it is: this is the write. */
  async drop() {
    if (this.held === null) return;
    const { id, column, index } = this.held;
    const cards = this.client.collection("cards");
    const others = this.others(column);
    const was = this.cards.get(id);
    const stays = was?.object.column === column && [...this.cards.values()]
      .filter(({ object }) => object.column === column).sort(inOrder).findIndex((one) => one.id === id) === index;
    try {
      if (was === undefined || stays) return;
      let position = placeAt(others, index);
      if (position === null) {
        const anew = numbered([...others.slice(0, index), was, ...others.slice(index)]);
        position = index + 1;
        for (const one of anew) if (one.id !== id) this.#know(await cards.update(one.id, { position: one.position }));
      }
      this.#know(await cards.update(id, { column, position }));
    } finally {
      this.letGo();
    }
  }

  /** Show everything as it is known now. */
  render() {
    if (!this.#told) return;
    if (this.held !== null && !this.cards.has(this.held.id)) this.held = null; // deleted by somebody
    const conflicts = conflictsAt("cards");
    for (const [id, record] of this.cards) {
      const card = this.#elements.get(id) ?? newCard(id);
      this.#elements.set(id, card);
      paint(card, record, {
        labels: this.labels,
        comments: this.comments.get(id)?.length ?? 0,
        conflict: conflicts.has(id),
        writable: this.writable,
      });
    }
    this.#show();
    for (const id of this.#fresh) flash(this.#elements.get(id));
    this.#fresh.clear();
    this.#dialog?.show();
  }

  /** Every card at its place, with the faces that they have. */
  #show() {
    for (const was of this.root.querySelectorAll(".card.held")) was.classList.remove("held");
    if (this.held !== null) this.#elements.get(this.held.id)?.classList.add("held");
    withGlide([...this.#elements.values()], () => this.#arrange());
  }

  #arrange() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    for (const [id, card] of this.#elements) {
      if (this.cards.has(id)) continue;
      card.remove();
      this.#elements.delete(id);
    }
    for (const [name, column] of this.columns) this.#fill(name, column);
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  }

  /** @param {string} name @param {HTMLElement} column */
  #fill(name, column) {
    const ids = this.others(name).map(({ id }) => id);
    if (this.held?.column === name) ids.splice(this.held.index, 0, this.held.id);
    const list = find(column, ".cards");
    ids.forEach((id, at) => {
      const card = /** @type {HTMLElement} */ (this.#elements.get(id));
      if (list.children[at] !== card) list.insertBefore(card, list.children[at] ?? null);
    });
    find(column, ".count").textContent = String(ids.length);
    const nothing = find(column, ".nothing");
    nothing.hidden = ids.length > 0;
    nothing.textContent = this.writable ? "Nothing here. Drag a card in, or add one." : "Nothing here.";
  }

  /** @param {string} name @param {string} title */
  #addColumn(name, title) {
    const column = find(copyOf("column"), ".column");
    column.dataset.column = name;
    find(column, ".title").textContent = title;
    find(column, "h2").id = `column-${name}`;
    column.setAttribute("aria-labelledby", `column-${name}`);
    find(column, ".add").hidden = !this.writable;
    find(column, ".add span").textContent = `Add a card`;
    addingTo(this, name, column);
    this.columns.set(name, column);
    this.root.append(column);
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    this.root.addEventListener("click", (/** @type {Event} */ event) => {
      const card = /** @type {HTMLElement} */ (event.target).closest(".open")?.closest(".card");
      if (card instanceof HTMLElement) this.#open(String(card.dataset.id));
    }, { signal });
    find(this.place, "[data-do=edit-board]").addEventListener("click", () => editBoard(this.client, this.board), { signal });
    document.addEventListener("conflicts", () => this.render(), { signal });
  }

  #watch() {
    const { client } = this;
    const cards = client.collection("cards").live({ board: this.id }, (records) => {
      this.cards = new Map(records.map((record) => [record.id, record]));
      this.#told = true;
      this.render();
    });
    const labels = client.collection("labels").live({ board: this.id }, (records) => {
      this.labels = new Map(records.map((record) => [record.id, record]));
      this.render();
    });
    const comments = client.collection("comments").live(() => true, (records) => {
      this.comments = Map.groupBy(records, ({ object }) => object.card);
      this.render();
    });
    const off = client.onChange("cards", ({ id, origin, kind }) => {
      if (origin !== "remote" || kind === "deleted") return;
      if (this.#elements.has(id)) flash(this.#elements.get(id));
      else if (this.#told) this.#fresh.add(id);
    });
    this.#endings.push(() => [cards, labels, comments].forEach((live) => live.stop()), off);
  }

  /** @param {string} id */
  #open(id) {
    this.#dialog = new CardDialog(this, id, () => {
      this.#dialog = null;
      find(/** @type {HTMLElement} */ (this.#elements.get(id) ?? this.root), "button").focus();
    });
  }

  /** What a write has returned is shown at once, before the live query tells it. @param {Record} record */
  #know(record) {
    this.cards.set(record.id, record);
  }
}

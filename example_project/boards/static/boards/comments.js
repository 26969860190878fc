/** What people said about a card. Who wrote one is told by the server, so one's own is "You" until then. */

import { element, find, paintAvatar, refill, told } from "./page.js";
import { capital, when } from "./words.js";

/** @import { Record } from "../django_sync/client.js" */
/** @import { BoardView } from "./board.js" */
/** @import { Part } from "./card_dialog.js" */

/**
 * @param {HTMLElement} place @param {BoardView} view @param {string} card its id
 * @returns {Part}
 */
export function commentsIn(place, view, card) {
  const comments = view.client.collection("comments");
  const form = find(place, "form");
  const send = async () => {
    const text = form.elements.text.value.trim();
    if (text === "") return;
    form.reset();
    await comments.create({ card, text });
  };
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    void send();
  });
  form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
  });

  /** @param {Record} comment */
  const row = ({ id, object, pending }) => {
    const author = object.author ?? told.user;
    const own = author === told.user;
    const avatar = element("span", { class: "avatar", "aria-hidden": "true" });
    paintAvatar(avatar, author);
    const at = pending ? "waits to be sent" : object.created_at ? when(object.created_at) : "";
    const head = element("p", { class: "said-by" }, element("strong", {}, own ? "You" : capital(author)), " ", element("small", {}, at));
    if (own && view.writable) {
      const bin = element("button", { class: "link", "aria-label": `Delete your comment: ${object.text}`, "data-key": id }, "Delete");
      bin.addEventListener("click", () => comments.delete(id));
      head.append(" ", bin);
    }
    return element("li", {}, avatar, element("div", {}, head, element("p", { class: "text" }, object.text)));
  };

  return {
    show() {
      // Without a date it was made here, and the server has not seen it: it is the newest.
      const date = (/** @type {Record} */ { object }) => object.created_at ?? "9";
      const said = [...(view.comments.get(card) ?? [])].sort((one, other) => (date(one) < date(other) ? -1 : 1));
      const none = view.writable ? [] : [element("li", { class: "quiet" }, "None.")];
      refill(find(place, "ol"), said.length ? said.map(row) : none);
      find(place, ".count").textContent = said.length ? String(said.length) : "";
    },
  };
}

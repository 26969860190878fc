/** What the server refused for good, in plain words and with what was typed, so that it is not lost. */

import { announce, element, find, icon } from "./page.js";
import { fieldName, reasons, refusal, spell } from "./words.js";

/** @import { Rejection, SyncClient } from "../django_sync/client.js" */

/** Fields that nobody types. */
const UNTYPED = new Set(["board", "card", "position"]);

/** @param {SyncClient} client @param {Rejection} rejection */
export async function showRejection(client, rejection) {
  const { mutation } = rejection;
  const record = await client.collection(mutation.collection).get(mutation.objectId);
  const name = record?.object.title ?? record?.object.name;
  const labels = new Map((await client.collection("labels").all()).map(({ id, object }) => [id, object.name]));
  const typed = Object.entries(mutation.fields)
    .filter(([field]) => !UNTYPED.has(field))
    .filter(([, value]) => value !== "" && value !== null && value !== 0 && !(Array.isArray(value) && value.length === 0))
    .map(([field, value]) => element("div", {}, element("dt", {}, fieldName(field)), element("dd", {}, spell(field, value, (id) => labels.get(id) ?? id))));
  const why = reasons(rejection);
  const heading = name ? `${refusal(rejection)}: “${name}”` : refusal(rejection);
  const close = element("button", { class: "icon-button", "aria-label": "Dismiss" }, icon("close"));
  const told = element("section", { class: "rejection" }, close, element("h2", {}, heading), ...why.map((line) => element("p", {}, line)));
  if (typed.length > 0) told.append(element("p", { class: "side-title" }, "What you asked for"), element("dl", {}, ...typed));
  const place = find(document, "#refused");
  close.addEventListener("click", () => {
    told.remove();
    place.hidden = place.childElementCount === 0;
  });
  place.hidden = false;
  place.prepend(told);
  announce(`${heading}. ${why.join(" ")}`, "assertive");
}

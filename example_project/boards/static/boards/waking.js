/** “Tell me of changes while the board is closed”: asked for by a click, taken back by another. */

import { element, find, isSecond, told } from "./page.js";

/** @import { SyncClient } from "../django_sync/client.js" */

const NOTIFY = {
  title: "Boards", body: "A board of yours has changed.", url: told.home,
  icon: new URL("icon-192.png", import.meta.url).href,
};

/** @param {SyncClient} client */
export function prepareWaking(client) {
  if (isSecond) return; // one browser has one subscription, and the demo's second users share it
  const place = find(document, "#person .waking");
  const button = find(place, "button");
  const said = find(place, "[role=status]");
  const show = () => button.setAttribute("aria-pressed", String(client.push !== null));
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.replaceChildren();
    try {
      if (client.push === null) await client.enablePush({ notify: NOTIFY });
      else await client.disablePush();
    } catch (error) {
      said.replaceChildren(element("span", {}, `That was not done: ${error instanceof Error ? error.message : error}`));
    } finally {
      button.disabled = false;
      show();
    }
  });
  place.hidden = client.push === null;
  let isAsked = false;
  client.onStatus(async ({ link }) => {
    if (link !== "live" || isAsked) return;
    isAsked = true;
    const isOffered = await client.isPushOffered();
    place.hidden = !isOffered && client.push === null;
  });
  show();
}

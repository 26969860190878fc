/** The user's menu: a second user, the colours, signing out. */

import { forgetShells } from "./offline.js";
import { ask, find, isSecond, paintAvatar, told } from "./page.js";
import { count } from "./words.js";

/** @import { SyncClient } from "../django_sync/client.js" */

/** By this the tabs of one user hear that one of them signs out. */
const signedOut = "BroadcastChannel" in globalThis ? new BroadcastChannel(`signed-out ${told.store}`) : null;

/** @param {SyncClient} client */
export function preparePersonMenu(client) {
  const menu = find(document, "#person");
  paintAvatar(find(menu, ".avatar"), told.user);
  for (const link of document.querySelectorAll(".second-user")) {
    link.addEventListener("click", (event) => openSecond(/** @type {MouseEvent} */ (event), link, menu));
  }
  const form = find(menu, "#sign-out");
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    void signOut(client, form);
  });
  if (signedOut !== null) signedOut.onmessage = () => void client.close().then(() => location.replace(told.home));
  chooseColours(menu);
  closesByItself(menu);
  closesByItself(find(document, "#status"));
}

/** A window and not a tab, so that two users are seen side by side. @param {MouseEvent} event @param {any} link @param {any} menu */
function openSecond(event, link, menu) {
  menu.open = false;
  link.search = location.search;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const width = Math.max(400, Math.floor(screen.availWidth / 2));
  const sized = `popup,width=${width},height=${screen.availHeight},left=${screen.availWidth - width},top=0`;
  const opened = open(link.href, link.target, sized);
  if (opened !== null) event.preventDefault(); // where windows are blocked, the link makes a tab
}

/**
 * Nothing of the user stays in this browser: not the store, not the page.
 * @param {SyncClient} client @param {HTMLFormElement} form
 */
async function signOut(client, form) {
  if (!navigator.onLine && !isSecond) {
    await ask("You are offline", "Signing out needs the server, which ends your session. Try it again with a network.", "All right");
    return;
  }
  const { pending } = client.status;
  const text = `${count(pending, "change")} of yours ${pending === 1 ? "has" : "have"} not reached the server, and would be lost.`;
  if (pending > 0 && !(await ask("Sign out and lose changes?", text, "Sign out"))) return;
  client.stop();
  await client.disablePush();
  await client.reset({ wipe: true });
  await client.close();
  await forgetShells(isSecond ? location.pathname : null);
  signedOut?.postMessage("now");
  if (isSecond) location.replace(told.home);
  else form.submit();
}

/** @param {HTMLElement} menu */
function chooseColours(menu) {
  const root = document.documentElement;
  find(menu, `[name=theme][value="${root.dataset.theme ?? ""}"]`).checked = true;
  menu.addEventListener("change", (event) => {
    const { name, value } = /** @type {HTMLInputElement} */ (event.target);
    if (name !== "theme") return;
    if (value === "") delete root.dataset.theme;
    else root.dataset.theme = value;
    localStorage.setItem("boards-theme", value);
  });
}

/** A menu closes when one goes elsewhere. @param {HTMLDetailsElement} menu */
function closesByItself(menu) {
  const close = () => (menu.open = false);
  document.addEventListener("pointerdown", ({ target }) => menu.contains(/** @type {Node} */ (target)) || close());
  document.addEventListener("focusin", ({ target }) => menu.contains(/** @type {Node} */ (target)) || close());
  menu.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !menu.open) return;
    close();
    find(menu, "summary").focus();
  });
}

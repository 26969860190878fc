/** What the server says about this page, and small help with its elements. Knows no records. */

/** The element that holds the application, with what the server told in its data attributes. */
export const main = /** @type {HTMLElement} */ (document.getElementById("main"));

/** @typedef {{user: string, store: string, token: string, sync: string, home: string, signIn: string,
 *   serviceWorker: string, release: string, readOnly: string}} Told */

export const told = /** @type {Told} */ ({ ...main.dataset });

/** Whether this window is a demo's second user, with a token instead of the session. */
export const isSecond = told.token !== "";

/** Boards that the user may read and not write, by id, as they were when the page was made. */
export const readOnly = new Set(told.readOnly.split(" "));

/**
 * The one element inside `root` that a selector names.
 * @param {ParentNode} root @param {string} selector
 * @returns {any} an `HTMLElement` of the kind that the template has there
 */
export function find(root, selector) {
  const found = root.querySelector(selector);
  if (found === null) throw new Error(`There is no ${selector} here.`);
  return found;
}

/**
 * A copy of what a `<template>` holds.
 * @param {string} name without `template-`
 * @returns {DocumentFragment}
 */
export function copyOf(name) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(`template-${name}`));
  return /** @type {DocumentFragment} */ (document.importNode(template.content, true));
}

/**
 * A new element. Text goes in as text: nothing that a user typed is ever read as HTML.
 * @param {string} tag @param {Record<string, any>} [set] properties; `class` and `aria-…` too
 * @param {...(Node | string)} inside
 * @returns {any}
 */
export function element(tag, set = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(set)) {
    if (name === "class" || name.includes("-")) made.setAttribute(name, value);
    else Object.assign(made, { [name]: value });
  }
  made.append(...inside);
  return made;
}

/** One of the icons in the page. @param {string} name */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.classList.add("icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Have a screen reader say something.
 * @param {string} words @param {"polite" | "assertive"} [how]
 */
export function announce(words, how = "polite") {
  const region = find(document, `#${how}`);
  // The same words twice are news twice, so they are put in as a new node.
  region.replaceChildren(element("p", {}, words));
}

/** The letters and the colour that stand for a person. @param {Element} avatar @param {string} name */
export function paintAvatar(avatar, name) {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
  avatar.textContent = name.slice(0, 1).toUpperCase();
  /** @type {HTMLElement} */ (avatar).style.setProperty("--hue", String(hue));
}

/**
 * Ask a question that has a dangerous answer; `true` where it was given.
 * @param {string} heading @param {string} text @param {string} yes the button's words
 * @returns {Promise<boolean>}
 */
export function ask(heading, text, yes) {
  const dialog = find(copyOf("question"), "dialog");
  find(dialog, "h2").textContent = heading;
  find(dialog, "p").textContent = text;
  find(dialog, "[value=yes]").textContent = yes;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/**
 * Put these elements in, and the focus back on the one of the same `data-key`.
 * @param {HTMLElement} parent @param {Node[]} inside
 */
export function refill(parent, inside) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const key = parent.contains(focused) ? focused?.dataset.key : undefined;
  parent.replaceChildren(...inside);
  if (key === undefined) return;
  const again = [...parent.querySelectorAll("[data-key]")].find((one) => /** @type {HTMLElement} */ (one).dataset.key === key);
  /** @type {HTMLElement | undefined} */ (again)?.focus();
}

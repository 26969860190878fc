/** How things are said to people. No I/O, no elements. */

/** @import { Rejection } from "../django_sync/client.js" */

/** The columns of every board, in their order. @type {Record<string, string>} */
export const COLUMNS = { todo: "To do", doing: "Doing", done: "Done" };

/** @type {Record<string, string>} */
const FIELDS = {
  title: "Title", body: "Description", column: "Column", position: "Place in the column", due: "Due",
  votes: "Votes", checklist: "Checklist", labels: "Labels", name: "Name", color: "Colour", text: "Text",
  board: "Board",
};

/** @type {Record<string, string>} */
const THINGS = { boards: "board", labels: "label", cards: "card", comments: "comment" };

/** @type {Record<string, string>} */
const REASONS = {
  permission_denied: "You may read this, but not change it.",
  not_found: "It is gone, or you are no longer a member of its board.",
  field_not_writable: "That field is not for clients to write.",
  already_exists: "It is there already.",
  dependency_failed: "It stood on another change that was refused.",
  mutation_expired: "It waited too long to be sent.",
};

/** A field's name for people. @param {string} name */
export function fieldName(name) {
  return FIELDS[name] ?? name;
}

/** What a collection holds, for people. @param {string} collection */
export function thing(collection) {
  return THINGS[collection] ?? "record";
}

/** A name as one writes it. @param {string} name */
export function capital(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** @param {number} number @param {string} one @param {string} [many] */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/**
 * A field's value for people.
 * @param {string} name @param {any} value
 * @param {(id: string) => string} [labelName] what a label is called
 * @returns {string}
 */
export function spell(name, value, labelName = (id) => id) {
  if (value === undefined) return "not known";
  if (value === null || value === "") return "empty";
  if (name === "column") return COLUMNS[value] ?? String(value);
  if (name === "due") return day(value);
  if (name === "labels") return value.length ? value.map(labelName).join(", ") : "none";
  if (name === "checklist") return checklist(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {any} items */
function checklist(items) {
  if (!Array.isArray(items) || items.length === 0) return "none";
  return items.map((item) => `${item?.done ? "☑" : "☐"} ${itemText(item)}`).join("\n");
}

/** An item of a checklist is `{text, done}`; what another program wrote is shown as it is. @param {any} item @returns {string} */
export function itemText(item) {
  return typeof item === "string" ? item : String(item?.text ?? JSON.stringify(item));
}

/** @param {string} date as ISO 8601 has it */
export function day(date) {
  const then = new Date(`${date}T00:00`);
  if (Number.isNaN(then.getTime())) return date;
  const year = then.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", year });
}

/** How near a day is. @param {string} date @returns {"late" | "soon" | "far"} */
export function nearness(date) {
  const days = (new Date(`${date}T00:00`).getTime() - new Date().setHours(0, 0, 0, 0)) / 86_400_000;
  return days < 0 ? "late" : days <= 2 ? "soon" : "far";
}

/** @param {string} moment as ISO 8601 has it */
export function when(moment) {
  const then = new Date(moment);
  const minutes = (Date.now() - then.getTime()) / 60_000;
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${count(Math.floor(minutes), "minute")} ago`;
  return then.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/**
 * Why the server refused, in plain words.
 * @param {Rejection} rejection
 * @returns {string[]} sentences
 */
export function reasons({ problem, mutation }) {
  const errors = Object.entries(problem.errors ?? {});
  if (errors.length > 0) {
    return errors.flatMap(([name, found]) => found.map(({ detail }) => `${fieldName(name)}: ${detail}`));
  }
  const code = String(problem.code ?? "");
  if (code === "permission_denied" && mutation.collection === "boards") return ["Only its owner may change a board."];
  return [REASONS[code] ?? String(problem.detail ?? problem.title ?? "The server gave no reason.")];
}

/** What was asked for, in plain words. @param {Rejection} rejection */
export function refusal({ mutation }) {
  const what = thing(mutation.collection);
  if (mutation.op === "create") return `Your new ${what} was refused`;
  if (mutation.op === "delete") return `Deleting the ${what} was refused`;
  return `Your change to the ${what} was refused`;
}

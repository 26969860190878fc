/** What there is to choose in a conflict, and what a choice becomes. No I/O, no elements. */

/** @import { Conflict, Resolution } from "../django_sync/client.js" */

/** @typedef {{name: string | null, isTheirs: () => boolean}} Row `name` is `null` where it is all or nothing. */

/** The fields to choose between. @param {Conflict} conflict */
export function clashing({ fields, client }) {
  return fields.length > 0 ? fields : Object.keys(client);
}

/** Where one side deleted it there is one question. @param {Conflict} conflict */
export function wholeOf({ kind, server, mutation }) {
  if (mutation.op === "delete") {
    return { text: "You deleted this while somebody else changed it.", theirs: "Keep it, with their changes", yours: "Delete it all the same" };
  }
  if (server === null || kind === "update_delete") {
    return { text: "Somebody deleted this while you changed it.", theirs: "Let it go", yours: "Bring it back, with your changes" };
  }
  return null;
}

/**
 * What was chosen, for the client.
 * @param {Conflict} conflict @param {Row[]} rows
 * @returns {Resolution}
 */
export function verdict(conflict, rows) {
  if (rows.every((row) => row.isTheirs())) {
    const others = Object.keys(conflict.client).filter((name) => !rows.some((row) => row.name === name));
    // What did not clash is the user's still, and goes on.
    return others.length === 0 || rows[0]?.name === null ? conflict.keepServer() : conflict.merge(theirs(conflict, rows));
  }
  return rows.some((row) => row.isTheirs()) ? conflict.merge(theirs(conflict, rows)) : conflict.keepClient();
}

/** The server's values of the fields where it was chosen. @param {Conflict} conflict @param {Row[]} rows */
function theirs(conflict, rows) {
  const chosen = rows.filter((row) => row.name !== null && row.isTheirs()).map(({ name }) => String(name));
  return Object.fromEntries(chosen.map((name) => [name, conflict.server?.object[name]]));
}

/** What the example's board decides without a page: the order of cards, the choice in a conflict, words. */

import assert from "node:assert/strict";
import test from "node:test";

import { inOrder, numbered, placeAt } from "../../example_project/boards/static/boards/order.js";
import { clashing, verdict, wholeOf } from "../../example_project/boards/static/boards/verdict.js";
import { reasons, spell } from "../../example_project/boards/static/boards/words.js";

const card = (id, position) => ({ id, object: { position } });

test("between any two cards there is room, or the column is numbered anew", () => {
  let column = [card("a", 1), card("b", 2)];
  let renumbered = 0;
  for (let at = 0; at < 200; at++) {
    let position = placeAt(column, 1); // always in the same gap
    if (position === null) {
      renumbered += 1;
      const anew = new Map(numbered(column).map((one) => [one.id, one.position]));
      column = column.map((one) => card(one.id, anew.get(one.id) ?? one.object.position));
      position = placeAt(column, 1);
    }
    column = [column[0], card(`c${at}`, position), ...column.slice(1)];
    const places = column.map(({ object }) => object.position);
    assert.ok(places.every((place, i) => i === 0 || place > places[i - 1]), String(places));
  }
  assert.ok(renumbered > 0);
  assert.deepEqual([...column].reverse().sort(inOrder), column);
});

test("a card comes first, last, or alone", () => {
  const column = [card("a", -3), card("b", 8)];
  assert.ok(placeAt(column, 0) < -3);
  assert.ok(placeAt(column, 2) > 8);
  assert.equal(typeof placeAt([], 0), "number");
});

test("two windows that chose one place show one order, and find room again", () => {
  const column = [card("b", 5), card("a", 5)].sort(inOrder);
  assert.deepEqual(column.map(({ id }) => id), ["a", "b"]);
  assert.equal(placeAt(column, 1), null);
  assert.deepEqual(numbered(column), [{ id: "a", position: 1 }, { id: "b", position: 2 }]);
});

/** A conflict whose decisions can be looked at. */
const conflict = (more = {}) => ({
  kind: "update_update",
  fields: ["title", "body"],
  client: { title: "mine", body: "mine too", due: "2026-12-01" },
  server: { object: { title: "theirs", body: "theirs too", due: null } },
  mutation: { op: "update" },
  keepServer: () => "server",
  keepClient: () => "client",
  merge: (values) => values,
  ...more,
});
const rows = (sides) => Object.entries(sides).map(([name, side]) => ({ name, isTheirs: () => side === "theirs" }));
const all = (side) => [{ name: null, isTheirs: () => side === "theirs" }];

test("what did not clash goes on, whatever is chosen", () => {
  assert.equal(verdict(conflict(), rows({ title: "yours", body: "yours" })), "client");
  assert.deepEqual(verdict(conflict(), rows({ title: "yours", body: "theirs" })), { body: "theirs too" });
  assert.deepEqual(verdict(conflict(), rows({ title: "theirs", body: "theirs" })), { title: "theirs", body: "theirs too" });
  const alone = conflict({ client: { title: "mine", body: "mine too" } });
  assert.equal(verdict(alone, rows({ title: "theirs", body: "theirs" })), "server");
});

test("where one side deleted it there is one question", () => {
  const gone = conflict({ kind: "update_delete", server: null });
  const deleting = conflict({ kind: "delete_update", mutation: { op: "delete" }, client: {}, fields: [] });
  assert.equal(wholeOf(conflict()), null);
  for (const one of [gone, deleting]) {
    assert.notEqual(wholeOf(one), null);
    assert.equal(verdict(one, all("theirs")), "server");
    assert.equal(verdict(one, all("yours")), "client");
  }
});

test("a conflict that names no field asks about those that were sent", () => {
  assert.deepEqual(clashing(conflict({ fields: [] })), ["title", "body", "due"]);
  assert.deepEqual(clashing(conflict()), ["title", "body"]);
});

test("values and refusals are said in words", () => {
  assert.equal(spell("due", null), "empty");
  assert.equal(spell("title", undefined), "not known");
  assert.equal(spell("labels", ["1", "2"], (id) => `L${id}`), "L1, L2");
  assert.equal(spell("checklist", [{ text: "a", done: true }, "b", { note: 1 }]), '☑ a\n☐ b\n☐ {"note":1}');
  const mutation = { op: "update", collection: "cards", fields: {} };
  assert.deepEqual(reasons({ mutation, problem: { code: "permission_denied" } }), ["You may read this, but not change it."]);
  assert.deepEqual(
    reasons({ mutation, problem: { code: "validation_failed", errors: { due: [{ code: "invalid", detail: "No date." }] } } }),
    ["Due: No date."],
  );
  assert.deepEqual(reasons({ mutation, problem: { code: "new_code", detail: "As told." } }), ["As told."]);
});

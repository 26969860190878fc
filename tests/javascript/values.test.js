/** Ids, JSON values, compaction, frames and events: what is decided without a store or a network. */

import assert from "node:assert/strict";
import test from "node:test";

import { errors } from "../../django_sync/static/django_sync/client.js";
import { toJson, isEqual } from "../../django_sync/static/django_sync/store/encoding.js";
import { compact, draft } from "../../django_sync/static/django_sync/store/compaction.js";
import { parseFrame, readFrame } from "../../django_sync/static/django_sync/net/frames.js";
import { newId, objectId } from "../../django_sync/static/django_sync/ids.js";
import { EventParser } from "../../django_sync/static/django_sync/net/connection.js";
import { logTo } from "../../django_sync/static/django_sync/log.js";
import { readPage } from "../../django_sync/static/django_sync/net/pages.js";

test("ids are UUIDs of version 7, in the order in which they were made", () => {
  const ids = Array.from({ length: 20_000 }, newId);
  assert.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)));
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(Math.abs(Number.parseInt(ids[0].replace("-", "").slice(0, 12), 16) - Date.now()) < 60_000);
});

test("an object's id is spelled one way, and nothing else passes", () => {
  const id = newId();
  assert.equal(objectId(id.toUpperCase()), id);
  for (const wrong of ["", "x", `{${id}}`, id.replaceAll("-", ""), 7, null]) {
    assert.throws(() => objectId(wrong), errors.Invalid);
  }
});

test("what JSON cannot say is refused, not changed", () => {
  assert.deepEqual(toJson({ a: 1, b: undefined, at: new Date(0) }), { a: 1, at: "1970-01-01T00:00:00.000Z" });
  for (const wrong of [{ a: NaN }, { a: [Infinity] }, { a: 1n }, { a: "\ud800" }, { a: () => 1 }, null, [], "x"]) {
    assert.throws(() => toJson(wrong), errors.Invalid, String(wrong));
  }
  assert.deepEqual(toJson({ a: "😀" }), { a: "😀" });
});

test("values are the same whatever the order of their members", () => {
  assert.ok(isEqual({ a: [1, { b: null }], c: "x" }, { c: "x", a: [1, { b: null }] }));
  for (const [one, other] of [[1, true], [0, null], [[], {}], [[1, 2], [2, 1]], [{ a: undefined }, { b: 1 }], ["1", 1]]) {
    assert.ok(!isEqual(one, other), JSON.stringify([one, other]));
  }
});

const entry = (op, more = {}) => ({ state: "new", op, objectId: "one", fields: {}, baseRevision: 3, epoch: "e", base: null, ...more });

test("only what was never sent is merged, and only where that passes nothing", () => {
  const update = draft("update", { b: 2 }, { baseRevision: 3, epoch: "e", base: { b: 1 } });
  const last = entry("update", { fields: { a: 1 }, base: { a: 0 } });
  assert.deepEqual(compact(update, last, [], false), {
    kind: "merge",
    draft: { op: "update", fields: { a: 1, b: 2 }, baseRevision: 3, epoch: "e", base: { a: 0, b: 1 } },
  });
  assert.equal(compact(update, { ...last, state: "sent" }, [], false).kind, "append");
  assert.equal(compact(update, last, [entry("update", { objectId: "two" })], false).kind, "append");
  assert.equal(compact({ ...update, baseRevision: 4 }, last, [], false).kind, "append");
  const made = entry("create", { fields: { a: 1 } });
  assert.equal(compact(update, made, [entry("create", { objectId: "two" })], false).kind, "merge");
  assert.equal(compact(update, made, [entry("create", { objectId: "two", fields: { of: "one" } })], false).kind, "append");
  assert.equal(compact(draft("update", { of: "two" }), made, [entry("create", { objectId: "two" })], false).kind, "append");
  assert.equal(compact(draft("delete", {}), made, [], false).kind, "cancel");
  assert.equal(compact(draft("delete", {}), made, [], true).kind, "append");
});

test("a page that is none of ours is no page; what is newer is skipped", () => {
  const page = { changes: [{ op: "newer", collection: "cards" }, { op: "begin", collection: "cards" }], cursor: "c", has_more: false, epoch: "e", later: 1 };
  const warned = [];
  logTo({ warn: (...warnings) => warned.push(warnings) });
  assert.deepEqual(readPage(page).changes, [{ op: "begin", collection: "cards" }]);
  assert.equal(warned.length, 1);
  for (const broken of [{}, { ...page, cursor: null }, { ...page, changes: {} }, { ...page, has_more: "yes" }, { ...page, changes: [{ op: "put", collection: "cards", id: "1" }] }, { ...page, changes: [7] }]) {
    assert.throws(() => readPage(broken), errors.Offline);
  }
});

test("frames: known ones are read, unknown ones skipped, broken ones end the line", () => {
  logTo({ warn: () => undefined });
  assert.deepEqual(readFrame({ type: "cursor", cursor: "c" }), { type: "cursor", cursor: "c" });
  assert.equal(readFrame({ type: "newer" }), null);
  assert.equal(readFrame({ type: "error", problem: { code: "cursor_expired" } }).error.constructor, errors.CursorExpired);
  for (const broken of [{ type: "cursor" }, { type: "welcome" }, { type: "changes", changes: 1 }, { type: "error" }]) {
    assert.throws(() => readFrame(broken), errors.Offline);
  }
  for (const text of ["", "[]", "{", "null", "7"]) assert.throws(() => parseFrame(text), errors.Offline);
});

test("events come out the same wherever the text is cut", () => {
  const text = ': hello\n\nevent: changes\ndata: {"a":\ndata: 1}\n\ndata: x\r\nid: 7\r\n\r\nevent: lost\n\nevent:cursor\rdata:{}\r\r';
  const whole = [
    { event: "changes", data: '{"a":\n1}' },
    { event: "message", data: "x" },
    { event: "cursor", data: "{}" },
  ];
  for (let cut = 0; cut <= text.length; cut++) {
    const events = new EventParser();
    const found = [...events.feed(text.slice(0, cut)), ...events.feed(text.slice(cut)), ...events.feed("\n")];
    assert.deepEqual(found, whole, `cut at ${cut}`);
  }
});

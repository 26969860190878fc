/** The link's table is the Python client's: tests/vectors/link.json checks both. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { errors } from "../../../django_sync/static/django_sync/client.js";
import { move, outcome, TABLE } from "../../../django_sync/static/django_sync/link/states.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/link.json", import.meta.url), "utf-8"));

test("each state and event leads where the vectors say", () => {
  for (const { state, event, to, act } of vectors) {
    assert.deepEqual(move(state, event), [to, act], `${state} x ${event}`);
  }
});

test("the table lists just the pairs of the vectors that move", () => {
  const states = new Set(vectors.map(({ state }) => state));
  assert.deepEqual(Object.keys(TABLE).sort(), [...states].sort());
  const pairs = Object.entries(TABLE).flatMap(([state, events]) => Object.keys(events).map((event) => `${state} ${event}`));
  const moving = vectors.filter(({ state, to, act }) => state !== to || act !== "go on");
  assert.deepEqual(pairs.sort(), moving.map(({ state, event }) => `${state} ${event}`).sort());
});

test("what a failure is to the link", () => {
  assert.equal(outcome(new errors.Offline()), "unreachable");
  assert.equal(outcome(new errors.NotAuthenticated()), "unauthorized");
  for (const kind of [errors.UpgradeRequired, errors.UnsupportedProtocol, errors.StoreMismatch]) {
    assert.equal(outcome(new kind()), "refused");
  }
  assert.equal(outcome(new errors.SessionEnded()), "ended");
  assert.equal(outcome(new errors.Blocked()), "blocked");
  for (const kind of [errors.Unavailable, errors.Throttled, errors.SyncError, errors.StorageFull]) {
    assert.equal(outcome(new kind()), "busy");
  }
});

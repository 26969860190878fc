/** When a socket's client acknowledges is as in the Python client: tests/vectors hold both to it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Acknowledgement } from "../../../django_sync/static/django_sync/net/acknowledgement.js";
import { readFrame } from "../../../django_sync/static/django_sync/net/frames.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/acknowledging.json", import.meta.url), "utf-8"));

for (const { told: name, window, heartbeat, steps } of vectors) {
  test(name, () => {
    const acknowledgement = new Acknowledgement(heartbeat, window);
    for (const { at, frames, at_once: atOnce = false, acknowledges, due } of steps) {
      acknowledgement.take(frames, at);
      assert.equal(acknowledgement.next(at, { atOnce }), acknowledges);
      const found = acknowledgement.dueAt();
      if (due === null) assert.equal(found, Infinity);
      else assert.ok(Math.abs(found - due) < 1e-9, `${found}, not ${due}`);
    }
  });
}

test("a window is read leniently", () => {
  for (const [given, window] of [[32, 32], [1, 1], [0, null], [-1, null], [true, null], ["8", null], [1.5, null]]) {
    assert.equal(readFrame({ type: "welcome", epoch: "e", window: given }).window, window);
  }
});

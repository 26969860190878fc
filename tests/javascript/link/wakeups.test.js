/** Wake-ups and the network are the Python client's tables: tests/vectors hold both to them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { NetworkMonitor } from "../../../django_sync/static/django_sync/net/network_monitor.js";
import { errors } from "../../../django_sync/static/django_sync/client.js";
import { differs, REACHABILITY, RoundTrip, UNKNOWN } from "../../../django_sync/static/django_sync/net/network_state.js";
import { concerns, readWakeUp, stateOf, TABLE } from "../../../django_sync/static/django_sync/link/wakeups.js";

const read = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf-8"));
const wakeups = read("wakeups");
const reach = read("reach");

test("what a wake-up does in each state is as the vectors say, and no pair is besides", () => {
  for (const { state, event, act } of wakeups.table) assert.equal(TABLE[state][event], act, `${state} x ${event}`);
  assert.equal(Object.values(TABLE).flatMap(Object.keys).length, wakeups.table.length);
});

test("how things stand is as the vectors say", () => {
  for (const { link, fed, state, ...network } of wakeups.stands) {
    assert.equal(stateOf(link, { ...UNKNOWN, ...network }, fed), state, JSON.stringify({ link, fed, network }));
  }
});

test("what is read of a payload is as the vectors say", () => {
  for (const { payload, times, read: wanted, concerns: its } of wakeups.payloads) {
    const found = readWakeUp(times === undefined ? payload : payload.repeat(times));
    assert.deepEqual(found, wanted, JSON.stringify(payload));
    assert.equal(found !== null && concerns(found, ["boards", "cards"]), its);
  }
});

test("whether the server can be had is as the vectors say", () => {
  for (const { state, event, to } of reach.table) assert.equal(REACHABILITY[state][event], to, `${state} x ${event}`);
  assert.equal(Object.values(REACHABILITY).flatMap(Object.keys).length, reach.table.length);
});

test("round trips are smoothed as the vectors say", () => {
  for (const { samples, srtt, rttvar, ms } of reach.round_trips) {
    const trip = samples.reduce((before, seconds) => before.sampled(seconds), new RoundTrip());
    assert.deepEqual([trip.srtt, trip.rttvar, trip.ms], [srtt, rttvar, ms], samples.join());
  }
  assert.equal(new RoundTrip().sampled(NaN).ms, null);
});

test("what is worth telling is as the vectors say", () => {
  const state = ({ rtt_ms: rttMs = null, ...more }) => ({ ...UNKNOWN, ...more, rttMs });
  for (const { told, now, differs: wanted } of reach.differs) {
    assert.equal(differs(state(told), state(now)), wanted, JSON.stringify({ told, now }));
  }
});

test("a page says only what it knows, and an answer shows that it was wrong", () => {
  const seen = [];
  const around = new NetworkMonitor((state) => seen.push(state));
  around.update({ type: "wifi", metered: true });
  around.recordAnswer(null);
  around.recordRoundTrip(0.2);
  const gone = around.update({ online: false });
  assert.deepEqual(gone, { type: "none", metered: true, rttMs: null, reachability: "unreachable", foreground: true });
  assert.equal(around.update({ type: "none" }), gone);
  assert.equal(around.update({ online: true }).type, "unknown");
  around.update({ online: false });
  around.recordAnswer(new errors.Throttled("busy"));
  assert.deepEqual([around.state.type, around.state.reachability], ["unknown", "reachable"]);
  around.recordAnswer(new errors.Captive("a portal"));
  assert.equal(around.state.reachability, "captive");
  around.recordAnswer(new errors.Offline("silence"));
  assert.equal(around.state.reachability, "unreachable");
  const before = around.state;
  assert.throws(() => around.update({ type: "wifi6", metered: false }), TypeError);
  assert.equal(around.state, before);
  const told = seen.length;
  around.update({});
  assert.equal(seen.length, told);
});

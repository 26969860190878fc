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
const reachVectors = read("reach");

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
  for (const { state, event, to } of reachVectors.table) assert.equal(REACHABILITY[state][event], to, `${state} x ${event}`);
  assert.equal(Object.values(REACHABILITY).flatMap(Object.keys).length, reachVectors.table.length);
});

test("round trips are smoothed as the vectors say", () => {
  for (const { samples, srtt, rttvar, ms } of reachVectors.round_trips) {
    const trip = samples.reduce((before, seconds) => before.sampled(seconds), new RoundTrip());
    assert.deepEqual([trip.srtt, trip.rttvar, trip.ms], [srtt, rttvar, ms], samples.join());
  }
  assert.equal(new RoundTrip().sampled(NaN).ms, null);
});

test("what is worth telling is as the vectors say", () => {
  const state = ({ rtt_ms: rttMs = null, ...more }) => ({ ...UNKNOWN, ...more, rttMs });
  for (const { told: reported, now, differs: wanted } of reachVectors.differs) {
    assert.equal(differs(state(reported), state(now)), wanted, JSON.stringify({ reported, now }));
  }
});

test("a page says only what it knows, and an answer shows that it was wrong", () => {
  const seen = [];
  const monitor = new NetworkMonitor((state) => seen.push(state));
  monitor.update({ type: "wifi", metered: true });
  monitor.recordAnswer(null);
  monitor.recordRoundTrip(0.2);
  const gone = monitor.update({ online: false });
  assert.deepEqual(gone, { type: "none", metered: true, rttMs: null, reachability: "unreachable", foreground: true });
  assert.equal(monitor.update({ type: "none" }), gone);
  assert.equal(monitor.update({ online: true }).type, "unknown");
  monitor.update({ online: false });
  monitor.recordAnswer(new errors.Throttled("busy"));
  assert.deepEqual([monitor.state.type, monitor.state.reachability], ["unknown", "reachable"]);
  monitor.recordAnswer(new errors.Captive("a portal"));
  assert.equal(monitor.state.reachability, "captive");
  monitor.recordAnswer(new errors.Offline("silence"));
  assert.equal(monitor.state.reachability, "unreachable");
  const before = monitor.state;
  assert.throws(() => monitor.update({ type: "wifi6", metered: false }), TypeError);
  assert.equal(monitor.state, before);
  const reported = seen.length;
  monitor.update({});
  assert.equal(seen.length, reported);
});

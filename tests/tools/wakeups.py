"""The page and the vectors of wake-ups, from the Python client's `network_state` and `wakeups`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django_sync.client.link import states, wakeups
from django_sync.client.net import network_state
from django_sync.client.net.network_state import Kind, NetworkState, Reachability, RoundTrip

from .listing import entries

DASH = "–"

Row = dict[str, Any]


# Vectors


def stands() -> list[Row]:
    """Every way in which things may stand."""
    ways = itertools.product(
        states.State, (False, True), ("none", "wifi"), Reachability, (False, True), (False, True)
    )
    return [
        {
            "link": state,
            "fed": fed,
            "type": kind,
            "reachability": reached,
            "metered": metered,
            "foreground": looked,
            "state": wakeups.state_of(
                state,
                NetworkState(Kind(kind), metered, None, reached, looked),
                fed=fed,
            ),
        }
        for state, fed, kind, reached, metered, looked in ways
    ]


SYNC = {"type": "sync", "session": "5f0c", "collections": ["cards"]}
PAYLOADS: list[Any] = [
    SYNC,
    json.dumps(SYNC),
    {**SYNC, "collections": ["cards", "boards"], "more": 1},
    {**SYNC, "collections": ["unknown"]},
    {**SYNC, "collections": []},
    {**SYNC, "collections": ["unknown", 7, None]},
    {**SYNC, "collections": "cards"},
    {**SYNC, "session": None},
    {"type": "sync"},
    {"type": "other"},
    {},
    [],
    [SYNC],
    None,
    7,
    "",
    "no JSON",
    "7",
    "null",
    '{"type": "sync"',
    '{"type": "sync", "collections": null}',
    "[" * 100_000,
]
"""Wake-ups, and what is none."""


def payload(told: Any) -> Row:
    found = wakeups.read(told)
    row: Row = {"payload": told, "read": None}
    if isinstance(told, str) and len(told) > 1_000:
        row["payload"], row["times"] = told[0], len(told)
    if found is not None:
        row["read"] = {"session": found.session, "collections": list(found.collections)}
    return {**row, "concerns": found is not None and found.concerns(["boards", "cards"])}


def wakeups_vectors() -> str:
    """The table of wake-ups, how things stand, and what is read, for clients in any language."""
    table = [
        {"state": state, "event": event, "act": act}
        for state, row in wakeups.TABLE.items()
        for event, act in row.items()
    ]
    return written({"table": table, "stands": stands(), "payloads": map(payload, PAYLOADS)})


TRIPS: list[list[float]] = [
    [0.1],
    [0.1, 0.1, 0.1],
    [0.05, 0.06, 0.04, 0.05, 10.0, 0.05],
    [2.5, 0.05, 0.05, 0.05],
    [0.1, 0.0, -3.0, 61.0, 10_800.0, 0.1],
    [60.0],
    [0.0002],
]
"""Seconds: steady, an outlier, one that sets up a connection, no round trips, the limits."""

TOLD: list[tuple[Row, Row]] = [
    ({}, {}),
    ({}, {"rtt_ms": 99}),
    ({}, {"rtt_ms": 100}),
    ({"rtt_ms": 50}, {"rtt_ms": 149}),
    ({"rtt_ms": 50}, {"rtt_ms": 150}),
    ({"rtt_ms": 400}, {"rtt_ms": 799}),
    ({"rtt_ms": 400}, {"rtt_ms": 800}),
    ({"rtt_ms": 800}, {"rtt_ms": 401}),
    ({"rtt_ms": 800}, {"rtt_ms": 400}),
    ({"rtt_ms": 800}, {}),
    ({"type": "wifi"}, {"type": "cellular"}),
    ({"metered": False}, {"metered": True}),
    ({"foreground": True}, {"foreground": False}),
    ({"reachability": "reachable"}, {"reachability": "captive"}),
]
"""What the server was told of the network, and what it is now."""


def network(told: Row) -> NetworkState:
    state = dict(told)
    if "type" in state:
        state["type"] = Kind(state["type"])
    if "reachability" in state:
        state["reachability"] = Reachability(state["reachability"])
    return NetworkState(**state)


def trip(samples: list[float]) -> Row:
    found = RoundTrip()
    for seconds in samples:
        found = found.sampled(seconds)
    return {"samples": samples, "srtt": found.srtt, "rttvar": found.rttvar, "ms": found.ms}


def reach_vectors() -> str:
    """The table of reachability, round trips, and what is worth telling."""
    table = [
        {"state": state, "event": event, "to": to}
        for state, row in network_state.REACHABILITY_TABLE.items()
        for event, to in row.items()
    ]
    differs = [
        {"told": told, "now": now, "differs": network_state.differs(network(told), network(now))}
        for told, now in TOLD
    ]
    return written({"table": table, "round_trips": map(trip, TRIPS), "differs": differs})


def written(parts: Mapping[str, Iterable[Row]]) -> str:
    """JSON with a line for each row."""
    lists = [
        f' "{name}": [\n  ' + ",\n  ".join(json.dumps(row) for row in rows) + "\n ]"
        for name, rows in parts.items()
    ]
    return "{\n" + ",\n".join(lists) + "\n}\n"


# The page


def text(notice: str) -> str:
    lines = [
        notice,
        "# Wake-ups and the network",
        "What a client does when a push comes, by the states of its [link](link.md) and of its "
        "network, and how it learns the state of the network. Both clients do the same: "
        "`tests/vectors/wakeups.json` and `tests/vectors/reach.json` test this. How-tos: "
        "[Wake a program](../howto/python-client/wake-ups.md), "
        "[Wake a page](../howto/web/browser-push.md), "
        "[The network](../howto/python-client/network.md).",
        entries(wakeups.State, "How things stand"),
        entries(wakeups.Event, "What happens"),
        entries(wakeups.Act, "What is done"),
        "## The table",
        grid(wakeups.Event, wakeups.TABLE),
        "In the diagram an arrow is what leads from one state to another, in short.",
        f"```mermaid\n{DIAGRAM}\n```",
        "## How long one is remembered",
        "It is written before it is acknowledged. It is deleted when a pull is complete whose last "
        "page was asked for after the wake-up; or, over a socket, stream or held request, when "
        "something came that way. It is a number in the store, so it survives a restart, and "
        "another process or tab on the same store may pull for it. Wake-ups that come while one "
        "waits for its request count as one. A failed pull is tried again like any exchange: "
        "after longer and longer waits, and not before `Retry-After`.",
        "## Whether the server can be had",
        entries(Reachability, "States of the network"),
        entries(network_state.Event, "What changes them"),
        grid(network_state.Event, network_state.REACHABILITY_TABLE, stays=True),
    ]
    return "\n\n".join(lines) + "\n"


def grid(events: Any, table: Mapping[Any, Mapping[Any, Any]], *, stays: bool = False) -> str:
    """Row: how things stand; column: what happens."""
    rows = ["| | " + " | ".join(f"`{event}`" for event in events) + " |"]
    rows.append("| --- |" + " --- |" * len(events))
    for state, row in table.items():
        told = [DASH if stays and row[e] is state else f"`{row[e]}`" for e in events]
        rows.append(f"| `{state}` | " + " | ".join(told) + " |")
    note = f"{DASH} means that it stays.\n\n" if stays else ""
    return note + "\n".join(rows)


DIAGRAM = """stateDiagram-v2
    [*] --> stopped
    stopped --> under_way: start
    under_way --> fed: in step, over a connection or a held request
    under_way --> asking: in step, by polls
    under_way --> put_off: busy
    under_way --> barred: not let in
    under_way --> unreachable: no answer
    under_way --> captive: a portal answers
    asking --> under_way: a wake-up; a poll is due
    asking --> dear: metered, and nobody looks
    dear --> asking: somebody looks, or it costs nothing
    dear --> under_way: the next poll
    fed --> unreachable: the connection breaks
    fed --> gone: the program says so
    asking --> gone: the program says so
    gone --> under_way: the network is back
    unreachable --> under_way: a first wake-up; time; the network is back
    captive --> under_way: time; the network is back
    put_off --> under_way: when it is time
    barred --> under_way: new credentials"""

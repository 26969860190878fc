"""Chromium: a first pull, what of it is the client's own, and filters over what it brought.

The browser's cost is that of all its processes. Needs Playwright for Python and Chromium; without
them there are no lines.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import browser
from tests.benchmarks.first_pull import cpu, filled
from tests.benchmarks.measure import Cost, Line, Within, say

GOAL = 4 / 61_549
"""Seconds a record."""
FILTER = 0.1
"""Seconds."""


def lines(database: str, records: int, times: int) -> Iterator[Line]:
    if importlib.util.find_spec("playwright") is None or not Path(browser.CHROMIUM).exists():
        say("Chromium was NOT measured: there is no Playwright, or no Chromium")
        return
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("sqlite"):
        del os.environ["DATABASE_URL"]  # the example has one of its own
    try:
        with filled("asgi", records) as (pid, port, _, _):
            yield from _pulls(database, records, pid, port)
            yield from _filters(database, records, times, port)
    finally:
        os.environ["DATABASE_URL"] = url


def _pulls(database: str, records: int, pid: int, port: int) -> Iterator[Line]:
    with browser.chromium(port) as page:
        asked = {"transport": "websocket", "frames": False}
        pulled = spent(page, browser.PULL, asked, pid)
        bound = flat(GOAL * records)
        yield Line(
            database,
            "browser, first pull",
            records,
            "record",
            "4 s for 61,549",
            bound,
            pulled,
            Within(bound.wall),
        )
        page.evaluate(browser.FETCH)
        ready = spent(page, browser.READY, {"indexes": {}})
        floor = spent(page, browser.FLOOR, None)
        against = "JSON parsed, a row a page"
        yield Line(database, "browser, ready pages", records, "record", against, floor, ready, None)


def _filters(database: str, records: int, times: int, port: int) -> Iterator[Line]:
    with browser.chromium(port) as page:
        page.evaluate(browser.FETCH)
        page.evaluate(browser.READY, {"indexes": browser.INDEXES})
        seconds = browser.filters(page, times)
    by_index, scan = (flat(seconds[of]["median"]) for of in ("title", "scan"))
    yield Line(database, "browser, filter by an index", 1, "filter", "a scan", scan, by_index, None)
    for name, found in (
        ("browser, filter by an index, limit", by_index),
        ("browser, first 20 in order", flat(seconds["order"]["median"])),
        ("browser, filter in a page just opened", flat(seconds["reopened"]["first"])),
    ):
        yield Line(database, name, 1, "filter", "0.1 s", flat(FILTER), found, Within(FILTER))


def flat(seconds: float) -> Cost:
    """A cost of which only the time is known."""
    return Cost(seconds, seconds, 0)


def spent(page: Any, script: str, asked: Any, pid: int | None = None) -> Cost:
    """The seconds that a script reports, and the browser's CPU time without the server's."""
    server, client = cpu(pid) if pid else 0.0, browser.cpu_of_children()
    result = page.evaluate(script, asked)
    client = browser.cpu_of_children() - client
    return Cost(result["seconds"], client, cpu(pid) - server if pid else 0.0)

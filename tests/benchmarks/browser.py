"""A new client's first pull in Chromium: seconds until all is in IndexedDB, and how the page feels.
Then the same pages from memory, which is what of it is the client's; and filters over the records.

    python -m tests.benchmarks.browser [--records 61549] [--transport websocket]

Needs Playwright for Python and Debian's Chromium. Runs the example under uvicorn in a process of
its own on a database of its own (as ``first_pull``), opens a page with the client in it, and counts
the page's long tasks (above 50 ms), the longest gap between two frames, and its heap. Then one
change is made over REST, and the milliseconds are told from its request to the live query that
shows it. The figures are this machine's.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.first_pull import ROOT, cpu, filled, memory

CHROMIUM = "/usr/bin/chromium"
STATIC = ROOT / "django_sync" / "static"
PULL = """async ({ transport, frames }) => {
  const { SyncClient, TokenAuth } = await import("/static/django_sync/client.js");
  const long = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) long.push(entry.duration);
  }).observe({ type: "longtask", buffered: true });
  let [gap, last, heap, running] = [0, performance.now(), 0, true];
  const frame = (now) => {
    gap = Math.max(gap, now - last);
    last = now;
    heap = Math.max(heap, performance.memory.usedJSHeapSize);
    if (running) requestAnimationFrame(frame);
  };
  if (frames) requestAnimationFrame(frame); // drawing has a cost of its own
  const client = (window.client = await SyncClient.open("/sync/", {
    store: "bench", collections: ["boards", "labels", "cards", "comments"],
    auth: new TokenAuth("bench", { user: "bench" }), transports: [transport],
  }));
  const began = performance.now();
  client.start();
  await client.waitUntilSynced({ timeout: 600 });
  const seconds = (performance.now() - began) / 1000;
  running = false;
  const cards = client.collection("cards");
  const counted = performance.now();
  const records = await cards.count();
  const one = (await cards.filter({ title: "Card number 7" }))[0];
  const scan = performance.now() - counted;
  return {
    seconds, records, storage: client.storage.kind, long_tasks: long.length,
    longest_task_ms: Math.max(0, ...long), longest_frame_gap_ms: gap, heap_peak_mib: heap / 2 ** 20,
    count_and_scan_ms: scan, id: one.id, revision: one.revision,
  };
}"""
CHANGE = """async ({ id, times }) => {
  const client = window.client;
  const until = async (holds) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await until(() => client.status.link === "live" && client.status.transport !== null);
  let [shown, before] = [null, 0];
  const query = client.collection("cards").live((record) => record.id === id, ([found]) => {
    shown = found.object.votes;
  });
  await until(() => shown !== null);
  const asked = { headers: { Authorization: "Token bench", "Content-Type": "application/json" } };
  const url = `/sync/cards/${id}/`;
  const found = [];
  for (let number = 1; number <= times; number++) {
    const tag = (await fetch(url, asked)).headers.get("ETag");
    const began = performance.now();
    const body = JSON.stringify({ object: { votes: number } });
    const headers = { ...asked.headers, "If-Match": tag };
    const answered = fetch(url, { method: "PATCH", headers, body });
    await until(() => shown === number);
    found.push(performance.now() - began);
    if (!(await answered).ok) throw new Error("refused");
  }
  query.stop();
  return { transport: client.status.transport, late: found.sort((one, other) => one - other) };
}"""


FETCH = """async () => {
  const whose = { headers: { Authorization: "Token bench" } };
  const collections = ["boards", "labels", "cards", "comments"];
  window.service = await (await fetch("/sync/", whose)).text();
  window.pages = new Map();
  for (let [cursor, more] = ["", true]; more; ) {
    const asked = new URLSearchParams({ collections, ...(cursor && { cursor }) });
    const text = await (await fetch(`/sync/changes/?${asked}`, whose)).text();
    window.pages.set(cursor, text);
    ({ cursor, has_more: more } = JSON.parse(text));
  }
}"""
READY = """async ({ indexes }) => {
  const { SyncClient, TokenAuth } = await import("/static/django_sync/client.js");
  const { pages, service } = window;
  const [last] = [...pages.values()].slice(-1);
  const end = JSON.stringify({ ...JSON.parse(last), changes: [] });
  const json = { headers: { "Content-Type": "application/json" } };
  const answer = (url, { method }) => {
    if (method === "POST") return '{"results": []}';
    if (!url.pathname.endsWith("/changes/")) return service;
    return pages.get(url.searchParams.get("cursor") ?? "") ?? end;
  };
  const client = (window.ready = await SyncClient.open("/sync/", {
    store: "ready", collections: ["boards", "labels", "cards", "comments"], indexes,
    auth: new TokenAuth("bench", { user: "bench" }),
    fetch: async (...asked) => new Response(answer(...asked), json),
  }));
  const began = performance.now();
  await client.sync();
  const seconds = (performance.now() - began) / 1000;
  return { seconds, records: await client.collection("cards").count() };
}"""
FLOOR = """async () => {
  const told = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const opening = indexedDB.open("floor", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("pages", { keyPath: "cursor" });
  const db = await told(opening);
  const began = performance.now();
  for (const text of window.pages.values()) {
    const { cursor, changes } = JSON.parse(text);
    const tx = db.transaction("pages", "readwrite", { durability: "relaxed" });
    const objects = changes.map((change) => JSON.stringify(change.object ?? null));
    tx.objectStore("pages").put({ cursor, objects });
    await new Promise((resolve, reject) => {
      tx.oncomplete = resolve;
      tx.onabort = () => reject(tx.error);
    });
  }
  const seconds = (performance.now() - began) / 1000;
  db.close();
  return { seconds };
}"""
FILTER = """async ({ times, where, ordering }) => {
  const cards = window.ready.collection("cards");
  const found = [];
  let records = 0;
  for (let turn = 0; turn < times; turn++) {
    const began = performance.now();
    records = (await cards.filter(where, ordering)).length;
    found.push((performance.now() - began) / 1000);
  }
  return { first: found[0], median: found.sort((one, other) => one - other)[times >> 1], records };
}"""
REOPEN = """async ({ indexes }) => {
  const { SyncClient, TokenAuth } = await import("/static/django_sync/client.js");
  window.ready = await SyncClient.open("/sync/", {
    store: "ready", collections: ["boards", "labels", "cards", "comments"], indexes,
    auth: new TokenAuth("bench", { user: "bench" }),
  });
}"""
INDEXES = {"cards": ["title", "position"]}


def _static(route: Any) -> None:
    """The client's own files, which a web server would have; DEBUG is off."""
    path = STATIC / route.request.url.split("/static/")[1]
    if path.is_file():
        route.fulfill(path=path)
    else:
        route.abort()


def cpu_of_children() -> float:
    """CPU seconds so far of all processes below this one that are there still: the browser's."""
    below: dict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        below[int(fields[1])].append(int(path.parent.name))
    found, todo = 0.0, below[os.getpid()][:]
    while todo:
        pid = todo.pop()
        todo += below[pid]
        try:
            found += cpu(pid)
        except OSError:
            continue
    return found


@contextmanager
def chromium(port: int) -> Iterator[Any]:
    """A page of the server's origin, to which our files are served."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--enable-precise-memory-info"],
        )
        page = browser.new_page()
        page.route("**/static/**", _static)
        page.goto(f"http://127.0.0.1:{port}/admin/login/")  # any page of that origin
        yield page
        browser.close()


def measured(page: Any, transport: str, times: int) -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate(PULL, {"transport": transport, "frames": True})
    changed = page.evaluate(CHANGE, {"id": told.pop("id"), "times": times})
    late, told["transport"] = changed["late"], changed["transport"]
    told["change_ms"] = {"p50": late[len(late) // 2], "longest": late[-1]}
    page.evaluate("() => window.client.close()")
    return told


def filters(page: Any, times: int) -> dict[str, Any]:
    """A title and the first of an order, warm; a title in a client just opened, and by a scan."""
    title = {"times": times, "where": {"title": "Card number 7"}}
    first = {"times": times, "where": {}, "ordering": {"orderBy": "-title", "limit": 20}}
    told = {"title": page.evaluate(FILTER, title), "order": page.evaluate(FILTER, first)}
    page.evaluate(REOPEN, {"indexes": INDEXES})
    told["reopened"] = page.evaluate(FILTER, title | {"times": 1})
    page.evaluate(REOPEN, {"indexes": {}})
    told["scan"] = page.evaluate(FILTER, title)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=61_549)
    parser.add_argument("--transport", default="websocket")
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    with filled("asgi", asked.records) as (pid, port, _, _):
        with chromium(port) as page:
            spent = cpu(pid)
            told = measured(page, asked.transport, asked.times)
            told["server_cpu_s"] = cpu(pid) - spent
            told["server_peak_mib"] = memory(pid)[1]
            page.evaluate(FETCH)
            told["ready_pages"] = page.evaluate(READY, {"indexes": {}})
            told["floor"] = page.evaluate(FLOOR)
        with chromium(port) as page:
            page.evaluate(FETCH)
            told["ready_pages_indexed"] = page.evaluate(READY, {"indexes": INDEXES})
            told["filters"] = filters(page, asked.times)
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()

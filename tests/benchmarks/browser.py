"""A new client's first pull in Chromium: seconds until all is in IndexedDB, and how the page feels.

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
from typing import Any

from tests.benchmarks.first_pull import ROOT, cpu, filled, memory

CHROMIUM = "/usr/bin/chromium"
STATIC = ROOT / "django_sync" / "static"
PULL = """async ({ transport }) => {
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
  requestAnimationFrame(frame);
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


def _static(route: Any) -> None:
    """The client's own files, which a web server would have; DEBUG is off."""
    path = STATIC / route.request.url.split("/static/")[1]
    if path.is_file():
        route.fulfill(path=path)
    else:
        route.abort()


def measured(port: int, transport: str, times: int) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--enable-precise-memory-info"],
        )
        page = browser.new_page()
        page.route("**/static/**", _static)
        page.goto(f"http://127.0.0.1:{port}/admin/login/")  # any page of that origin
        told: dict[str, Any] = page.evaluate(PULL, {"transport": transport})
        changed = page.evaluate(CHANGE, {"id": told.pop("id"), "times": times})
        late, told["transport"] = changed["late"], changed["transport"]
        told["change_ms"] = {"p50": late[len(late) // 2], "longest": late[-1]}
        browser.close()
        return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=61_549)
    parser.add_argument("--transport", default="websocket")
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    with filled("asgi", asked.records) as (pid, port, _, _):
        spent = cpu(pid)
        told = measured(port, asked.transport, asked.times)
        told["server_cpu_s"] = cpu(pid) - spent
        told["server_peak_mib"] = memory(pid)[1]
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()

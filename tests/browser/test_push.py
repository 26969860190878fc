"""Pushes in a real browser: delivered by its debugger, so that no vendor's push service is needed.

The page's subscription is made up; all else is the browser's own: the service worker, which runs
as a module, IndexedDB, notifications, Web Locks between page and worker.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.benchmarks.first_pull import ROOT, environment, free_port, server

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
DEADLINE = 30.0

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]

SUBSCRIBES = """
let made = null;
PushManager.prototype.getSubscription = async () => made;
PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
  if (!userVisibleOnly) throw new DOMException("not so", "NotAllowedError");
  const keys = { p256dh: "p", auth: "a" };
  const told = { endpoint: "https://push.invalid/1", expirationTime: null, keys };
  const unsubscribe = async () => (made = null);
  made = { toJSON: () => told, options: { applicationServerKey }, unsubscribe };
  return made;
};
"""

STORED = """async () => {
  const opened = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const db = await opened(indexedDB.open("django_sync boards-ada"));
  const tx = db.transaction(["records", "meta"]);
  const rows = await opened(tx.objectStore("records").getAll());
  const meta = await opened(tx.objectStore("meta").get("state"));
  db.close();
  return { titles: rows.map((row) => row.object.title ?? null), meta };
}"""

VISIBLE = """async () => {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return windows.filter((one) => one.visibilityState === "visible").length;
}"""
SHOWN = """async () => {
  const shown = await self.registration.getNotifications();
  return shown.map(({ title, body, tag }) => ({ title, body, tag }));
}"""


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("push")
    env = environment(folder) | {
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "DEBUG": "1",
    }
    manage = [sys.executable, str(ROOT / "example_project" / "manage.py")]
    for command in (["migrate", "--verbosity", "0"], ["seed"]):
        subprocess.run([*manage, *command], env=env, check=True, capture_output=True)
    port = free_port()
    with server("asgi", port, env | {"DJANGO_SETTINGS_MODULE": "tests.browser.push_settings"}):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def chromium(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One for all: it takes seconds to start.

    It has a profile, for windows without one, Playwright's usual ones, show no notifications.
    """
    context = browser.browser_type.launch_persistent_context(
        str(tmp_path_factory.mktemp("profile")),
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--disable-dev-shm-usage"],
    )
    context.add_init_script(SUBSCRIBES)
    yield context
    context.close()


@pytest.fixture
def context(chromium: Any, site: str) -> Iterator[Any]:
    """Ada is signed in, and has said yes to notifications; afterwards nothing of it is left."""
    chromium.grant_permissions(["notifications"], origin=site)
    request = chromium.request
    request.get(f"{site}/login/")
    [token] = [one["value"] for one in chromium.cookies() if one["name"] == "csrftoken"]
    form = {"username": "ada", "password": "ada-demo", "csrfmiddlewaretoken": token}
    assert request.post(f"{site}/login/", form=form, max_redirects=0).status == 302
    yield chromium
    last = chromium.new_page()
    for page in chromium.pages:
        if page is not last:
            page.close()
    everything = {"origin": site, "storageTypes": "all"}
    chromium.new_cdp_session(last).send("Storage.clearDataForOrigin", everything)
    chromium.clear_cookies()


class Browser:
    """The board's page while it is open, and another page of the site, from which to look."""

    def __init__(self, context: Any, site: str) -> None:
        self.site = site
        self.context = context
        self.beside = context.new_page()
        self.beside.goto(f"{site}/plain/")
        self._cdp = context.new_cdp_session(self.beside)
        self._registrations: list[dict[str, Any]] = []
        self._cdp.on("ServiceWorker.workerRegistrationUpdated", self._registered)
        self._cdp.send("ServiceWorker.enable")
        self.board: Any = None

    def _registered(self, event: dict[str, Any]) -> None:
        self._registrations += event["registrations"]

    def open(self) -> Any:
        self.board = self.context.new_page()
        self.board.goto(f"{self.site}/")
        self.board.locator("#status[data-link=live]").wait_for()
        ready = "() => navigator.serviceWorker.ready.then((one) => one.active.scriptURL)"
        assert self.board.evaluate(ready).endswith("?module")
        return self.board

    def ask_to_be_woken(self) -> None:
        self.board.locator("#person summary").click()
        button = self.board.locator("#person .waking button")
        button.click()
        self.board.locator("#person .waking button[aria-pressed=true]").wait_for()

    def close(self) -> None:
        self.board.close()

    def push(self, payload: Any) -> None:
        [found] = {
            r["registrationId"]: r for r in self._registrations if not r["isDeleted"]
        }.values()
        self._cdp.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self.site,
                "registrationId": found["registrationId"],
                "data": payload if isinstance(payload, str) else json.dumps(payload),
            },
        )

    def look_away(self) -> None:
        """No window shows the site: the one from which the test looks goes elsewhere."""
        self.beside.goto("about:blank")
        worker = self.context.service_workers[-1]
        until(lambda: not worker.evaluate(VISIBLE), "the worker sees no window of the site")

    def stored(self) -> dict[str, Any]:
        found: dict[str, Any] = self.beside.evaluate(STORED)
        return found

    def shown(self) -> list[dict[str, str]]:
        """The notifications, as the worker itself knows them."""
        worker = self.context.service_workers[-1]
        found: list[dict[str, str]] = worker.evaluate(SHOWN)
        return found

    def owed(self) -> bool:
        wakes = self.stored()["meta"].get("wakes") or {"woken": 0, "served": 0}
        return bool(wakes["woken"] > wakes["served"])


@pytest.fixture
def woken(context: Any, site: str) -> Browser:
    return Browser(context, site)


def edit(site: str, title: str) -> None:
    """Grace adds a card to the board that Ada sees."""

    def ask(path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{site}/sync/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Token demo-grace", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    boards = ask("boards/")["results"]
    [board] = [record for record in boards if record["object"]["name"] == "Launch"]
    ask("cards/", {"id": str(uuid.uuid4()), "object": {"board": board["id"], "title": title}})


def wake_up(woken: Browser) -> dict[str, Any]:
    session = woken.stored()["meta"]["session"]
    return {"type": "sync", "session": session, "collections": ["cards"]}


def test_a_push_is_pulled_while_no_page_is_open_and_shown_as_was_asked(
    woken: Browser, site: str
) -> None:
    woken.open()
    woken.ask_to_be_woken()
    push = wake_up(woken)
    kept = woken.stored()["meta"]["push"]
    assert kept["subscription"]["endpoint"] == "https://push.invalid/1"
    woken.close()
    edit(site, "while it was closed")
    assert "while it was closed" not in woken.stored()["titles"]

    woken.push(push)

    until(lambda: "while it was closed" in woken.stored()["titles"], "IndexedDB holds the edit")
    until(lambda: not woken.owed(), "it is seen to")
    # The page beside is in sight, so nothing is shown.
    assert woken.shown() == []


def test_a_page_that_is_closed_says_so(woken: Browser, site: str) -> None:
    """Else nobody would be woken until the session is idle, minutes later."""

    def session() -> dict[str, Any]:
        request = urllib.request.Request(
            f"{site}/sync/sessions/", headers={"Authorization": "Token demo-ada"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = {one["id"]: one for one in json.load(answer)["results"]}
        found: dict[str, Any] = told[woken.stored()["meta"]["session"]]
        return found

    woken.open()
    woken.ask_to_be_woken()
    until(lambda: "push" in session()["transports"], "the server knows how to wake it")
    assert session()["foreground"] is True
    woken.close()
    until(lambda: not session()["foreground"], "the server knows that it has gone")


def test_a_notification_is_shown_where_nobody_looks(woken: Browser, site: str) -> None:
    woken.open()
    woken.ask_to_be_woken()
    push = wake_up(woken)
    woken.close()
    edit(site, "shown")
    woken.look_away()

    woken.push(push)

    [shown] = until(woken.shown, "a notification is shown")
    assert shown["title"] == "Boards"
    assert shown["tag"] == "django_sync boards-ada"
    woken.beside.goto(f"{site}/plain/")
    assert "shown" in woken.stored()["titles"]
    woken.push(push)  # once more, with nothing new
    until(lambda: not woken.owed(), "it is seen to")
    assert len(woken.shown()) == 1


def test_an_open_page_that_is_live_is_told_and_the_worker_asks_nothing(
    woken: Browser, site: str
) -> None:
    board = woken.open()
    pulls: list[str] = []
    sockets: list[str] = []

    def seen(request: Any) -> None:
        if "/changes/" in request.url:
            pulls.append(request.url)

    woken.context.on("request", seen)
    board.on("websocket", lambda socket: sockets.append(socket.url))
    woken.ask_to_be_woken()
    # The server is told, for which the link begins anew.
    until(lambda: board.wait_for_timeout(20) or (pulls and sockets), "it is live again")
    pulls.clear()
    woken.push(wake_up(woken))
    until(lambda: "wakes" in woken.stored()["meta"], "it is remembered")
    edit(site, "over the socket")
    board.get_by_text("over the socket").wait_for()
    until(lambda: not woken.owed(), "what came over the socket settles it")
    assert pulls == []
    assert woken.shown() == []
    woken.context.remove_listener("request", seen)


def test_what_is_no_wake_up_or_was_not_asked_for_is_passed_by(woken: Browser, site: str) -> None:
    woken.open()
    push = wake_up(woken)
    woken.close()
    edit(site, "not asked for")
    for payload in ("", "no JSON", {"type": "other"}, push):
        woken.push(payload)
    woken.open()
    woken.board.get_by_text("not asked for").wait_for()
    assert "wakes" not in woken.stored()["meta"]
    assert woken.shown() == []

"""The same client in other browsers: Firefox and WebKit, as Debian has them.

Firefox asks its user before storage lasts; neither has ``navigator.connection``; each has an
IndexedDB, a service worker and a way to end a page of its own. Chromium alone would hide that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import firefox, webkit
from .agreement import agrees
from .site import Board, Site, until
from .window import KEPT, SEEN

TITLES = "() => [...document.querySelectorAll('.card:not(.ghost) .open')].map((e) => e.textContent)"
STATUS = "() => ({...document.querySelector('#status')?.dataset})"
ADD = """(column, title) => {
  const place = document.querySelector(`.column[data-column=${column}]`);
  place.querySelector("[data-do=add]").click();
  const input = place.querySelector("[name=title]");
  input.value = title;
  input.form.requestSubmit();
}"""
LISTENS = """() => {
  globalThis.errorsOfThisPage ??= [];
  for (const kind of ["error", "unhandledrejection"]) {
    addEventListener(kind, (event) => errorsOfThisPage.push(String(event.reason ?? event.message)));
  }
}"""
SIGN_IN = """(name) => [...document.querySelectorAll("button")]
  .find((button) => button.textContent === name).click()"""


Page = firefox.FirefoxPage | webkit.WebKitPage


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A browser: it makes profiles, and pages in them."""
    if request.param == "firefox" and firefox.FIREFOX is None:
        pytest.skip("no firefox-esr or firefox on the PATH")
    if request.param == "webkit" and not (webkit.DRIVER and webkit.SCREEN and webkit.BROWSER):
        pytest.skip("no WebKitWebDriver, Xvfb or MiniBrowser: apt install webkit2gtk-driver xvfb")
    kind = {"firefox": firefox.running, "webkit": webkit.running}[request.param]
    with kind(tmp_path_factory.mktemp(request.param)) as found:
        yield found


class Tab:
    """A tab of the board; ``agreement`` looks at it as at one in Chromium."""

    def __init__(self, page: Page, site: Site, user: str, board: Board) -> None:
        self.page = page
        self.site = site
        self.user = user
        self.board = board
        page.ask(LISTENS)

    def reload(self) -> None:
        self.page.reload()
        self.page.ask(LISTENS)

    def stands(self, **wanted: str) -> None:
        """Wait until its status is so."""

        def met() -> bool:
            told = self.page.ask(STATUS)
            return all(told.get(name) == value for name, value in wanted.items())

        until(met, lambda: f"{wanted} of {self.user}; it is {self.page.ask(STATUS)}")

    def shows(self, title: str) -> None:
        until(lambda: title in self.page.ask(TITLES), f"{self.user} sees “{title}”")

    def add(self, column: str, title: str) -> None:
        self.page.ask(ADD, column, title)
        self.shows(title)

    def kept(self) -> Any:
        store = self.page.ask("() => document.querySelector('#main').dataset.store")
        return self.page.ask(KEPT, store)

    def seen(self) -> Any:
        return self.page.ask(SEEN)


def tab_of(browser: Any, profile: Any, site: Site, user: str, board: Board) -> Tab:
    page = browser.page(profile, f"{site.url}/?board={board.id}")
    if page.ask("() => document.querySelector('#main')?.dataset.store ?? null") is None:
        page.ask(SIGN_IN, user.title())
        until(lambda: page.ask("() => Boolean(document.querySelector('#status'))"), "is signed in")
        page.go(f"{site.url}/?board={board.id}")
    return Tab(page, site, user, board)


def agree(*tabs: Tab) -> None:
    for tab in tabs:
        tab.stands(link="live", pending="0")
        agrees(tab)
        assert tab.page.ask("() => errorsOfThisPage") == []


def test_two_people_a_server_that_goes_and_a_second_tab(
    other: Any, site: Site, board: Board
) -> None:
    adas = other.profile()
    ada = tab_of(other, adas, site, "ada", board)
    grace = tab_of(other, other.profile(), site, "grace", board)
    ada.stands(link="live", pending="0")
    grace.stands(link="live", pending="0")

    ada.add("todo", "From Firefox")
    grace.shows("From Firefox")
    agree(ada, grace)

    until(lambda: ada.page.ask("() => Boolean(navigator.serviceWorker.controller)"), "the worker")
    site.kill()
    ada.stands(link="offline")
    ada.add("todo", "While the server was away")
    ada.stands(pending="1")
    ada.reload()
    ada.shows("While the server was away")
    ada.stands(pending="1")
    site.start()
    grace.shows("While the server was away")
    agree(ada, grace)

    second = tab_of(other, adas, site, "ada", board)
    second.shows("While the server was away")
    second.add("doing", "From the second tab")
    ada.shows("From the second tab")
    grace.shows("From the second tab")
    agree(ada, grace, second)

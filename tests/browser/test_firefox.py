"""The same client in another browser: Firefox, as Debian has it.

It asks its user before storage lasts, has no ``navigator.connection``, and fires ``versionchange``,
``pagehide`` and its worker's events in an order of its own; Chromium alone would hide all of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .agreement import agrees
from .firefox import FIREFOX, Firefox, FirefoxPage, running
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
SIGN_IN = """(name) => [...document.querySelectorAll("button")]
  .find((button) => button.textContent === name).click()"""


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    if FIREFOX is None:
        pytest.skip("no firefox-esr or firefox on the PATH")
    with running(tmp_path_factory.mktemp("firefox")) as found:
        yield found


class Tab:
    """A tab of the board; ``agreement`` looks at it as at one in Chromium."""

    def __init__(self, page: FirefoxPage, site: Site, user: str, board: Board) -> None:
        self.page = page
        self.site = site
        self.user = user
        self.board = board

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


def tab_of(firefox: Firefox, profile: str, site: Site, user: str, board: Board) -> Tab:
    page = firefox.page(profile, f"{site.url}/?board={board.id}")
    if page.ask("() => document.querySelector('#main')?.dataset.store ?? null") is None:
        page.ask(SIGN_IN, user.title())
        until(lambda: page.ask("() => Boolean(document.querySelector('#status'))"), "is signed in")
        page.go(f"{site.url}/?board={board.id}")
    return Tab(page, site, user, board)


def agree(*tabs: Tab) -> None:
    for tab in tabs:
        tab.stands(link="live", pending="0")
        agrees(tab)


def test_two_people_a_server_that_goes_and_a_second_tab(
    firefox: Firefox, site: Site, board: Board
) -> None:
    adas = firefox.profile()
    ada = tab_of(firefox, adas, site, "ada", board)
    grace = tab_of(firefox, firefox.profile(), site, "grace", board)
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
    ada.page.reload()
    ada.shows("While the server was away")
    ada.stands(pending="1")
    site.start()
    grace.shows("While the server was away")
    agree(ada, grace)

    other = tab_of(firefox, adas, site, "ada", board)
    other.shows("While the server was away")
    other.add("doing", "From the second tab")
    ada.shows("From the second tab")
    grace.shows("From the second tab")
    agree(ada, grace, other)
    assert firefox.errors == []

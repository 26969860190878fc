"""A browser, a site, and windows of its users."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .site import Board, Site

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

HERE = Path(__file__).parent
CARDS = {"todo": ["Grind", "Weld", "Paint"], "doing": ["Measure"]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it is slow: a minute, of which `make test` has one and `make matrix` none."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One for all: it takes a second to start. Playwright's loop ends with the last test here."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH, and CHROMIUM names none")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        # Within a container there is neither a sandbox nor much of /dev/shm.
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.stop()


@pytest.fixture
def site(served: Site) -> Iterator[Site]:
    """It serves, whatever the test before has done to it."""
    if not served.is_up:
        served.start()
    yield served
    served.forget_boards()
    for path in [path for path in served.files.rglob("*") if path.is_file()]:
        path.unlink()


@pytest.fixture
def board(site: Site, request: pytest.FixtureRequest) -> Board:
    """One for this test alone."""
    return site.new_board(f"test {request.node.name}"[:120], CARDS)


@pytest.fixture
def contexts(browser: Any, site: Site) -> Iterator[Callable[..., Any]]:
    """Makes browsers of their own, as it were: each with its cookies, its store, its network."""
    made: list[Any] = []

    def new(**options: Any) -> Any:
        # Most tests are about the page; a service worker would fetch all its files once more.
        wanted = {"service_workers": "block", "viewport": {"width": 1200, "height": 800}} | options
        context = browser.new_context(**wanted)
        made.append(context)
        sign_in(context, site)
        return context

    yield new
    for context in made:
        context.close()


@pytest.fixture
def window(contexts: Callable[..., Any], site: Site, board: Board) -> Callable[..., Any]:
    """Opens a window of Ada's, or as somebody else, in a browser of its own or in a given one."""
    from .window import Window

    def opened(user: str = "ada", context: Any = None, **options: Any) -> Window:
        at = "/" if user == "ada" else f"/as/{user}/"
        return Window((context or contexts(**options)).new_page(), site, user, board, at)

    return opened


def sign_in(context: Any, site: Site, name: str = "ada") -> None:
    """By the form, past the page: its cookies are the browser's then."""
    request = context.request
    request.get(f"{site.url}/login/")
    [token] = [one["value"] for one in context.cookies() if one["name"] == "csrftoken"]
    form = {"username": name, "password": f"{name}-demo", "csrfmiddlewaretoken": token}
    answer = request.post(f"{site.url}/login/", form=form, max_redirects=0)
    assert answer.status == 302

"""A tab closed in the middle of an upload and opened again: nothing is lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .agreement import agree
from .site import Site, until
from .window import Window, expect


class Wire:
    """The page's socket, by a hand that can hold it on either way."""

    def __init__(self) -> None:
        self.sent = False
        self.holds: str = ""

    def __call__(self, route: Any) -> None:
        server = route.connect_to_server()

        def up(message: str) -> None:
            if '"mutate"' in message:
                self.sent = True
            if self.holds != "up":
                server.send(message)

        def down(message: str) -> None:
            if self.holds != "down":
                route.send(message)

        route.on_message(up)
        server.on_message(down)


@contextmanager
def held(how: str, wire: Wire, site: Site) -> Iterator[None]:
    """The upload does not arrive, is being worked on, or its answer does not arrive."""
    if how == "being written":
        with site.rows():  # the server waits for this transaction to end
            yield
    else:
        wire.holds = {"on its way": "up", "answered": "down"}[how]
        yield


def revisions(site: Site, title: str) -> list[int]:
    cards = site.seen_by("ada")["cards"].values()
    return [one["revision"] for one in cards if one["title"] == title]


@pytest.mark.parametrize("how", ["on its way", "being written", "answered"])
def test_closed_in_the_middle_of_an_upload(
    window: Callable[..., Window], contexts: Callable[..., Any], site: Site, how: str
) -> None:
    context = contexts()
    wire = Wire()
    context.route_web_socket("**/sync/live/**", wire)
    ada = window("ada", context)
    ada.is_live()
    expect(ada.page.locator("[data-show=transport]")).to_have_text("WebSocket")

    with held(how, wire, site):
        ada.vote("Grind")
        ada.add("done", "Drill")
        until(lambda: (ada.seen(), wire.sent)[1], "the upload has begun")
        ada.waits_with(2)
        if how == "answered":
            until(lambda: ada.seen() and revisions(site, "Drill"), "the server has written it")
        ada.page.close()
    wire.holds = ""

    again = window("ada", context)
    agree(again)
    assert revisions(site, "Grind") == [2]
    assert revisions(site, "Drill") == [1]
    expect(again.card("Grind").locator("[title='1 vote']")).to_be_visible()

"""Two people on one board, each in a browser of their own."""

from __future__ import annotations

from collections.abc import Callable

from .agreement import agree
from .window import Window, expect


def test_what_one_does_shows_in_the_other(window: Callable[..., Window]) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()

    ada.drag("Weld", "done")
    expect(grace.card_in("done", "Weld")).to_be_visible()

    grace.open("Weld").locator("[name=title]").fill("Weld twice")
    grace.close()
    expect(ada.card("Weld twice")).to_be_visible()
    ada.open("Weld twice")  # and what is typed while it is open here shows in it
    grace.open("Weld twice").locator("[name=body]").fill("From the left.")
    expect(ada.dialog.locator("[name=body]")).to_have_value("From the left.")
    ada.close()
    grace.close()

    agree(ada, grace)

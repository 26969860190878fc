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


def test_a_label_is_made_put_on_and_deleted(window: Callable[..., Window]) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()

    for title in ("Weld", "Grind"):
        name = ada.open(title).locator(".labels [name=name]")
        name.fill("hot")
        name.press("Enter")
        expect(ada.dialog.get_by_role("checkbox", name="hot")).to_be_checked()
        ada.close()
    expect(grace.page.locator(".chips .chip", has_text="hot")).to_have_count(2)
    agree(ada, grace)

    ada.context.set_offline(True)
    ada.links("offline")
    ada.open("Paint").get_by_role("checkbox", name="hot").check()  # which nobody hears of
    ada.dialog.get_by_role("button", name="Delete the label hot").click()
    ada.page.get_by_role("button", name="Delete label").click()
    expect(ada.dialog.get_by_role("checkbox", name="hot")).to_have_count(0)
    ada.close()
    ada.context.set_offline(False)

    expect(grace.page.locator(".chips .chip", has_text="hot")).to_have_count(0)
    agree(ada, grace)

"""Two who were apart and chose otherwise for one field: one of them decides, in a dialog."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .agreement import agree
from .window import Locator, Window, expect

THEIRS, YOURS = "2026-04-01", "2026-03-01"


def sides(dialog: Locator, field: str) -> Locator:
    return dialog.locator("fieldset").filter(has=dialog.page.locator(f"legend:text-is('{field}')"))


@pytest.fixture
def apart(window: Callable[..., Window]) -> tuple[Window, Window]:
    """Ada and Grace both put Weld into another column, with another date."""
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()
    ada.context.set_offline(True)
    ada.links("offline")
    for one, column, due in ((grace, "doing", THEIRS), (ada, "done", YOURS)):
        one.drag("Weld", column)
        one.open("Weld").locator("[name=due]").fill(due)
        one.close()
    ada.retitle("Weld", "Weld twice")  # which clashes with nothing
    agree(grace)
    ada.context.set_offline(False)
    button = ada.page.locator("#conflicts")
    expect(button).to_have_text("1 conflict")
    expect(ada.card("Weld twice")).to_have_class("card movable pending in-conflict")
    button.click()
    expect(ada.dialog).to_be_visible()
    return ada, grace


@pytest.mark.parametrize(
    ("choice", "column", "due"),
    [("theirs", "doing", THEIRS), ("yours", "done", YOURS), ("some of each", "doing", YOURS)],
)
def test_each_choice_settles_it(
    apart: tuple[Window, Window], choice: str, column: str, due: str
) -> None:
    ada, grace = apart
    shown = sides(ada.dialog, "Column").locator(".side")
    expect(shown.nth(0)).to_have_text("TheirsDoing")
    expect(shown.nth(1)).to_have_text("YoursDone")
    dates = sides(ada.dialog, "Due").locator(".value")
    expect(dates).to_contain_text(["empty", "1 Apr", "1 Mar"])

    if choice == "some of each":  # and on second thoughts: the question stays, over a reload too
        ada.dialog.get_by_role("button", name="Decide later").last.click()
        ada.page.reload()
        ada.page.locator("#conflicts").click()
        for field, side in (("Column", "theirs"), ("Due", "yours")):
            sides(ada.dialog, field).locator(f"[value={side}]").check()
    else:
        ada.dialog.locator(f"[data-do={choice}]").click()
    ada.dialog.get_by_role("button", name="Keep what is chosen").click()

    expect(ada.page.locator("#conflicts")).to_be_hidden()
    for one in (ada, grace):
        expect(one.card_in(column, "Weld twice")).to_be_visible()
        expect(one.open("Weld twice").locator("[name=due]")).to_have_value(due)
        one.close()
    agree(ada, grace)

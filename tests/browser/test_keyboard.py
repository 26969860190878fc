"""Without a mouse."""

from __future__ import annotations

from collections.abc import Callable

from .agreement import agree
from .window import Page, Window, expect

ALL = 60
"""Presses of Tab that go through the whole page."""


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the element with this name has the focus, and is seen to have it."""
    name = (
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent)"
    )
    for _ in range(ALL):
        page.keyboard.press("Tab")
        if page.evaluate(f"{name}.trim() === {wanted!r}"):
            outline = page.evaluate(
                "(({outlineStyle, boxShadow}) => outlineStyle + boxShadow)"
                "(getComputedStyle(document.activeElement))"
            )
            assert outline != "nonenone", f"nobody sees that {wanted} has the focus"
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_a_card_is_moved_and_edited_by_keys_alone(window: Callable[..., Window]) -> None:
    ada = window("ada")
    ada.is_live()
    keys = ada.page.keyboard

    tab_to(ada.page, "Move Weld")
    for key in ("Space", "ArrowRight", "ArrowRight", "Enter"):
        keys.press(key)
    expect(ada.page.locator("#assertive")).to_have_text("Dropped Weld. Done, 1 of 1.")
    expect(ada.card_in("done", "Weld")).to_be_visible()
    expect(ada.card("Weld").locator(".grip")).to_be_focused()

    keys.press("Shift+Tab")  # the card's face
    keys.press("Enter")
    expect(ada.dialog).to_be_visible()
    tab_to(ada.page, "Close")
    keys.press("Tab")
    expect(ada.dialog.locator("[name=title]")).to_be_focused()
    keys.press("End")
    keys.type(" twice")
    keys.press("Escape")
    expect(ada.dialog).to_have_count(0)
    expect(ada.card("Weld twice").locator(".open")).to_be_focused()

    keys.press("Tab")
    for key in ("Space", "ArrowLeft", "Escape"):  # thought better of it
        keys.press(key)
    expect(ada.card_in("done", "Weld twice")).to_be_visible()
    agree(ada)

"""Two tabs of one user: one holds the link for both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .agreement import agree
from .window import Locator, Window, expect


def holder(window: Window) -> Locator:
    return window.page.locator("[data-show=leads]")


def test_one_tab_holds_the_link_and_the_other_takes_over(
    window: Callable[..., Window], contexts: Callable[..., Any]
) -> None:
    context = contexts()
    first = window("ada", context)
    first.is_live()
    sockets: list[str] = []
    context.on("page", lambda page: page.on("websocket", lambda one: sockets.append(one.url)))
    second = window("ada", context)
    second.is_live()
    grace = window("grace")
    grace.is_live()
    expect(holder(first)).to_have_text("this tab")
    expect(holder(second)).to_have_text("another tab of yours")
    assert sockets == []

    first.drag("Weld", "done")
    expect(second.card_in("done", "Weld")).to_be_visible()
    second.drag("Grind", "done")
    expect(first.card_in("done", "Grind")).to_be_visible()
    agree(first, second, grace)

    first.page.close()
    expect(holder(second)).to_have_text("this tab")
    grace.retitle("Paint", "Paint it red")
    expect(second.card("Paint it red")).to_be_visible()
    second.add("todo", "Drill")
    expect(grace.card("Drill")).to_be_visible()
    agree(second, grace)

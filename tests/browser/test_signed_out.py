"""A session that ends: the page says so, keeps what is done, goes on once one signs in again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .agreement import agree
from .site import Site
from .window import Window, expect


@pytest.mark.parametrize("when", ["while it is open", "while it is closed"])
def test_signed_out_and_in_again(window: Callable[..., Window], site: Site, when: str) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()

    if when == "while it is open":
        end_sessions(site)
    else:
        ada.page.locator("#status summary").click()
        ada.page.locator("[data-do=pause]").click()
        ada.links("stopped")
        end_sessions(site)
        ada.page.locator("[data-do=pause]").click()
        ada.page.keyboard.press("Escape")
    ada.links("auth_required")
    expect(ada.status.locator(".word")).to_have_text("Signed out")
    notice = ada.page.locator("#notices [role=alert]")
    expect(notice).to_contain_text("Your session has ended")
    ada.drag("Weld", "done")
    ada.vote("Grind")
    ada.waits_with(2)
    grace.retitle("Paint", "Paint it red")

    notice.get_by_role("link", name="Sign in again").click()
    ada.page.get_by_role("button", name="Ada").click()

    expect(ada.page).to_have_url(ada.address)
    agree(ada, grace)
    expect(grace.card_in("done", "Weld")).to_be_visible()
    expect(ada.card("Paint it red")).to_be_visible()


def end_sessions(site: Site) -> None:
    with site.rows() as rows:
        rows.execute("DELETE FROM django_session")

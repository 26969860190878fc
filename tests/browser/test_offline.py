"""Without a network, and without a server: one goes on, and comes together afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .agreement import agree
from .site import Site
from .window import Window, expect


def works_alone(ada: Window, waiting: int) -> None:
    """Three edits, of which none leaves the browser, and the status says so."""
    ada.drag("Weld", "done")
    ada.vote("Grind")
    ada.add("doing", "Drill")
    ada.waits_with(waiting)
    expect(ada.status.locator(".word")).to_contain_text(f"{waiting} waiting")


def test_edits_made_without_a_network_arrive_once(window: Callable[..., Window]) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()

    ada.context.set_offline(True)
    ada.links("offline")
    expect(ada.status.locator(".word")).to_have_text("Offline")
    works_alone(ada, 3)
    grace.retitle("Paint", "Paint it red")  # and meanwhile the others
    agree(grace)
    expect(grace.card("Drill")).to_have_count(0)
    expect(ada.card("Paint it red")).to_have_count(0)

    ada.context.set_offline(False)

    agree(ada, grace)
    expect(grace.card("Drill")).to_have_count(1)
    expect(grace.card("Grind").locator("[title='1 vote']")).to_be_visible()
    expect(ada.card("Paint it red")).to_be_visible()


def test_edits_made_without_a_server_arrive_once(window: Callable[..., Window], site: Site) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()

    site.stop()
    ada.links("offline")
    grace.links("offline")
    works_alone(ada, 3)
    expect(ada.status.locator(".said")).to_contain_text("does not answer")
    grace.vote("Paint")
    site.start()

    agree(ada, grace)
    expect(grace.card("Drill")).to_have_count(1)
    expect(grace.card("Grind").locator("[title='1 vote']")).to_be_visible()
    expect(ada.card("Paint").locator("[title='1 vote']")).to_be_visible()


def test_a_page_that_is_opened_without_a_server_is_all_there(
    window: Callable[..., Window], site: Site
) -> None:
    ada = window("ada", service_workers="allow")
    ada.is_live()
    ada.page.evaluate("navigator.serviceWorker.ready.then(() => null)")

    site.stop()
    ada.page.reload()
    works_alone(ada, 3)
    ada.page.reload()  # twice, for what was done meanwhile is there too
    expect(ada.card_in("done", "Weld")).to_be_visible()
    ada.waits_with(3)
    site.start()

    agree(ada)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_comes_again_has_missed_nothing(
    window: Callable[..., Window], site: Site, how: str
) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()

    getattr(site, how)()
    ada.links("offline")
    with site.rows() as rows:  # another program writes all the same
        rows.execute("UPDATE boards_card SET title = 'Weld again' WHERE title = 'Weld'")
    grace.vote("Paint")
    site.start()

    agree(ada, grace)
    expect(ada.card("Weld again")).to_be_visible()
    ada.drag("Weld again", "done")  # and it is live once more
    expect(grace.card_in("done", "Weld again")).to_be_visible()
    agree(ada, grace)

"""What the browser kept is cleared: all comes again from the server but what was never sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .agreement import agree
from .conftest import sign_in
from .site import Site
from .window import Window, expect

DELETE = """(name) => new Promise((resolve, reject) => {
  const request = indexedDB.deleteDatabase(`django_sync ${name}`);
  request.onsuccess = () => resolve();
  request.onerror = request.onblocked = () => reject(new Error("it is not let go of"));
})"""


def test_a_store_that_is_deleted_under_the_page_is_made_anew(
    window: Callable[..., Window],
) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()

    ada.page.evaluate(DELETE, ada.store)
    grace.drag("Weld", "done")

    expect(ada.card_in("done", "Weld")).to_be_visible()
    ada.add("todo", "Drill")
    agree(ada, grace)


def test_what_was_never_sent_goes_with_the_store(window: Callable[..., Window]) -> None:
    """As docs/reference/javascript-client.md says."""
    ada = window("ada")
    ada.is_live()
    ada.context.set_offline(True)
    ada.links("offline")
    ada.add("todo", "Drill")
    ada.waits_with(1)

    ada.page.evaluate(DELETE, ada.store)
    ada.context.set_offline(False)

    expect(ada.card("Drill")).to_have_count(0)
    agree(ada)


@pytest.mark.parametrize("reload", [True, False])
def test_all_of_the_sites_data_is_cleared(
    window: Callable[..., Window], site: Site, reload: bool
) -> None:
    ada = window("ada", service_workers="allow")
    ada.is_live()
    session = ada.context.new_cdp_session(ada.page)

    session.send("Storage.clearDataForOrigin", {"origin": site.url, "storageTypes": "all"})
    ada.context.clear_cookies()
    sign_in(ada.context, site)
    if reload:
        ada.page.reload()
    else:
        ada.page.locator("#status summary").click()
        ada.page.get_by_role("button", name="Sync now").click()
    agree(ada)
    ada.add("todo", "Drill")

    agree(ada)

"""What axe-core finds: nothing, in each colour, at each width."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from .agreement import agree
from .site import ROOT
from .window import Page, Window, expect

AXE = ROOT / ".node" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desktop": (1200, 800), "phone": (390, 844)}


@pytest.fixture(scope="module", autouse=True)
def axe() -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not in .node; `make node-tools` puts it there")


def looks(page: Page) -> Iterator[str]:
    """The page in each of its four looks."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours, reduced_motion="reduce")
            yield f"{size}, {colours}"


def violations(page: Page) -> list[str]:
    found = []
    page.evaluate(AXE.read_text("utf-8"))
    for look in looks(page):
        told = page.evaluate("axe.run().then(({violations}) => JSON.stringify(violations))")
        for one in json.loads(told):
            places = [node["target"] for node in one["nodes"]]
            found.append(f"{look}: {one['id']}: {one['help']} {places}")
    return found


def test_board_dialogs_and_menus(window: Callable[..., Window]) -> None:
    ada, grace = window("ada"), window("grace")
    ada.is_live()
    grace.is_live()
    found = {"board": violations(ada.page)}

    ada.open("Weld")
    for place, name in ((".checklist", "text"), (".labels", "name")):
        field = ada.dialog.locator(f"{place} [name={name}]")
        field.fill("hot")
        field.press("Enter")
        expect(ada.dialog.locator(place).get_by_role("checkbox", name="hot")).to_be_visible()
    found["card"] = violations(ada.page)
    ada.close()
    ada.page.locator("#status summary").click()
    found["status"] = violations(ada.page)
    ada.page.keyboard.press("Escape")

    ada.page.set_viewport_size({"width": 1200, "height": 800})
    ada.context.set_offline(True)
    ada.links("offline")
    for one, due in ((grace, "2026-04-01"), (ada, "2026-03-01")):
        one.open("Weld").locator("[name=due]").fill(due)
        one.close()
    agree(grace)
    ada.context.set_offline(False)
    ada.page.locator("#conflicts").click()
    expect(ada.dialog).to_be_visible()
    found["conflict"] = violations(ada.page)

    assert {name: told for name, told in found.items() if told} == {}

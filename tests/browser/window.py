"""A window of the board as its user has it: what is done there, what is seen, what it keeps."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: pip install playwright")

from playwright.sync_api import BrowserContext, Locator, Page, expect

from .site import Board, Site

__all__ = ["Locator", "Page", "Window", "expect"]

# What one sees of the open board. A card that is held or glides is where it will be.
SEEN = """() => Object.fromEntries([...document.querySelectorAll(".column")].map((column) => [
  column.dataset.column,
  [...column.querySelectorAll(".card:not(.ghost)")].map((card) => ({
    id: card.dataset.id,
    title: card.querySelector(".open").textContent,
    votes: Number(card.querySelector('[title$=" vote"], [title$=" votes"]')
      ?.textContent.match(/-?\\d+/)[0] ?? 0),
  })),
]))"""
KEPT = """async (store) => {
  const name = `django_sync ${store}`;
  if (!(await indexedDB.databases()).some((one) => one.name === name)) return null;
  const told = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const db = await told(indexedDB.open(name));
  try {
    const names = ["records", "outbox", "conflicts", "rejections", "chunks", "columns", "contents"];
    const tx = db.transaction(names);
    const all = await Promise.all(names.map((one) => told(tx.objectStore(one).getAll())));
    const { chunks, columns, contents, ...found } = Object.fromEntries(
      names.map((one, at) => [one, all[at]]),
    );
    for (const { collection, number, gone } of chunks) {
      const { ids } = columns.find((one) => one.number === number && one.field === "");
      const { revisions, objects } = contents.find((one) => one.number === number);
      ids.forEach((id, at) => {
        const [revision, object] = [revisions[at], JSON.parse(objects[at])];
        if (!gone.includes(at)) found.records.push({ collection, id, revision, object });
      });
    }
    return found;
  } finally {
    db.close();
  }
}"""


class Window:
    """A page of one user, on one board."""

    def __init__(self, page: Page, site: Site, user: str, board: Board, at: str) -> None:
        self.page = page
        self.site = site
        self.user = user
        self.board = board
        self.address = f"{site.url}{at}?board={board.id}"
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(self.address)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    # ── What is seen ──

    @property
    def status(self) -> Locator:
        return self.page.locator("#status")

    def card(self, title: str) -> Locator:
        named = self.page.locator(".open", has_text=re.compile(f"^{re.escape(title)}$"))
        return self.page.locator(".card:not(.ghost)").filter(has=named)

    def card_in(self, column: str, title: str) -> Locator:
        return self.column(column).locator(self.card(title))

    def column(self, name: str) -> Locator:
        return self.page.locator(f".column[data-column={name}]")

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    def links(self, state: str) -> None:
        """Wait until the link stands so."""
        expect(self.page.locator(f"#status[data-link={state}]")).to_be_visible()

    def waits_with(self, count: int) -> None:
        """Wait until so many changes wait to be sent."""
        expect(self.page.locator(f"#status[data-pending='{count}']")).to_be_visible()

    def is_live(self) -> None:
        """Wait until it is in step, as it says itself."""
        expect(self.page.locator("#status[data-link=live][data-pending='0']")).to_be_visible()

    # ── What is done ──

    def drag(self, title: str, column: str) -> None:
        """With the mouse, by the card's face, to the end of a column."""
        box = self.card(title).bounding_box()
        target = self.column(column).bounding_box()
        assert box is not None
        assert target is not None
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        mouse.down()
        mouse.move(target["x"] + target["width"] / 2, target["y"] + target["height"] - 30, steps=5)
        mouse.up()
        expect(self.card_in(column, title)).to_be_visible()

    def add(self, column: str, title: str) -> None:
        place = self.column(column)
        place.locator("[data-do=add]").click()
        place.locator("[name=title]").fill(title)
        place.locator("[name=title]").press("Enter")
        expect(self.card_in(column, title)).to_be_visible()
        place.locator("[data-do=stop-adding]").click()

    def open(self, title: str) -> Locator:
        self.card(title).locator(".open").click()
        expect(self.dialog).to_be_visible()
        return self.dialog

    def close(self) -> None:
        self.dialog.locator("header [data-do=close]").click()
        expect(self.dialog).to_have_count(0)

    def vote(self, title: str) -> None:
        self.open(title).locator("[data-do=vote-up]").click()
        expect(self.dialog.locator("output")).not_to_have_text("0")
        self.close()

    def retitle(self, title: str, new: str) -> None:
        self.open(title).locator("[name=title]").fill(new)
        self.close()
        expect(self.card(new)).to_be_visible()

    # ── What it keeps ──

    @property
    def store(self) -> str:
        return self.page.locator("#main").get_attribute("data-store") or ""

    def kept(self) -> dict[str, list[dict[str, Any]]] | None:
        """What is in IndexedDB; ``None`` where the store is not there."""
        found: dict[str, list[dict[str, Any]]] | None = self.page.evaluate(KEPT, self.store)
        return found

    def seen(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = self.page.evaluate(SEEN)
        return found

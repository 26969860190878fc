"""Whether page, IndexedDB and database tell of the same."""

from __future__ import annotations

from typing import Any, Protocol

from .rows import Records
from .site import Board, Site, until
from .window import Window, expect


class Looked(Protocol):
    """A window of whichever browser."""

    site: Site
    user: str
    board: Board

    def kept(self) -> dict[str, list[dict[str, Any]]] | None: ...

    def seen(self) -> dict[str, list[dict[str, Any]]]: ...


def agree(*windows: Window) -> None:
    """Wait until each window is in step, and page, IndexedDB and database agree."""
    for window in windows:
        window.is_live()
        agrees(window)
        expect(window.page.locator("#refused")).to_be_hidden()
        assert window.errors == []


def agrees(window: Looked) -> None:
    """Wait until page, IndexedDB and database agree."""
    until(lambda: not disagreement(window), lambda: disagreement(window))


def disagreement(window: Looked) -> str:
    """Where they differ; empty where they do not."""
    there = window.site.seen_by(window.user)
    kept = window.kept()
    if kept is None:
        return "there is no store"
    for name in ("outbox", "conflicts", "rejections"):
        if kept[name]:
            return f"{window.user}'s {name}: {kept[name]}"
    return of_records(window, kept["records"], there) or of_cards(window, there)


def of_records(window: Looked, kept: list[dict[str, Any]], there: Records) -> str:
    """Between IndexedDB and the database."""
    records: Records = {name: {} for name in there}
    for row in kept:
        told = {name: value for name, value in row["object"].items() if name != "created_at"}
        if "labels" in told:
            told["labels"] = sorted(told["labels"])
        records[row["collection"]][row["id"]] = told | {"revision": row["revision"]}
    for collection, wanted in there.items():
        if records[collection] != wanted:
            return f"{window.user}'s {collection} are {records[collection]}, the rows {wanted}"
    return ""


def of_cards(window: Looked, there: Records) -> str:
    """Between the open board and the database: which cards, in which order, with which faces."""
    for column, shown in window.seen().items():
        wanted = sorted(
            (card["position"], id, card["title"], card["votes"])
            for id, card in there["cards"].items()
            if (card["board"], card["column"]) == (window.board.id, column)
        )
        faces = [(card["id"], card["title"], card["votes"]) for card in shown]
        if faces != [card[1:] for card in wanted]:
            return f"{window.user} sees {faces} in {column}, where there is {wanted}"
    return ""

"""The blocks of a page under ``docs/howto``, and running one with the names that a reader has."""

from __future__ import annotations

from typing import Any

from tests.tools.pages import ROOT

from .running import Block, blocks


def page(name: str) -> str:
    (found,) = (ROOT / "docs/howto").glob(f"*/{name}.md")
    return found.read_text()


def snippets(name: str) -> list[Block]:
    """All blocks of a page. Who unpacks them notices one that is added."""
    return list(blocks(page(name)))


def run(block: Block, **names: Any) -> dict[str, Any]:
    """Run a block of Python; what it defined. ``names`` are what the page leaves to its reader."""
    assert block.info == "python"
    space = {"__name__": __name__, **names}
    exec(compile(block.body, f"line {block.line}", "exec"), space)
    return space

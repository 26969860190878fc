"""The code on the pages about access is the code that the suite tests, letter for letter."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tests.tools.pages import ROOT

from .running import FILE, blocks

APP = ROOT / "tests/access_app"
SOURCES = {"models.py": "models.py", "api.py": "api.py", "sync.py": "registered.py"}
"""A file as a page calls it, and where its text is."""
PAGE = ROOT / "docs/howto/server/access.md"
BLOCKS = [block for block in blocks(PAGE.read_text()) if block.info == "python"]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {block.line}")
def test_what_stands_on_the_page_is_what_is_tested(block):
    named = FILE.match(block.body)
    assert named, "the first line names no file"
    source = (APP / SOURCES[named["path"]]).read_text()
    for part in block.body[named.end() :].split("\n\n\n"):
        told = part.strip("\n") + "\n"
        assert told in source or textwrap.indent(told, "    ") in source, told


@pytest.mark.parametrize("path", ["models.py", "api.py"])
def test_each_model_and_viewset_that_is_tested_stands_on_the_page(path):
    """Serializers that name their fields and no more are left to the reader."""
    shown = "\n".join(block.body for block in BLOCKS)
    for node in ast.parse((APP / path).read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name not in LEFT_OUT:
            assert f"class {node.name}(" in shown


LEFT_OUT = {
    "Tenant",
    "Country",
    "Magazine",
    *(f"{name}Serializer" for name in ("Board", "Card", "Comment", "Document", "Paragraph")),
    *(f"{name}Serializer" for name in ("Customer", "Invoice", "Article")),
    *("ProductViewSet", "ReviewViewSet"),
}

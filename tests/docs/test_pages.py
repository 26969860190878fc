"""The pages that are made from the code are up to date, and links between pages lead somewhere."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.pages import GUARANTEES, PAGES, REMAKE, ROOT, guarantees_page, template

from .running import blocks

WRITTEN = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", PAGES)
def test_a_made_page_is_as_the_code_says(path: str) -> None:
    file = ROOT / path
    there = file.read_text() if file.exists() else ""
    assert there == PAGES[path](), f"{path} is stale; make it anew with: {REMAKE}"


def test_every_guarantee_has_a_test() -> None:
    sections = guarantees_page().split("\n## ")[1:]
    assert len(sections) == len(GUARANTEES)
    for section in sections:
        assert "\n- `test_" in section or "\n- all of" in section, section


def test_the_tests_that_the_security_page_names_are_there() -> None:
    page = (ROOT / "docs/explanation/security.md").read_text()
    named = set(re.findall(r"`(test_\w+)(?:\.py)?`", page))
    files = list((ROOT / "tests").rglob("test_*.py"))
    there = {file.stem for file in files}
    there |= {name for f in files for name in re.findall(r"def (test_\w+)", f.read_text())}
    assert len(named) > 20
    assert named <= there, named - there


def links(page: Path) -> Iterator[str]:
    text = FENCE.sub("", page.read_text())
    yield from re.findall(r"\[[^\]]+\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    heads = re.findall(r"^#+ +(.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.strip().replace(" ", "-") for head in kept}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link} names no heading"


def test_each_page_is_in_the_index() -> None:
    docs = ROOT / "docs"
    listed = {(docs / link.partition("#")[0]).resolve() for link in links(docs / "index.md")}
    decisions = set((docs / "adr").glob("*.md"))
    assert set(docs.rglob("*.md")) - decisions - {docs / "index.md"} <= listed


def test_each_how_to_is_for_one_reader() -> None:
    readers = {"server", "python-client", "web", "operations"}
    for page in (ROOT / "docs/howto").rglob("*.md"):
        assert page.parent.name in readers, f"{page.name} is for one of {sorted(readers)}"


def test_the_protocol_and_the_code_have_the_same_words() -> None:
    from django_sync.errors import ClientError, every_error
    from django_sync.protocol import ConflictKind, Op, Status, Transport

    text = (ROOT / "docs/protocol.md").read_text()
    table = text.split("| HTTP | code |")[1].split("\n\n")[0]
    listed = set(re.findall(r"`(\w+)`", table))
    assert listed == {e.code for e in every_error() if not issubclass(e, ClientError)}
    for word in (*Op, *Status, *ConflictKind, *Transport):
        assert f"`{word}`" in text or f'"{word}"' in text, word


def test_the_protocols_examples_are_read_as_what_they_are() -> None:
    from django_sync.protocol import Batch, Mutation, Page, Result

    some_id = "01920000-0000-7000-8000-000000000000"
    text = (ROOT / "docs/protocol.md").read_text().replace("0192…", some_id)
    _, page, batch, result, _ = (
        json.loads(block.body) for block in blocks(text) if block.info == "json"
    )
    assert not Page.from_json(page).has_more
    (mutation,) = Batch.from_json(batch)
    assert Mutation.from_json(mutation).base_revision == 7
    assert Result.from_json(result).revision == 8


PROSE = [page for page in WRITTEN if str(page.relative_to(ROOT)) not in PAGES]


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_is_python_and_what_it_imports_of_us_is_there(page: Path) -> None:
    for block in blocks(page.read_text()):
        if block.info != "python":
            continue
        for node in ast.walk(ast.parse(block.body)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django_sync"):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), block.line


def refusals() -> Iterator[str]:
    """What capture says of models that it cannot keep, without the names that are put in."""
    for path in sorted((ROOT / "django_sync/capture").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if ast.unparse(node.func).split(".")[-1] in ("fail", "ImproperlyConfigured"):
                text = re.sub(r"\*\w+\*", "…", template(node.args[0]))
                if len(text) > 10:
                    yield re.sub(r"^… |[.:]? ?…[.]?$|[.]$", "", text)


def test_each_refusal_of_a_model_is_explained() -> None:
    page = (ROOT / "docs/explanation/which-models.md").read_text()
    told = re.sub(r"\s+", " ", page.replace("255", "…"))
    for refusal in refusals():
        assert refusal in told, f"docs/explanation/which-models.md does not explain “{refusal}”"

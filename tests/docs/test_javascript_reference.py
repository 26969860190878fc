"""The reference of the JavaScript client leaves nothing out, and its declarations are no older."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.declared import CLIENT, Entry, declarations, defaults, module, public, read_doc
from tests.tools.javascript import text

PAGE = text("")
CLASSES = [entry for entry in public().values() if entry.kind == "class"]


def exported() -> set[str]:
    """What ``client.js`` exports, by its own text."""
    source = (CLIENT / "client.js").read_text()
    lists = re.findall(r"^export \{ (.+?) \}", source, re.M)
    names = {name for told in lists for name in told.split(", ")}
    names |= set(re.findall(r"^export class (\w+)", source, re.M))
    return names | set(re.findall(r"@typedef \{.*?\} (\w+)", source))


def test_each_export_is_on_the_page() -> None:
    names = exported()
    assert {"SyncClient", "errors", "Status", "MemoryStore"} <= names
    missing = {name for name in names if not re.search(rf"^## `{name}\b", PAGE, re.M)}
    assert not missing


def test_each_public_thing_says_what_it_is_for() -> None:
    for entry in public().values():
        if entry.kind == "type":
            continue
        assert entry.doc.text, entry.name
        made = next((one for one in entry.members if one.name == "constructor"), None)
        told = (
            {name.split(".")[-1].strip("[]") for name, _, _ in made.doc.params} if made else set()
        )
        for member in entry.members:
            silent = not (member.doc.text or member.doc.is_internal or member.name in told)
            assert not silent or member is made, f"{entry.name}.{member.name}"


@pytest.mark.parametrize("entry", CLASSES, ids=lambda entry: entry.name)
def test_the_declarations_say_what_the_sources_say(entry: Entry) -> None:
    """Here too where no TypeScript is, which alone sees all that differs."""
    source = squeezed(CLIENT / f"{entry.module}.js")
    for told in [entry.doc.text, *(member.doc.text for member in entry.members)]:
        assert bare(told) in source, told


def squeezed(path: Path) -> str:
    return bare(re.sub(r"^\s*\*", "", path.read_text(), flags=re.M))


def bare(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


# The reader


def test_a_comment_is_read() -> None:
    doc = read_doc(
        """/**
         * Do it, as
         * one does.
         * @param {{how?: string}} [more] why
         *   at all
         * @returns {Promise<number>} how often
         * @throws {errors.Offline} where nobody is
         */"""
    )
    assert bare(doc.text) == "Do it, as one does."
    assert doc.params == [("[more]", "{how?: string}", "why at all")]
    assert doc.returns == ("Promise<number>", "how often")
    assert doc.throws == ["`errors.Offline` where nobody is"]
    assert not doc.is_internal
    assert read_doc("/** Not for you. @internal @param {string} a @param {string} b */").is_internal


def test_declarations_are_told_apart() -> None:
    told = "/** One. */\nexport class A {\n    b(): () => void;\n}\nexport type C = string;\n"
    assert list(declarations(told)) == [
        ("/** One. */", "export class A {\n    b(): () => void;\n}"),
        ("", "export type C = string;"),
    ]


def test_defaults_are_those_of_the_source() -> None:
    assert defaults(module("backoff")["Backoff"])["longest"] == "300"
    assert defaults(module("collection")["Collection"]) == {}

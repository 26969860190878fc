"""Names in ``django_sync`` do not use the words that the glossary has replaced."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.tools import tokens, words

ROOT = Path(__file__).resolve().parents[2]

NOT_CLEAN: tuple[str, ...] = ()
"""Paths that still have old words: a folder with its slash, or a file. Empty means: all clean."""

EXCEPTIONS: tuple[tuple[str, str, str], ...] = (
    (
        r"models/sessions\.py|sessions/\w+\.py|maintenance/retention\.py",
        r"[Ee]nding",
        "why a session ended: a column of the database has that name",
    ),
)
"""Path, name (both as regular expressions), and why the name may stay. Five at most."""


def remaining(found: list[words.Use]) -> list[words.Use]:
    """The uses that are neither excepted nor in a place that is not clean yet."""
    return [
        use
        for use in found
        if not use.path.startswith(NOT_CLEAN)
        and not any(
            re.search(path, use.path) and re.fullmatch(name, use.name)
            for path, name, _ in EXCEPTIONS
        )
    ]


def test_no_name_has_an_old_word() -> None:
    left = remaining(words.uses(ROOT))
    listed = "\n".join(f"{use.path}:{use.line} {use.name} ({use.word})" for use in left)
    assert not left, f"old words in names; docs/glossary.md has the new ones:\n{listed}"


def test_exceptions_are_few_and_needed() -> None:
    assert len(EXCEPTIONS) <= 5
    found = words.uses(ROOT)
    for path, name, why in EXCEPTIONS:
        assert why
        assert any(re.search(path, use.path) and re.fullmatch(name, use.name) for use in found)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("told", ["told"]),
        ("names_told", ["told"]),
        ("toldAgain", ["told"]),
        ("SocketLine", ["line"]),
        ("MOST_LINES", ["lines"]),
        ("#standing", ["standing"]),
        ("seen_alike", ["seen_alike"]),
        ("seenAlike", ["seen_alike"]),
        ("getRights", ["get_rights"]),
        ("scope_view", ["view"]),
        ("viewset", []),
        ("view", []),
        ("metadata", []),
        ("lineno", []),
        ("offline", []),
        ("isOnline", []),
        ("splitlines", []),
        ("innerHTML", ["inner"]),  # only where we define it
        ("string", []),
        ("returned", []),
    ],
)
def test_a_word_is_a_part_of_a_name(name: str, found: list[str]) -> None:
    assert words.words_in(name) == found


def test_view_is_another_word_in_visibility_alone() -> None:
    assert words.words_in("current_view", "django_sync/feed/visibility.py") == ["view"]
    assert words.words_in("current_view", "django_sync/http/views.py") == []


PYTHON = """
import traceback as told
from .line import Line as Other
class Seat: ...
def f(heard, *, standing=None): ...
async def ring(): ...
self.inner = 1
bells.ordered.told(4)
for turn in text.splitlines(): ...
with a as bell, b as c: ...
try: ...
except E as met: ...
[x for line in y]
if (plain := 1): ...
match z:
    case {**around}: ...
    case [*lines]: ...
    case K() as together: ...
queryset.filter(alarm=1)
f(farewell=2)
lambda reach: reach
"""


def test_what_defines_a_name_in_python() -> None:
    names = {name for name, _ in words.python_names(ast.parse(PYTHON), {"f"})}
    found = {word for name in names for word in words.words_in(name)}
    assert found == {
        "told",
        "seat",
        "heard",
        "standing",
        "ring",
        "inner",
        "turn",
        "bell",
        "met",
        "line",
        "plain",
        "around",
        "lines",
        "together",
        "farewell",
        "reach",
    }


JAVASCRIPT = r"""
// const told = 1
import { said as heard } from './line.js';
const { a: standing = `seat ${call({ met: 1 })} turn`, b: { lines } = told } = /bell"/.exec('ring');
let [plain, ...around] = x, inner = y / 2, z = w / 3;
class Ledger extends Base {
  #acting = new Map();
  waiting;
  async reach(folding, { heed } = {}) { this.heeded = alarm; element.together = 1; }
  get ending() { return told.orders; }
}
function doorbell(line) { if (turns(1)) { farewell(); } }
const go = async (crowd, [guest]) => guest;
one.then(inside => inside);
for (const bell of lines) { switch (bell) { case seat: break; } }
try { go(); } catch (ordered) { throw ordered; }
"""


def test_what_defines_a_name_in_javascript() -> None:
    names = {one.name for one in tokens.definitions(JAVASCRIPT)}
    found = {word for name in names for word in words.words_in(name)}
    assert found == {
        "heard",
        "standing",
        "lines",
        "met",
        "plain",
        "around",
        "inner",
        "ledger",
        "acting",
        "waiting",
        "reach",
        "folding",
        "heed",
        "heeded",
        "ending",
        "doorbell",
        "line",
        "crowd",
        "guest",
        "inside",
        "bell",
        "ordered",
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("django_sync/feed/log.py", "def news(told): ..."),
        ("django_sync/static/django_sync/client.js", "export const told = 1;"),
        ("django_sync/realtime/doorbell.py", ""),
        ("django_sync/ledger/__init__.py", ""),
    ],
)
def test_a_name_with_an_old_word_is_found(path: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    (use,) = words.uses(tmp_path)
    assert use.path == path

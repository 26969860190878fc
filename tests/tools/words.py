"""Where the code and its prose use the words that ``docs/glossary.md`` has replaced.

A name counts where it is defined, for we do not choose the names of libraries: ``def``, ``class``,
parameters, targets of assignments, aliases of imports, and keywords of our own functions.
"""

from __future__ import annotations

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import tokens

WORDS = (
    "told",
    "said",
    "heard",
    "standing",
    "settling",
    "met",
    "line",
    "lines",
    "seat",
    "turn",
    "turns",
    "bell",
    "doorbell",
    "ring",
    "rings",
    "rang",
    "ending",
    "inner",
    "inside",
    "plain",
    "acting",
    "waiting",
    "around",
    "reach",
    "folding",
    "heeding",
    "heed",
    "heeds",
    "heeded",
    "together",
    "alarm",
    "farewell",
    "orders",
    "ordered",
    "ledger",
    "seen_alike",
    "get_rights",
    "crowd",
    "guest",
)
VIEW = re.compile(r"(?:^|_)scopes?_views?(?:$|_)|(?:^|_)views?_(?:of_)?scopes?(?:$|_)")
"""Names of the visibility of scopes; Django's views keep their word."""
VISIBILITY = "feed/visibility.py"
"""Where no name at all says ``view``."""

PACKAGE = "django_sync"
STATIC = f"{PACKAGE}/static/{PACKAGE}"

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A name that has an old word as a part; ``path`` is relative to the tree."""

    path: str
    line: int
    name: str
    word: str


def parts(name: str) -> list[str]:
    """The parts of an identifier: ``is_plainModel`` has ``is``, ``plain`` and ``model``."""
    return [part.lower() for part in _PARTS.findall(name)]


@functools.cache
def words_in(name: str, path: str = "") -> Sequence[str]:
    """The old words that are parts of a name which ``path`` defines."""
    joined = "_".join(parts(name))
    around = f"_{joined}_"
    found = [word for word in WORDS if f"_{word}_" in around]
    is_view = "_view_" in around or "_views_" in around
    if VIEW.search(joined) or (is_view and path.endswith(VISIBILITY)):
        found.append("view")
    return found


def python_files(root: Path) -> list[Path]:
    """The package's modules, without migrations."""
    files = (root / PACKAGE).rglob("*.py")
    return sorted(file for file in files if "migrations" not in file.relative_to(root).parts)


def javascript_files(root: Path) -> list[Path]:
    """The client's modules."""
    return sorted((root / STATIC).rglob("*.js"))


@functools.cache
def uses(root: Path) -> list[Use]:
    """Every definition of a name with an old word in it, Python's first."""
    return [*python_uses(root), *javascript_uses(root)]


def python_uses(root: Path) -> list[Use]:
    files = python_files(root)
    trees = {file: ast.parse(file.read_text()) for file in files}
    functions = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    found: set[Use] = set()
    for file, tree in trees.items():
        path = file.relative_to(root).as_posix()
        found |= _modules(path)
        for name, line in python_names(tree, functions):
            found |= {Use(path, line, name, word) for word in words_in(name, path)}
    return sorted(found)


def javascript_uses(root: Path) -> list[Use]:
    found: set[Use] = set()
    for file in javascript_files(root):
        path = file.relative_to(root).as_posix()
        found |= _modules(path)
        for one in tokens.definitions(file.read_text()):
            found |= {Use(path, one.line, one.name, word) for word in words_in(one.name, path)}
    return sorted(found)


def _modules(path: str) -> set[Use]:
    """What a file and its folders are called; a folder counts with its first file."""
    *_, name = path.rsplit("/", 1)
    stem = name.rsplit(".", 1)[0]
    if stem in ("__init__", "__main__"):
        stem = path.split("/")[-2]
    return {Use(path, 0, stem, word) for word in words_in(stem, path)}


def python_names(tree: ast.AST, functions: Iterable[str] = ()) -> Iterator[tuple[str, int]]:
    """Each name that a module defines, with its line; ``functions`` are those of our code."""
    ours = frozenset(functions)
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno
            case ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno
            case ast.MatchMapping(rest=str(name)):
                yield name, node.lineno
            case ast.Import() | ast.ImportFrom():
                yield from ((alias.asname, node.lineno) for alias in node.names if alias.asname)
            case ast.Call():
                called = node.func
                if getattr(called, "attr", getattr(called, "id", None)) in ours:
                    yield from ((k.arg, k.value.lineno) for k in node.keywords if k.arg)


# How often


def occurrences(root: Path, files: Iterable[Path], names: frozenset[str]) -> int:
    """How often these files name one of ``names`` in code: its definitions and its uses."""
    return sum(1 for file in files for name in _identifiers(file) if name in names)


def _identifiers(file: Path) -> Iterator[str]:
    text = file.read_text()
    if file.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME:
                yield token.string
    else:
        yield from (token.text for token in tokens.tokens(text) if token.kind == "name")


_PROSE = re.compile(r"\b(?:" + "|".join(WORDS) + r")\b", re.IGNORECASE)


def in_prose(file: Path) -> int:
    """How often comments, docstrings and messages of a file, or a page, use one of the words."""
    return sum(len(_PROSE.findall(text)) for text in prose(file))


def prose(file: Path) -> Iterator[str]:
    """Sentences of a file: comments and strings with a space in them; of a page all its text."""
    text = file.read_text()
    if file.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield node.value
    elif file.suffix == ".js":
        for part in tokens.tokens(text):
            if part.kind == "comment" or (part.kind == "text" and " " in part.text):
                yield part.text
    else:
        yield text

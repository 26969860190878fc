"""Walks through the code: lists of file and function, of which each step leads to the next.

They stand in ``docs/explanation/code.md``: under a heading ``## Walk: …`` a numbered list, whose
items begin with the file and the function in backticks. A step is named (called, or passed on) by
the one before it. Where an earlier step of the walk names it, the item says ``from`` and that
function in backticks. Where no code names it, the item says ``by`` and one of ``WAYS``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = "docs/explanation/code.md"
BEFORE = Path(__file__).with_name("walks_before.json")
"""The walks of the commit with which ``structure`` compares."""

WAYS: Mapping[str, str] = {
    "signal": r"\.connect\(|@receiver",
    "channel layer": r"group_send|get_channel_layer",
    "database trigger": r"CREATE (?:OR REPLACE )?TRIGGER|trigger",
    "Celery": r"shared_task|apply_async",
    "route": r"as_view|\bresolve\(",
    "event": r"\bEvent\(",
    "subclass": r"NotImplementedError|Protocol|ABC|super\(\)",
}
"""How a step is reached that no code names; what then stands in its file or the one before it."""
CALLBACK = "callback"
"""A step that is passed on by name, in its own file or in one that the item names in backticks."""

_WALK = re.compile(r"^## Walk: (.+)$", re.MULTILINE)
_ITEM = re.compile(r"^\d+\. `([^`]+)` · `([^`]+)`(.*(?:\n(?!\d+\. |\n|#).*)*)", re.MULTILINE)
_BY = re.compile(r"\bby (" + "|".join([*WAYS, CALLBACK]) + r")\b(?: in `([^`]+)`)?")
_FROM = re.compile(r"\bfrom `([^`]+)`")
_CELL = re.compile(r"^\| (?!---).+? \| (.+) \|$", re.MULTILINE)
_PATH = re.compile(r"`([\w*/.-]+(?:/|\.py|\.js))`")


@dataclass(frozen=True, slots=True)
class Step:
    """A function on the way; ``after`` is the earlier one that names it, ``way`` how it is reached.

    ``where`` is the file that passes it on, where ``way`` is a callback from elsewhere.
    """

    file: str
    function: str
    way: str | None = None
    where: str | None = None
    after: str | None = None


Walk = Sequence[Step]


def read(page: str) -> dict[str, Walk]:
    """The walks of a page, by name."""
    names = [*_WALK.finditer(page)]
    found: dict[str, Walk] = {}
    for at, name in enumerate(names):
        end = names[at + 1].start() if at + 1 < len(names) else len(page)
        section = page[name.end() : end].split("\n## ", maxsplit=1)[0]
        found[name[1].strip()] = [_step(*item) for item in _ITEM.findall(section)]
    return found


def _step(file: str, function: str, rest: str) -> Step:
    flat = re.sub(r"\s+", " ", rest)
    by, after = _BY.search(flat), _FROM.search(flat)
    return Step(file, function, by and by[1], by and by[2], after[1] if after is not None else None)


def before() -> tuple[str, dict[str, Walk]]:
    """A commit, and the walks through it."""
    stored = json.loads(BEFORE.read_text())
    return stored["commit"], {
        name: [Step(**step) for step in steps] for name, steps in stored["walks"].items()
    }


def of_tree(root: Path) -> dict[str, Walk]:
    """The walks of a tree: its page's, or those of ``before`` where it has no page."""
    page = root / PAGE
    walks = read(page.read_text()) if page.exists() else before()[1]
    return walks if not any(faults(root, walk) for walk in walks.values()) else {}


def files(walk: Walk) -> list[str]:
    """The files that a reader crosses, in the order in which they come first."""
    return list(dict.fromkeys(step.file for step in walk))


def places(walk: Walk) -> list[str]:
    """The places that a reader crosses: packages of ``django_sync``, and modules in its root."""
    return list(dict.fromkeys(step.file.split("/")[1] for step in walk))


# The table of the page


def lost_paths(root: Path, page: str) -> list[str]:
    """The paths in the page's table that lead to no file.

    A path is what stands in backticks and ends with ``/``, ``.py`` or ``.js``; it may have a
    ``*``. It is relative to the package, or to a folder that the same cell has named before.
    """
    found: list[str] = []
    for cell in _CELL.findall(page):
        folders = [root / "django_sync"]
        for path in _PATH.findall(cell):
            at = next((folder for folder in folders if any(folder.glob(path.rstrip("/")))), None)
            if at is None:
                found.append(path)
            else:
                folders.insert(1, at / path if path.endswith("/") else (at / path).parent)
    return found


# What does not hold


def faults(root: Path, walk: Walk) -> list[str]:
    """What of a walk is not so in the code."""
    found: list[str] = []
    for at, step in enumerate(walk):
        missing = _missing(root, step)
        if missing:
            found.append(missing)
        elif at:
            found.extend(_gap(root, walk, at))
    return found


def _missing(root: Path, step: Step) -> str | None:
    if not (root / step.file).is_file():
        return f"there is no {step.file}"
    if _function(root, step) is None:
        return f"{step.file} has no {step.function}"
    return None


def _gap(root: Path, walk: Walk, at: int) -> Iterator[str]:
    step, sources = walk[at], [walk[at - 1]]
    if step.after is not None:
        sources = [one for one in walk[:at] if one.function == step.after]
        if not sources:
            yield f"{step.function} comes from {step.after}, which is no step before it"
            return
    source = sources[-1]
    if any(_missing(root, one) for one in sources):
        return  # it is a fault of its own
    if step.way == CALLBACK:
        where = step.where or step.file
        if not (root / where).is_file():
            yield f"there is no {where}"
        elif not _names(ast.parse((root / where).read_text())) & _called(step):
            yield f"{where} does not pass on {step.function}"
    elif step.way is not None:
        texts = [(root / one.file).read_text() for one in (source, step)]
        if not any(re.search(WAYS[step.way], text) for text in texts):
            yield f"{source.function} does not lead to {step.function} by {step.way}"
    elif not any(_leads(root, one, step) for one in sources):
        yield f"{source.function} in {source.file} does not name {step.function}"


def _leads(root: Path, source: Step, step: Step) -> bool:
    """Whether a function names another one, under its own name or as its file imports it."""
    body = _function(root, source)
    aliases = _aliases(root / source.file, _called(step))
    return body is not None and bool(_names(body) & (_called(step) | aliases))


def _called(step: Step) -> set[str]:
    """The names by which code calls a function: of a special method its class's."""
    *owner, name = step.function.split(".")
    return {owner[-1]} if owner and name.startswith("__") else {name}


def _function(root: Path, step: Step) -> ast.AST | None:
    """The definition of a step, by its dotted name."""
    node: ast.AST = ast.parse((root / step.file).read_text())
    for name in step.function.split("."):
        inner = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and child.name == name
        ]
        if not inner:
            return None
        node = inner[-1]
    return node


def _names(node: ast.AST) -> set[str]:
    """The names that code reads."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _aliases(file: Path, names: set[str]) -> set[str]:
    """Under which other names a file imports these."""
    return {
        alias.asname
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
        if alias.asname and alias.name in names
    }

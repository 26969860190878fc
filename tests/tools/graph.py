"""Which file imports which, in Python and in JavaScript: cycles, and how high the stairs are.

A package's ``__init__`` is a file like any other. What only types need (``TYPE_CHECKING``) does not
count. An import within a function happens later than the module's own, and counts apart.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .words import PACKAGE, STATIC, javascript_files, python_files

_JS_IMPORT = re.compile(r"^\s*(?:import|export)\b[^;'\"]*?['\"](\.[^'\"]+)['\"]", re.MULTILINE)
_JS_LATE = re.compile(r"\bimport\(\s*['\"](\.[^'\"]+)['\"]")

Graph = dict[str, set[str]]


@dataclass
class Imports:
    """For each file, by its path in the tree, the files that it imports at once and later."""

    at_once: Graph = field(default_factory=dict)
    late: Graph = field(default_factory=dict)

    @property
    def all(self) -> Graph:
        return {file: self.at_once[file] | self.late[file] for file in self.at_once}


def python_imports(root: Path) -> Imports:
    """The imports of the package's modules among themselves."""
    files = {_module(file, root): file.relative_to(root).as_posix() for file in python_files(root)}
    found = Imports()
    for module, path in files.items():
        package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
        now: set[str] = set()
        late: set[str] = set()
        for node, is_late in _import_nodes(ast.parse((root / path).read_text())):
            targets = {files[one] for one in _imported(node, package, files)}
            (late if is_late else now).update(targets - {path})
        found.at_once[path], found.late[path] = now, late
    return found


def _module(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _import_nodes(
    node: ast.AST, late: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, late
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _import_nodes(other, late)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _import_nodes(child, late or inside)


def _imported(
    node: ast.Import | ast.ImportFrom, package: str, files: Mapping[str, str]
) -> Iterator[str]:
    """The modules of ours that a statement names: a submodule, else the module itself."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in files)
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        above = parts[: len(parts) - node.level + 1]
        base = ".".join([*above, base] if base else above)
    for alias in node.names:
        name = f"{base}.{alias.name}"
        if name in files:
            yield name
        elif base in files:
            yield base


def javascript_imports(root: Path) -> Imports:
    """The imports of the client's modules among themselves."""
    found = Imports()
    files = {file.resolve(): file.relative_to(root).as_posix() for file in javascript_files(root)}
    for file, path in files.items():
        text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)

        def named(
            pattern: re.Pattern[str], file: Path = file, text: str = text, path: str = path
        ) -> set[str]:
            targets = ((file.parent / one).resolve() for one in pattern.findall(text))
            return {files[target] for target in targets if target in files} - {path}

        found.at_once[path], found.late[path] = named(_JS_IMPORT), named(_JS_LATE)
    return found


def components(graph: Graph) -> list[list[str]]:
    """The strongly connected components, each after those that it imports (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def cycles(graph: Graph) -> list[list[str]]:
    """The groups of files that import one another in a circle."""
    return sorted(group for group in components(graph) if len(group) > 1)


def longest_chain(graph: Graph) -> list[str]:
    """The longest chain of files, each importing the next; a cycle counts as one of its files."""
    best: dict[str, list[str]] = {}
    longest: list[str] = []
    for group in components(graph):
        below = {other for file in group for other in graph[file]} - set(group)
        chain = [group[0], *max((best[other] for other in below), key=len, default=[])]
        best |= dict.fromkeys(group, chain)
        longest = max(longest, chain, key=len)
    return longest


def root_modules(root: Path) -> list[str]:
    """The modules side by side in the package's root, besides ``__init__``."""
    files = (root / PACKAGE).glob("*.py")
    return sorted(file.stem for file in files if file.stem != "__init__")


def root_scripts(root: Path) -> list[str]:
    """The client's modules side by side in its folder."""
    return sorted(file.stem for file in (root / STATIC).glob("*.js"))

"""The structure of the code in numbers: ``make structure`` prints this tree beside an earlier one.

``--at COMMIT`` chooses the earlier one; without it that is the commit of ``walks_before.json``.
``--json`` prints one JSON object, with ``before`` (``null`` where git does not have the commit) and
``after``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from . import graph, walks, words

ROOT = Path(__file__).resolve().parents[2]
LONG = 400
"""Lines from which a module is listed."""
COMPLEX = 15
"""The highest cyclomatic complexity that is not listed."""
CONTRACT = "staircase"
"""The id of import-linter's contract that lists the layers."""

Json = dict[str, Any]


def measure(root: Path) -> Json:
    """All numbers of a tree."""
    python, scripts = graph.python_imports(root), graph.javascript_imports(root)
    lengths = {
        file.relative_to(root).as_posix(): len(file.read_text().splitlines())
        for file in [*words.python_files(root), *words.javascript_files(root)]
    }
    followed = walks.of_tree(root)
    return {
        "modules_in_root": {
            "python": graph.root_modules(root),
            "javascript": graph.root_scripts(root),
        },
        "layers": len(layers(root)),
        "longest_chain": {
            "python": graph.longest_chain(python.at_once),
            "javascript": graph.longest_chain(scripts.at_once),
        },
        "cycles": {
            "python": graph.cycles(python.at_once),
            "javascript": graph.cycles(scripts.at_once),
        },
        "cycles_with_late_imports": {
            "python": graph.cycles(python.all),
            "javascript": graph.cycles(scripts.all),
        },
        "late_imports": {
            "python": sum(map(len, python.late.values())),
            "javascript": sum(map(len, scripts.late.values())),
        },
        "walks": {name: walks.files(walk) for name, walk in followed.items()},
        "places": {name: walks.places(walk) for name, walk in followed.items()},
        "lines": {
            "python": _total(lengths, ".py"),
            "javascript": _total(lengths, ".js"),
        },
        "long_modules": {file: lines for file, lines in sorted(lengths.items()) if lines > LONG},
        "complex_functions": complex_functions(root),
        "old_words": old_words(root),
    }


def _total(lengths: dict[str, int], suffix: str) -> int:
    return sum(lines for file, lines in lengths.items() if file.endswith(suffix))


def layers(root: Path) -> list[str]:
    """The layers of the contract, the highest first."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (found,) = [one for one in contracts if one.get("id") == CONTRACT]
    return list(found["layers"])


def complex_functions(root: Path) -> dict[str, int]:
    """Functions of the package above ``COMPLEX``, as Ruff counts, whoever has exempted them."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--exit-zero"]
    command += ["--ignore-noqa", "--select", "C901", "--output-format", "json"]
    command += ["--config", f"lint.mccabe.max-complexity={COMPLEX}", "--exclude", "migrations"]
    ran = subprocess.run(
        [*command, words.PACKAGE], cwd=root, capture_output=True, text=True, check=True
    )
    found: dict[str, int] = {}
    for one in json.loads(ran.stdout):
        # “`name` is too complex (16 > 15)”
        name, number = one["message"].split("`")[1], one["message"].rsplit("(", 1)[1].split(" ")[0]
        file = Path(one["filename"]).resolve().relative_to(root.resolve()).as_posix()
        found[f"{file} {name}"] = int(number)
    return dict(sorted(found.items()))


def old_words(root: Path) -> Json:
    """The glossary's left column: in names, where they are defined and used, and in prose."""
    python, scripts = words.python_files(root), words.javascript_files(root)
    found: Json = {}
    for language, files, listed in (
        ("python", python, words.python_uses(root)),
        ("javascript", scripts, words.javascript_uses(root)),
    ):
        names = frozenset(use.name for use in listed if use.line)
        found[language] = {
            "definitions": len(listed),
            "uses": words.occurrences(root, files, names),
            "prose": sum(map(words.in_prose, files)),
            "by_word": dict(Counter(use.word for use in listed).most_common()),
        }
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    found["docs"] = {"prose": sum(words.in_prose(page) for page in pages if page.exists())}
    return found


# Trees


@contextlib.contextmanager
def tree_at(commit: str) -> Iterator[Path | None]:
    """A commit's files in a folder of their own; ``None`` where git does not have it."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


# What a person reads


def rows(found: Json) -> Iterator[tuple[str, str]]:
    """The numbers of a tree, each with what it counts."""
    for language in ("python", "javascript"):
        for name, key in (
            ("modules in the root", "modules_in_root"),
            ("files in the longest chain of imports", "longest_chain"),
            ("import cycles", "cycles"),
            ("… with imports in functions", "cycles_with_late_imports"),
        ):
            yield f"{language}: {name}", str(len(found[key][language]))
        yield f"{language}: imports in functions", str(found["late_imports"][language])
        yield f"{language}: lines", str(found["lines"][language])
        suffix = ".py" if language == "python" else ".js"
        long = [file for file in found["long_modules"] if file.endswith(suffix)]
        yield f"{language}: modules over {LONG} lines", str(len(long))
        for name, key in (
            ("old words in names, where defined", "definitions"),
            ("names with old words, where used", "uses"),
            ("old words in comments and messages", "prose"),
        ):
            yield f"{language}: {name}", str(found["old_words"][language][key])
    yield "docs: old words", str(found["old_words"]["docs"]["prose"])
    yield "layers in the contract", str(found["layers"])
    yield f"functions over complexity {COMPLEX}", str(len(found["complex_functions"]))
    for name, crossed in found["walks"].items():
        yield f"files crossed by {name}", str(len(crossed))
    for name, crossed in found["places"].items():
        yield f"places crossed by {name}", str(len(crossed))


def table(before: Json | None, after: Json, commit: str) -> Iterator[str]:
    """Both trees side by side."""
    old, new = dict(rows(before)) if before else {}, dict(rows(after))
    names = list(dict.fromkeys([*new, *old]))
    width = max(map(len, names))
    yield f"{'':{width}}  {commit[:9]:>9}  {'now':>9}"
    for name in names:
        yield f"{name:{width}}  {old.get(name, '–'):>9}  {new.get(name, '–'):>9}"


def lists(found: Json) -> Iterator[str]:
    """What is worth naming, of this tree."""
    yield from _listed(
        f"Modules over {LONG} lines", (f"{n} {file}" for file, n in found["long_modules"].items())
    )
    yield from _listed(
        f"Functions over complexity {COMPLEX}",
        (f"{n} {name}" for name, n in found["complex_functions"].items()),
    )
    for language in ("python", "javascript"):
        yield from _listed(
            f"Import cycles, {language}", (", ".join(one) for one in found["cycles"][language])
        )
        chain = found["longest_chain"][language]
        yield from _listed(f"Longest chain of imports, {language}", chain)
    if not found["walks"]:
        yield f"\nThe walks in {walks.PAGE} do not hold here; tests/docs/test_walks.py says where."


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if found:
        yield f"\n{title}:"
        yield from (f"  {item}" for item in found)


def main() -> int:
    commit = walks.before()[0]
    parser = argparse.ArgumentParser(prog="structure", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--at", default=commit, metavar="COMMIT", help="the tree to compare with")
    asked = parser.parse_args()
    with tree_at(asked.at) as tree:
        if tree is None and asked.at != commit:
            parser.error(f"git has no {asked.at}")
        before = None if tree is None else measure(tree)
    after = measure(ROOT)
    if asked.json:
        report = {"commit": asked.at, "before": before, "after": after}
        sys.stdout.write(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join([*table(before, after, asked.at), *lists(after)]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The structure of the code: no import cycles, and what ``make structure`` measures is right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import graph, structure, walks

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("imports", [graph.python_imports, graph.javascript_imports])
def test_no_file_imports_itself_by_way_of_others(imports) -> None:
    assert graph.cycles(imports(ROOT).at_once) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    def write(path: str, text: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    write("django_sync/__init__.py", "")
    write("django_sync/low.py", "def told(line):\n    'A turn.'  # a bell\n    told(told=1)\n")
    write("django_sync/high.py", "from typing import TYPE_CHECKING\nfrom . import low\n")
    write("django_sync/rooms/__init__.py", "from .one import A\n")
    write("django_sync/rooms/one.py", "import django_sync.low\nfrom django_sync.high import x\n")
    write("django_sync/rooms/migrations/__init__.py", "")
    write("django_sync/static/django_sync/a.js", "import { b } from './b.js';\n")
    write("django_sync/static/django_sync/b.js", "export { c } from './in/c.js';\n")
    write("django_sync/static/django_sync/in/c.js", "export const c = 1;\n")
    write(
        "pyproject.toml",
        '[[tool.importlinter.contracts]]\nid = "staircase"\nlayers = ["high", "low"]\n',
    )
    return tmp_path


def append(tree: Path, path: str, text: str) -> None:
    with (tree / path).open("a") as file:
        file.write(text)


def test_a_tree_is_measured(tree: Path) -> None:
    append(tree, "django_sync/low.py", "#\n" * 400)
    branches = "".join(f"    if a == {n}: return\n" for n in range(16))
    append(tree, "django_sync/high.py", f"def many(a):  # noqa: C901\n{branches}")
    found = structure.measure(tree)
    assert found["modules_in_root"] == {"python": ["high", "low"], "javascript": ["a", "b"]}
    assert found["layers"] == 2
    assert found["longest_chain"]["python"] == [
        f"django_sync/{name}.py" for name in ("rooms/__init__", "rooms/one", "high", "low")
    ]
    assert len(found["longest_chain"]["javascript"]) == 3
    assert found["cycles"] == {"python": [], "javascript": []}
    assert found["long_modules"] == {"django_sync/low.py": 403}
    assert found["complex_functions"] == {"django_sync/high.py many": 17}
    words = found["old_words"]["python"]
    assert words["by_word"] == {"told": 2, "line": 1}
    assert (words["definitions"], words["uses"], words["prose"]) == (3, 4, 2)
    assert found["walks"] == found["places"] == {}  # those of ours do not hold in it


def test_a_package_and_a_module_in_the_root_are_places() -> None:
    files = ("feed/pull.py", "feed/log.py", "client/store/outbox.py", "engine.py", "feed/cursor.py")
    walk = [walks.Step(f"django_sync/{file}", "any") for file in files]
    assert len(walks.files(walk)) == 5
    assert walks.places(walk) == ["feed", "client", "engine.py"]


def test_the_numbers_have_files_and_places_of_each_walk(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("low.py", "rooms/one.py", "rooms/__init__.py", "low.py")
    walk = [walks.Step(f"django_sync/{file}", "any") for file in files]
    monkeypatch.setattr(walks, "of_tree", lambda root: {"a walk": walk})
    found = structure.measure(tree)
    assert found["places"] == {"a walk": ["low.py", "rooms"]}
    rows = dict(structure.rows(found))
    assert rows["files crossed by a walk"] == "3"
    assert rows["places crossed by a walk"] == "2"


def test_a_cycle_is_found(tree: Path) -> None:
    append(tree, "django_sync/low.py", "from .rooms.one import B\n")
    found = graph.cycles(graph.python_imports(tree).at_once)
    assert found == [[f"django_sync/{name}.py" for name in ("high", "low", "rooms/one")]]


def test_a_package_is_a_file_of_a_cycle(tree: Path) -> None:
    append(tree, "django_sync/rooms/one.py", "from . import A\n")
    found = graph.cycles(graph.python_imports(tree).at_once)
    assert found == [["django_sync/rooms/__init__.py", "django_sync/rooms/one.py"]]


def test_what_only_types_need_makes_no_cycle(tree: Path) -> None:
    append(tree, "django_sync/low.py", "if TYPE_CHECKING:\n    from .high import x\n")
    imports = graph.python_imports(tree)
    assert graph.cycles(imports.at_once) == graph.cycles(imports.all) == []


def test_an_import_in_a_function_counts_apart(tree: Path) -> None:
    append(tree, "django_sync/low.py", "def f():\n    from . import high\n")
    imports = graph.python_imports(tree)
    assert graph.cycles(imports.at_once) == []
    assert graph.cycles(imports.all) == [["django_sync/high.py", "django_sync/low.py"]]


@pytest.mark.parametrize("line", ["import { a } from '../a.js';", "import '../a.js';"])
def test_a_cycle_of_scripts_is_found(tree: Path, line: str) -> None:
    append(tree, "django_sync/static/django_sync/in/c.js", f"{line}\n")
    (found,) = graph.cycles(graph.javascript_imports(tree).at_once)
    assert len(found) == 3


def test_a_script_that_is_imported_later_counts_apart(tree: Path) -> None:
    append(tree, "django_sync/static/django_sync/in/c.js", "const a = await import('../a.js');\n")
    imports = graph.javascript_imports(tree)
    assert graph.cycles(imports.at_once) == []
    assert len(graph.cycles(imports.all)) == 1


@pytest.mark.slow
def test_the_report_is_one_json_object() -> None:
    command = [sys.executable, "-m", "tests.tools.structure", "--json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report = json.loads(ran.stdout)
    assert set(report["after"]["walks"])
    assert {len(files) > 1 for files in report["after"]["walks"].values()} == {True}
    assert report["after"]["places"].keys() == report["after"]["walks"].keys()
    if report["before"] is not None:
        assert report["before"].keys() == report["after"].keys()

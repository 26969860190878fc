"""The walks of “The code in ten minutes” are so in the code, step by step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tools import walks
from tests.tools.pages import ROOT
from tests.tools.walks import Step

PAGE = (ROOT / walks.PAGE).read_text()
WALKS = walks.read(PAGE)


def test_the_page_has_four_walks() -> None:
    assert len(WALKS) == 4
    items = [line for line in PAGE.splitlines() if line[:1].isdigit()]
    assert sum(map(len, WALKS.values())) == len(items), "an item is in another form"


def test_the_paths_of_the_table_are_there() -> None:
    assert walks.lost_paths(ROOT, PAGE) == []


def test_a_path_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    package = tmp_path / "django_sync"
    for name in ("feed/log.py", "feed/sub/one.py", "conf.py", "other/two.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    page = (
        "| what | where |\n| --- | --- |\n"
        "| `a.py` | `feed/`: `log.py`, `lo*.py`, `NAME` and `gone.py`; `conf.py` |\n"
        "| b | `feed/sub/one.py`, `log.py` |\n| c | `feed/log.py`, `two.py`, `nowhere/` |\n"
    )
    assert walks.lost_paths(tmp_path, page) == ["gone.py", "log.py", "two.py", "nowhere/"]


@pytest.mark.parametrize("name", WALKS)
def test_each_step_is_there_and_leads_to_the_next(name: str) -> None:
    assert walks.faults(ROOT, WALKS[name]) == []


def test_the_walks_before_are_the_same_four() -> None:
    _, before = walks.before()
    assert list(before) == list(WALKS)


# What the test would find

SOURCES = {
    "a.py": "from b import two as second\n"
    "def one(): return second()\n"
    "def other(): return three\n"
    "def unused(): ...\n",
    "b.py": "def two(): three(four)\n"
    "def four(): ...\n"
    "class Five:\n"
    "    def __init__(self): ...\n"
    "    def six(self): ...\n"
    "event = asyncio.Event()\n",
}
GOOD = [Step("a.py", "one"), Step("b.py", "two"), Step("b.py", "four")]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_good_walk_has_no_fault(tree: Path) -> None:
    assert walks.faults(tree, GOOD) == []


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (Step("c.py", "two"), "there is no c.py"),
        (Step("b.py", "three"), "b.py has no three"),
        (Step("b.py", "Five.seven"), "b.py has no Five.seven"),
        (Step("a.py", "unused"), "four in b.py does not name unused"),
        (Step("b.py", "Five.__init__"), "four in b.py does not name Five.__init__"),
        (Step("a.py", "unused", after="two"), "two in b.py does not name unused"),
        (Step("a.py", "unused", after="zero"), "unused comes from zero, which is no step before"),
        (Step("a.py", "unused", way="callback"), "a.py does not pass on unused"),
        (Step("a.py", "unused", way="callback", where="b.py"), "b.py does not pass on unused"),
        (Step("a.py", "unused", way="channel layer"), "does not lead to unused by channel layer"),
    ],
)
def test_a_step_that_is_not_so_is_found(tree: Path, step: Step, fault: str) -> None:
    (found,) = walks.faults(tree, [*GOOD, step])
    assert fault in found


def test_other_ways_to_a_step(tree: Path) -> None:
    assert walks.faults(tree, [*GOOD, Step("b.py", "Five.six", way="event")]) == []
    assert walks.faults(tree, [*GOOD, Step("b.py", "two", way="callback", where="a.py")]) != []
    assert walks.faults(tree, [*GOOD, Step("b.py", "four", way="callback")]) == []


def test_a_page_is_read() -> None:
    page = (
        "# Page\n\n1. `not/a.py` · `step`\n\n## Walk: from here to there\n\nText.\n\n"
        "1. `a.py` · `one`: begins.\n"
        "2. `b.py` · `Five.__init__`, from `one`, by callback in\n   `a.py`: goes on.\n"
        "3. `b.py` · `four`, by channel layer\n\n## Other\n\n1. `b.py` · `none`\n"
    )
    assert walks.read(page) == {
        "from here to there": [
            Step("a.py", "one"),
            Step("b.py", "Five.__init__", "callback", "a.py", "one"),
            Step("b.py", "four", "channel layer"),
        ]
    }


@pytest.mark.parametrize("name", WALKS)
def test_a_step_that_was_renamed_is_found(name: str, tmp_path: Path) -> None:
    walk = WALKS[name]
    shutil.copytree(
        ROOT / "django_sync", tmp_path / "django_sync", ignore=shutil.ignore_patterns("static")
    )
    step = walk[2]
    file, last = tmp_path / step.file, step.function.split(".")[-1]
    file.write_text(file.read_text().replace(f"def {last}(", f"def {last}_elsewhere("))
    assert f"{step.file} has no {step.function}" in walks.faults(tmp_path, walk)

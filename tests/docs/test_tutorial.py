"""The tutorial, executed as it is written: its files, its commands, the output that it shows."""

import contextlib
from pathlib import Path

import pytest

from tests.tools.pages import ROOT

from .running import Machine, blocks, follow

TUTORIAL = ROOT / "docs/tutorial.md"


@pytest.mark.slow
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with contextlib.ExitStack() as until_the_end:
        for block in blocks(TUTORIAL.read_text()):
            follow(machine, block, f"docs/tutorial.md, line {block.line}", until_the_end)
    assert (machine.folder / "laptop.db").exists()

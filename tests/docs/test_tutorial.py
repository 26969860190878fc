"""The tutorial, executed as it is written: its files, its commands, the output that it shows."""

import contextlib
from pathlib import Path

import pytest

from .pages import ROOT
from .running import FILE, Block, Machine, blocks, commands, matches

TUTORIAL = ROOT / "docs/tutorial.md"


@pytest.mark.slow
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with contextlib.ExitStack() as until_the_end:
        for block in blocks(TUTORIAL.read_text()):
            follow(machine, block, until_the_end)
    assert (machine.folder / "laptop.db").exists()


def follow(machine: Machine, block: Block, until_the_end: contextlib.ExitStack) -> None:
    """Do what a reader does with this block."""
    place = f"docs/tutorial.md, line {block.line}"
    match block.info.split():
        case ["sh"]:
            pass  # for people: it installs
        case ["console"]:
            for command, shown in commands(block.body):
                output = machine.run(command)
                told = f"{place}\n$ {command}\n── shown\n{shown}\n── came\n{output}"
                assert not shown or matches(machine.written(shown), output), told
        case ["console", "server"]:
            ((command, _),) = commands(block.body)
            until_the_end.enter_context(machine.serving(command))
        case ["python"]:
            named = FILE.match(block.body)
            assert named, f"{place}: the first line names no file"
            append = named["end"] is not None
            machine.write(named["path"], block.body[named.end() :], append=append)
        case _:
            pytest.fail(f"{place}: nobody knows what to do with a block of “{block.info}”")

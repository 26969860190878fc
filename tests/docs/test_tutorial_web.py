"""The tutorial for the web: its page is made as written and runs; what it quotes stands there."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from tests.tools.pages import ROOT

from .browsing import browsing
from .running import Block, Machine, blocks, commands, follow
from .test_readme import ROWS
from .test_readme import sections as readme

PAGE = ROOT / "docs/tutorial-web.md"
FOUND = list(blocks(PAGE.read_text()))
QUOTED = [block for block in FOUND if "/" in block.info]
OWN = [block for block in FOUND if "/" not in block.info]
LISTED = "li:has-text('{}')"


@pytest.mark.parametrize("block", QUOTED, ids=lambda block: f"line {block.line}")
def test_what_is_quoted_stands_there(block: Block) -> None:
    _, path = block.info.split()
    assert block.body in (ROOT / path).read_text()


def test_most_of_the_board_is_walked_through() -> None:
    """So that a block which loses its path is noticed, and not only run as our own."""
    assert len({block.info.split()[1] for block in QUOTED}) >= 7
    assert all(
        block.info.split()[0] in ("sh", "python", "html", "js", "console") for block in FOUND
    )


def made(machine: Machine, until_the_end: contextlib.ExitStack) -> str:
    """The README's project with the tutorial's page in it; the command of its server."""
    machine.run("django-admin startproject mysite .")
    machine.run("python manage.py startapp tasks")
    machine.write("mysite/settings.py", '\nINSTALLED_APPS += ["tasks"]\n', append=True)
    for block in readme()[0]:
        if "server" in block.info:
            break
        follow(machine, block, f"README.md, line {block.line}", until_the_end)
    machine.write("rows.py", ROWS, append=False)
    machine.run("python manage.py shell < rows.py")
    serve = ""
    for block in OWN:
        if "server" in block.info:
            ((serve, _),) = commands(block.body)
        else:
            follow(machine, block, f"{PAGE.name}, line {block.line}", until_the_end)
    return serve


def add(page: Any, title: str) -> None:
    page.fill("#new [name=title]", title)
    page.click("#new button")


def orm(machine: Machine, code: str) -> str:
    return machine.run(f'python manage.py shell -v 0 -c "from tasks.models import Task; {code}"')


@pytest.mark.slow
def test_the_page_works_as_written(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with browsing() as context, contextlib.ExitStack() as until_the_end:
        from playwright.sync_api import expect

        serve = made(machine, until_the_end)
        address = f"http://127.0.0.1:{machine.port}/"
        page, other = context.new_page(), context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))

        def listed(page: Any, title: str) -> Any:
            return page.locator(LISTED.format(title))

        with machine.serving(serve):
            page.goto(address)
            page.fill("[name=username]", "you")
            page.fill("[name=password]", "a long secret")
            page.click("[type=submit]")
            expect(page.locator("#status")).to_have_text("live")
            page.evaluate("navigator.serviceWorker.ready")
            page.reload()
            other.goto(address)
            for one in (page, other):
                expect(one.locator("#status")).to_have_text("live")

            add(page, "At once")
            expect(listed(other, "At once")).to_be_visible()
            listed(other, "At once").locator("input").check()
            expect(listed(page, "At once").locator("input")).to_be_checked()
            orm(machine, "Task.objects.filter(title='At once').update(done=False)")
            expect(listed(page, "At once").locator("input")).not_to_be_checked()
            other.close()

        expect(page.locator("#status")).to_have_text("offline")
        add(page, "In a tunnel")
        expect(listed(page, "In a tunnel")).to_contain_text("waiting")
        listed(page, "At once").locator("input").check()
        expect(page.locator("#status")).to_have_text("offline, 2 waiting")
        page.close()
        orm(machine, "Task.objects.filter(title='At once').delete()")
        page = context.new_page()
        page.goto(address)  # no server is there
        expect(listed(page, "In a tunnel")).to_contain_text("waiting")
        expect(listed(page, "At once")).to_be_visible()

        with machine.serving(serve):
            expect(page.locator("#status")).to_have_text("live")
            expect(listed(page, "In a tunnel")).not_to_contain_text("waiting")
            expect(page.locator("#conflict")).to_contain_text("Somebody else deleted a task")
            expect(listed(page, "At once").locator("input")).to_be_checked()
            assert orm(machine, "print(Task.objects.filter(title='In a tunnel').count())") == "1\n"
            expect(page.locator("#status")).to_have_text("live")
            assert orm(machine, "print(Task.objects.get(title='At once').done)") == "True\n"
        assert wrong == []

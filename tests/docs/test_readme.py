"""The README: its ten minutes are done as written, and its example prints what is shown."""

import contextlib
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.tools.pages import ROOT

from .running import Block, Machine, blocks, commands, follow, matches

README = ROOT / "README.md"
EXAMPLE = "example_project/two_clients.py"

BEFORE = """
from django.db import models


class Task(models.Model):
    title = models.CharField(max_length=100)
    done = models.BooleanField(default=False)
"""
ROWS = """
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

you = User.objects.create_superuser("you", password="a long secret")
Token.objects.create(user=you, key="YOUR-TOKEN")
"""


def sections() -> tuple[list[Block], Block]:
    """The blocks of the ten minutes, and that of the example."""
    found = list(blocks(README.read_text()))
    (example,) = (block for block in found if EXAMPLE in block.body)
    return [block for block in found if block is not example], example


@pytest.mark.slow
def test_ten_minutes_on_ones_own_models(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.run("django-admin startproject mysite .")
    machine.run("python manage.py startapp tasks")
    machine.write("tasks/models.py", BEFORE, append=False)
    machine.write("mysite/settings.py", '\nINSTALLED_APPS += ["tasks"]\n', append=True)
    machine.run("python manage.py makemigrations tasks && python manage.py migrate")
    two = "from tasks.models import Task; [Task.objects.create(title=t) for t in 'ab']"
    machine.run(f'python manage.py shell -c "{two}"')
    machine.write("rows.py", ROWS, append=False)
    with contextlib.ExitStack() as until_the_end:
        for block in sections()[0]:
            if "server" in block.info:
                machine.run("python manage.py shell < rows.py")
            follow(machine, block, f"README.md, line {block.line}", until_the_end)
    assert (machine.folder / "tasks.db").exists()


@pytest.mark.slow
def test_two_clients_end_equal_and_print_what_is_shown(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    database = tmp_path / "demo.sqlite3"
    machine.env["DATABASE_URL"] = f"sqlite:///{database}"
    manage = f'python "{ROOT / "example_project/manage.py"}"'
    machine.run(f"{manage} migrate --verbosity 0 && {manage} seed")
    ((command, shown),) = commands(sections()[1].body)
    assert command == f".venv/bin/python {EXAMPLE}"
    serve = (
        f'"{sys.executable}" -m uvicorn example_project.asgi:application '
        "--port 8000 --lifespan off --log-level warning"
    )
    script = f'python "{ROOT / EXAMPLE}" --url http://127.0.0.1:8000 --stores stores'
    with machine.serving(serve):
        output = machine.run(script)
        assert matches(shown, output), output
        assert machine.run(script).count(": equal") == 3  # again, and on the stores of before

    with contextlib.closing(sqlite3.connect(database)) as db:
        there = 'SELECT "column", body FROM boards_card WHERE title = ?'
        row = db.execute(there, ["Inspect pump 1"]).fetchone()
    assert row == ("done", "It hums. It leaks.")
    for name in ("ada", "grace"):
        with contextlib.closing(sqlite3.connect(machine.folder / f"stores/{name}.db")) as db:
            assert db.execute("SELECT count(*) FROM outbox").fetchone() == (0,)

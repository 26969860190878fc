"""django-todo, with rows in it, is adopted: by how much code, and what clients then see."""

import importlib.util
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
TASKS = ROOT / "tests/adoption/tasks"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("todo") is None,
    reason="django-todo is not installed: pip install --no-deps django-todo",
)

BEFORE = """
import django; django.setup()
from django.contrib.auth.models import Group, User
from django.core.management import call_command
call_command("migrate", verbosity=0)
from todo.models import Task, TaskList
group = Group.objects.create(name="home")
ada = User.objects.create_superuser("ada"); ada.groups.add(group)
for name in ("kitchen", "garden"):
    tasks = TaskList.objects.create(name=name, slug=name, group=group)
    for n in range(20):
        Task.objects.create(title=f"{name} {n}", task_list=tasks, created_by=ada)
"""

AFTER = """
import django; django.setup()
from django.core.management import call_command
call_command("makemigrations", "tasks", verbosity=0)
call_command("migrate", verbosity=0)
from django.contrib.auth.models import Group, User
from django.test import Client
from django_sync.capture import verify
from todo.models import Task, TaskList
from tests.adoption.tasks.models import SyncedTask

for task in Task.objects.filter(syncedtask=None):        # the rows that are there
    SyncedTask(task_ptr=task).save_base(raw=True)
assert verify() == [], verify()
ada = User.objects.get(username="ada")
client = Client(); client.force_login(ada)

def pull(cursor=None):
    changes = []
    while True:
        answer = client.get("/sync/changes/", {"cursor": cursor} if cursor else {})
        assert answer.status_code == 200, answer.content[:500]
        page = answer.json()
        changes += page["changes"]
        cursor = page["cursor"]
        if not page["has_more"]:
            return changes, cursor

first, cursor = pull()
assert len([c for c in first if c["op"] == "put"]) == 40, first[:3]

kitchen, garden = TaskList.objects.order_by("-name")
task = Task.objects.get(title="kitchen 3")               # the app's own code, on its own models
task.completed = True
task.save()
Task.objects.filter(title="kitchen 4").update(note="by update()")
Task.objects.get(title="kitchen 6").delete()
Task.objects.create(title="new", task_list=garden)
Task.objects.filter(title="kitchen 7").update(task_list=garden)
changes, cursor = pull(cursor)
ops = sorted((c["op"], (c.get("object") or {}).get("title", "")) for c in changes)
assert [t for op, t in ops if op == "put"] == ["kitchen 3", "kitchen 4", "kitchen 7", "new"], ops
assert [op for op, t in ops if op == "delete"] == ["delete"], ops

ada.groups.clear()                                       # out of the group, out of view
gone, cursor = pull(cursor)
assert [c["op"] for c in gone] == ["drop", "drop"], gone
call_command("check", databases=["default"], fail_level="ERROR")
print("done", SyncedTask.objects.count())
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/todo.sqlite3"
        return
    import psycopg

    base, name = os.environ["DATABASE_URL"], f"todo_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(base, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    yield f"{base.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(base, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(script: str, url: str, path: Path, adopted: str) -> str:
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.adoption.settings",
        "ADOPTED": adopted,
        "TASKS_MIGRATIONS": "tasks_migrations",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(path)]),
    }
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, cwd=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_django_todo_is_adopted(url: str, tmp_path: Path) -> None:
    (tmp_path / "tasks_migrations").mkdir()
    (tmp_path / "tasks_migrations/__init__.py").touch()
    run(BEFORE, url, tmp_path, "")
    assert "done 40" in run(AFTER, url, tmp_path, "yes")


def test_how_many_lines_it_takes() -> None:
    code = [
        line
        for file in ("models.py", "sync.py")
        for line in (TASKS / file).read_text().splitlines()
        if line.strip() and not line.startswith(("from", "import", '"""'))
    ]
    assert len(code) <= 20

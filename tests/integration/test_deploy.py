"""F5: a deploy changes models and serializers, and clients that were offline meanwhile follow.

Each stage is a process with the code of that time; the stores of the clients outlive it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """
from example_project.settings import *
INSTALLED_APPS = [a for a in INSTALLED_APPS if not a.startswith("example_project")] + ["shop"]
SECRET_KEY = "the suite's"
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["testserver"]
"""

FILES = {
    "__init__.py": "",
    "migrations/__init__.py": "",
    "urls.py": """
from django.urls import include, path
urlpatterns = [path("sync/", include("django_sync.http.urls"))]
""",
    "models.py": """
import os
from django.db import models
from django_sync.models import SyncModel
stage = int(os.environ["STAGE"])

class Item(SyncModel):
    if stage == 1:
        title = models.CharField(max_length=50)
    else:
        name = models.CharField(max_length=50)
        note = models.CharField(max_length=50, default="none said")
    body = models.CharField(max_length=50, default="")
""",
    "sync.py": """
from rest_framework import permissions, serializers, viewsets
from django_sync import sync
from django_sync.sync import SyncSerializerMixin, SyncViewSetMixin
from .models import Item, stage

class ItemSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    if stage == 3:
        title = serializers.CharField(source="name", write_only=True, required=False)

    class Meta:
        model = Item
        fields = {1: ["title", "body"], 2: ["name", "note"], 3: ["name", "title", "note"]}[stage]
        extra_kwargs = {"name": {"required": False}} if stage == 3 else {}

class ItemViewSet(SyncViewSetMixin, viewsets.ModelViewSet):
    queryset = Item.objects.all()
    serializer_class = ItemSerializer
    permission_classes = [permissions.IsAuthenticated]

sync.register("items", ItemViewSet)
""",
}
MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.AddField("Item", "note", models.CharField(max_length=50, default="none said")),
        migrations.RenameField("Item", "title", "name"),
    ]
"""

BEGIN = """
import django; django.setup()
import sys
from pathlib import Path
import httpx2
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from rest_framework.authtoken.models import Token
from django_sync.client import SyncClient, TokenAuth
from django_sync.models import Change, Outbox
from shop.models import Item

def connect(name, *, sync=True):
    key = Token.objects.get(user__username="ada").key
    client = SyncClient("http://testserver/sync/", store=f"{name}.sqlite3", collections=["items"],
                        auth=TokenAuth(key), transport=httpx2.WSGITransport(get_wsgi_application()))
    if sync:
        client.sync()
    return client

def held(client):
    return sorted((dict(r.object) for r in client.collection("items").all()), key=repr)

def entries():
    return Change.objects.count() + Outbox.objects.count()

def by(body):
    return Item.objects.get(body=body)
"""

FIRST = """
call_command("makemigrations", "shop", verbosity=0)
call_command("migrate", verbosity=0)
Token.objects.create(user=User.objects.create_user("ada"))
for n in "12345":
    Item.objects.create(title=f"Item {n}", body=f"body {n}")
for name in "ab":
    client = connect(name)
    assert held(client)[0] == {"title": "Item 1", "body": "body 1"}
    items = client.collection("items")
    first, second = by("body 1"), by("body 2")
    items.update(str(first.sync_id), {"title": f"typed by {name}"})
    items.create({"title": f"made by {name}"})
    items.update(str(second.sync_id), {"body": f"body by {name}"})
    items.delete(str(by("body 3" if name == "a" else "body 4").sync_id))
    if name == "b":
        items.update(str(by("body 5").sync_id), {"title": "alone in it"})
    assert client.status.pending == (4 if name == "a" else 5)
    client.close()
"""

RENAMED = """
before = entries()
call_command("migrate", verbosity=0)
assert entries() == before, "no row has changed"
client = connect("a")
assert client.status.pending == 0
told = client.rejections
assert [(r.mutation.fields, r.problem["code"]) for r in told] == [
    ({"title": "typed by a"}, "validation_failed"),
    ({"title": "made by a"}, "validation_failed"),
    ({"body": "body by a"}, "validation_failed"),
], told
unknown = [(name, e["code"]) for r in told for name, es in r.problem["errors"].items() for e in es]
assert unknown == [("title", "unknown"), ("title", "unknown"), ("body", "unknown")], unknown
assert not Item.objects.filter(body="body 3").exists(), "what names no field is applied"
assert [(i.name, i.body) for i in Item.objects.order_by("pk")] == [
    ("Item 1", "body 1"), ("Item 2", "body 2"), ("Item 4", "body 4"),
    ("Item 5", "body 5")]
assert held(client) == [{"name": f"Item {n}", "note": "none said"} for n in "1245"], held(client)
typed = told[0].mutation.fields["title"]
client.collection("items").update(str(by("body 1").sync_id), {"name": typed})
client.sync()
assert by("body 1").name == "typed by a"
again = client.sync()
assert again.changes == 0, again
heard = []
client.on_rejected(heard.append)
client.sync()
assert [r.mutation.id for r in heard] == [r.mutation.id for r in told]
assert client.rejections == []
client.close()
there = b"".join(file.read_bytes() for file in Path().glob("a.sqlite3*"))
assert b"body 1" not in there and b"body 2" not in there, "what is published no more is on no disk"
"""

ALIASED = """
client = connect("b")
assert client.status.pending == 0
assert [r.mutation.fields for r in client.rejections] == [{"body": "body by b"}], client.rejections
assert by("body 5").name == "alone in it"
(conflict,) = client.conflicts
assert conflict.fields == ("title",), "which stands for the name that another has changed"
assert conflict.server.object == {"name": "typed by a", "note": "none said"}
conflict.settle(conflict.keep_client())
client.sync()
assert client.status.pending == 0 and client.conflicts == []
named = ["Item 2", "alone in it", "made by b", "typed by b"]
assert sorted(Item.objects.values_list("name", flat=True)) == named
assert held(client) == [{"name": name, "note": "none said"} for name in named], held(client)
client.close()
"""


def run(folder: Path, url: str, stage: int, script: str) -> None:
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "shop_settings",
        "STAGE": str(stage),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script],
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"stage {stage}: {done.stdout}{done.stderr}"


@pytest.mark.django_db
def test_f5_clients_follow_a_deploy_and_lose_nothing_silently(url: str, tmp_path: Path) -> None:
    """A field is added with a default, one is taken out, one is renamed; then renamed gently."""
    for path, text in FILES.items():
        file = tmp_path / "shop" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "shop_settings.py").write_text(SETTINGS)
    run(tmp_path, url, 1, FIRST)
    (tmp_path / "shop/migrations/0002_renamed.py").write_text(MIGRATION)
    run(tmp_path, url, 2, RENAMED)
    run(tmp_path, url, 3, ALIASED)

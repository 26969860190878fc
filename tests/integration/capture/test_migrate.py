"""A project's life under ``migrate`` itself, forwards and back, until it is synced no more.

Each stage is a process with the code of that time, on a database of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

SETTINGS = """
from example_project.settings import *
INSTALLED_APPS = [a for a in INSTALLED_APPS if not a.startswith("example_project")] + ["shop"]
SECRET_KEY = "the suite's"
"""

MODELS = """
import os
from django.db import models
from django_sync.models import SyncModel
stage = int(os.environ["STAGE"])

class Shop(SyncModel):
    name = models.CharField(max_length=50)
    sync_scope_path = "self"

if stage == 1:
    class Item(SyncModel):
        shop = models.ForeignKey(Shop, models.CASCADE)
        title = models.CharField(max_length=50)
        sync_scope_path = "shop"
elif stage == 2:
    class Product(SyncModel):
        shop = models.ForeignKey(Shop, models.CASCADE)
        name = models.CharField(max_length=50)
        note = models.CharField(max_length=50, default="")
        sync_scope_path = "shop"
else:
    class Product(models.Model):
        shop = models.ForeignKey(Shop, models.CASCADE)
        name = models.CharField(max_length=50)
        note = models.CharField(max_length=50, default="")
"""

SECOND = """
from django.db import migrations, models

def write(apps, schema_editor):
    apps.get_model("shop", "Product").objects.update(note="by RunPython")

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RenameModel("Item", "Product"),
        migrations.AddField("Product", "note", models.CharField(max_length=50, default="")),
        migrations.RunPython(write, migrations.RunPython.noop, elidable=True),
        migrations.RenameField("Product", "title", "name"),
    ]
"""

BEGIN = """
import django; django.setup()
from django.core.management import call_command
from django.db import connection, transaction
from django_sync.capture import verify
from django_sync.models import Change, Feed, Generation, Outbox, Tombstone
Log = Change if connection.vendor == "sqlite" else Outbox
def ops(label):
    return list(Log.objects.filter(model=label).order_by("pk").values_list("op", "revision"))
def generations():
    return dict(Generation.objects.values_list("model", "value"))
from shop.models import *
"""

STAGES: list[tuple[str, int, str]] = [
    (
        "the first",
        1,
        """
call_command("makemigrations", "shop", verbosity=0); call_command("migrate", verbosity=0)
Feed.objects.create(id=1)
shop = Shop.objects.create(name="s")
for title in "ab":
    Item.objects.create(shop=shop, title=title)
Item.objects.get(title="b").delete()
""",
    ),
    (
        "renamed, with RunPython in between",
        2,
        """
before = generations()
call_command("migrate", verbosity=0)
assert verify() == [], verify()
assert generations() == before, generations()
assert ops("shop.item") == []
assert ops("shop.product") == [("c", 1), ("c", 1), ("d", 2), ("u", 2)], ops("shop.product")
assert Tombstone.objects.get().model == "shop.product"
Product.objects.update(name="A")
assert ops("shop.product")[-1] == ("u", 3)
""",
    ),
    (
        "backwards",
        1,
        """
call_command("migrate", "shop", "0001", verbosity=0)
assert verify() == [], verify()
Item.objects.update(title="back")
assert ops("shop.item")[-1] == ("u", 4), ops("shop.item")
assert Tombstone.objects.get().model == "shop.item"
""",
    ),
    (
        "forwards again, --fake, squashed",
        2,
        """
call_command("migrate", verbosity=0)
call_command("migrate", "shop", "0001", fake=True, verbosity=0)
assert verify() == [], verify()
call_command("migrate", "shop", fake=True, verbosity=0)
call_command("squashmigrations", "shop", "0002", interactive=False, verbosity=0)
""",
    ),
    (
        "as squashed",
        2,
        """
call_command("migrate", verbosity=0)
assert verify() == [], verify()
Product.objects.update(name="B")
assert ops("shop.product")[-1][0] == "u"
""",
    ),
    (
        "synced no more",
        3,
        """
call_command("makemigrations", "shop", verbosity=0); call_command("migrate", verbosity=0)
assert verify() == [], verify()
n = len(ops("shop.product"))
Product.objects.update(name="unseen")
assert len(ops("shop.product")) == n
with connection.cursor() as cursor:
    columns = connection.introspection.get_table_description(cursor, "shop_product")
assert not [c.name for c in columns if c.name.startswith("sync_")]
Shop.objects.update(name="t")
assert ops("shop.shop")[-1] == ("u", 2)
""",
    ),
    (
        "without migrations, and made at once",
        2,
        """
from django.test.utils import override_settings
call_command("flush", interactive=False, verbosity=0)
with connection.cursor() as cursor:
    for table in ("shop_product", "shop_shop"):
        cursor.execute(f"DROP TABLE {table}")
with override_settings(MIGRATION_MODULES={"shop": None}):
    call_command("migrate", run_syncdb=True, verbosity=0)
assert verify() == [], verify()
Product.objects.create(shop=Shop.objects.create(name="s"), name="n")
assert ops("shop.product")[-1] == ("c", 1)
""",
    ),
]


@pytest.mark.django_db
def test_a_project_through_its_migrations(url: str, tmp_path: Path) -> None:
    app = tmp_path / "shop"
    (app / "migrations").mkdir(parents=True)
    for empty in (app, app / "migrations"):
        (empty / "__init__.py").touch()
    (app / "models.py").write_text(MODELS)
    (tmp_path / "shop_settings.py").write_text(SETTINGS)
    for name, stage, script in STAGES:
        env = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "shop_settings",
            "STAGE": str(stage),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]),
        }
        done = subprocess.run(
            [sys.executable, "-c", BEGIN + script],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        if name == "the first":
            (app / "migrations/0002_products.py").write_text(SECOND)

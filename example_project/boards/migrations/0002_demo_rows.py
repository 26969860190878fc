"""The rows that were there before sync: the demo's users and boards.

Where the setting ``BOARDS_DEMO_ROWS`` is false, none: a test's database starts empty.
"""

from django.conf import settings
from django.db import migrations

from example_project.boards import demo


def add_rows(apps, schema_editor):
    if getattr(settings, "BOARDS_DEMO_ROWS", False):
        demo.add_rows(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("boards", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("authtoken", "0004_alter_tokenproxy_options"),
    ]

    # Reversing leaves the rows: by then they may be somebody's.
    operations = [migrations.RunPython(add_rows, migrations.RunPython.noop)]

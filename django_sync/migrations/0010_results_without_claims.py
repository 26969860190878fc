from django.db import migrations


class Migration(migrations.Migration):
    """A lock on the client's row orders duplicates; no row is claimed before its result."""

    dependencies = [("django_sync", "0009_tombstone_key")]

    operations = [migrations.RemoveField(model_name="mutationresult", name="claim")]

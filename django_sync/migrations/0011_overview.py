"""PostgreSQL: what a pull asks of the feed first, as a function.

A session keeps the plan of a function, and makes that of a statement anew each time, which took
longer than running it. There is one statement in it, so what it says is of one moment. A plan that
was made while the log was short must not read all of a long one later: hence no sequential scans.
Their absence makes plans look so expensive that they would be compiled, hence no JIT.

`feed.overview` works without it. A later release that wants other columns makes a function of
another name, so that processes of both releases can run at once.
"""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION django_sync_overview(place bigint) RETURNS text
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $body$
BEGIN
    RETURN (
        SELECT concat_ws('|', f.epoch, f.head, f.floor,
                   COALESCE((SELECT c.mark FROM django_sync_change c WHERE c.position = place), -1),
                   EXISTS (SELECT 1 FROM django_sync_outbox)::int,
                   (SELECT json_object_agg(g.model, g.value) FROM django_sync_generation g))
        FROM django_sync_feed f WHERE f.id = 1);
END
$body$
"""
DROP = 'DROP FUNCTION IF EXISTS django_sync_overview(bigint)'


def create(apps, editor):
    if editor.connection.vendor == 'postgresql':
        editor.execute(CREATE, params=None)


def drop(apps, editor):
    if editor.connection.vendor == 'postgresql':
        editor.execute(DROP)


class Migration(migrations.Migration):

    dependencies = [('django_sync', '0010_results_without_claims')]

    operations = [migrations.RunPython(create, drop)]

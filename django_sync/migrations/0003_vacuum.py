"""PostgreSQL: every row of the outbox dies young, so it is vacuumed by their number, soon.

The default waits for a fifth of a table that is empty most of the time, and each pull
walks over what is dead. The log is vacuumed by number too, since a fifth of a long one
comes late.
"""

from django.db import migrations

OUTBOX = (
    ('autovacuum_vacuum_scale_factor', '0'),
    ('autovacuum_vacuum_threshold', '5000'),
    ('autovacuum_analyze_scale_factor', '0'),
    ('autovacuum_analyze_threshold', '50000'),
)
LOG = (
    ('autovacuum_vacuum_scale_factor', '0.02'),
    ('autovacuum_vacuum_threshold', '5000'),
)


def of(apps, name):
    return apps.get_model('django_sync', name)._meta.db_table


def tune(apps, editor):
    if editor.connection.vendor != 'postgresql':
        return
    for name, settings in (('Outbox', OUTBOX), ('Change', LOG)):
        told = ', '.join(f'{key} = {value}' for key, value in settings)
        editor.execute(f'ALTER TABLE {editor.quote_name(of(apps, name))} SET ({told})')


def untune(apps, editor):
    if editor.connection.vendor != 'postgresql':
        return
    for name, settings in (('Outbox', OUTBOX), ('Change', LOG)):
        told = ', '.join(key for key, _ in settings)
        editor.execute(f'ALTER TABLE {editor.quote_name(of(apps, name))} RESET ({told})')


class Migration(migrations.Migration):

    dependencies = [
        ('django_sync', '0002_hold'),
    ]

    operations = [
        migrations.RunPython(tune, untune),
    ]

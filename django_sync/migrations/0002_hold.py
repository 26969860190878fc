from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('django_sync', '0001_feed'),
    ]

    operations = [
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
    ]

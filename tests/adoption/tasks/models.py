"""The tasks of django-todo, as objects that are synced."""

from django.db import models
from todo.models import Task

from django_sync.models import SyncModel


class SyncedTask(SyncModel, Task):
    sync_scope_path = "task_list"


def follow(sender, instance, created, raw, **kwargs):
    if created and not raw and sender is Task:
        SyncedTask(task_ptr=instance).save_base(raw=True)


models.signals.post_save.connect(follow, sender=Task)

from todo.models import TaskList

from django_sync import sync

from .models import SyncedTask


def lists_of(user):
    return [
        str(pk) for pk in TaskList.objects.filter(group__user=user).values_list("pk", flat=True)
    ]


sync.register(
    SyncedTask,
    name="tasks",
    fields=["title", "note", "completed", "due_date", "priority"],
    scope="task_list",
    scopes=lists_of,
)

from django_sync import sync

from . import api

sync.register("notes", api.NoteViewSet)
sync.register("items", api.ItemViewSet)

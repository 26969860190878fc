"""The collections of this application, found by django_sync as admin.py is by the admin."""

from django_sync import sync

from . import api

sync.register("boards", api.BoardViewSet)
sync.register("labels", api.LabelViewSet)
sync.register("cards", api.CardViewSet)
sync.register("comments", api.CommentViewSet)

"""The synced viewset, and what a project would write without sync, over the same records."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from rest_framework import pagination, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_sync.sync import SyncSerializerMixin, SyncViewSetMixin

from .models import Folder, Item, Note, PlainFolder, PlainItem, PlainNote

CONTENT = ["title", "body", "done", "n", "at"]
NONE = "00000000-0000-0000-0000-000000000000"


class NoteSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Note
        fields = CONTENT


class NoteViewSet(SyncViewSetMixin, viewsets.ModelViewSet):
    serializer_class = NoteSerializer
    shared_rendering = True

    def get_queryset(self) -> Any:
        return Note.objects.filter(room=self.request.user.username)

    def get_scopes(self) -> list[str]:
        return [self.request.user.username]

    def perform_create(self, serializer: Any) -> None:
        serializer.save(room=self.request.user.username)


class FolderSerializer(serializers.ModelSerializer):
    class Meta:
        model = Folder
        fields = ("name",)


class ItemSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    """With a nested read-only serializer, over a query that does not select its rows."""

    folder = FolderSerializer(read_only=True)

    class Meta:
        model = Item
        fields = (*CONTENT, "folder")


class ItemViewSet(SyncViewSetMixin, viewsets.ReadOnlyModelViewSet):
    """Items in the folders whose name begins with the user's."""

    serializer_class = ItemSerializer
    queryset = Item.objects.all()
    shared_rendering = True

    def get_scopes(self) -> Any:
        mine = Folder.objects.filter(name__startswith=f"{self.request.user.username} ")
        return mine.values_list("sync_id", flat=True)


class PlainFolderSerializer(serializers.ModelSerializer):
    class Meta:
        model = PlainFolder
        fields = ("name",)


class PlainItemSerializer(serializers.ModelSerializer):
    folder = PlainFolderSerializer(read_only=True)

    class Meta:
        model = PlainItem
        fields = ("id", *CONTENT, "folder")


class PlainSerializer(serializers.ModelSerializer):
    id = serializers.UUIDField()

    class Meta:
        model = PlainNote
        fields = ("id", *CONTENT, "modified")
        read_only_fields = ("modified",)


class Cursor(pagination.CursorPagination):
    page_size = 1000
    ordering: tuple[str, ...] = ("modified", "id")


class PlainViewSet(viewsets.ModelViewSet):
    """Plain DRF; ``since`` for what has changed, ``many`` for several at once."""

    serializer_class = PlainSerializer
    pagination_class = Cursor

    def get_queryset(self) -> Any:
        notes = PlainNote.objects.filter(room=self.request.user.username)
        since = self.request.query_params.get("since")
        return notes.filter(modified__gt=since) if since else notes

    def perform_create(self, serializer: Any) -> None:
        serializer.save(room=self.request.user.username)

    @action(detail=False, methods=["post"])
    def many(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            self.perform_create(serializer)
        return Response(serializer.data, status=201)

    @action(detail=False, methods=["post"])
    def update_many(self, request: Request) -> Response:
        """What ``PATCH`` does, for each object of a list."""
        told = []
        with transaction.atomic():
            for data in listed(request):
                found = get_object_or_404(self.get_queryset(), pk=data["id"])
                self.check_object_permissions(request, found)
                serializer = self.get_serializer(found, data=data, partial=True)
                serializer.is_valid(raise_exception=True)
                self.perform_update(serializer)
                told.append(serializer.data)
        return Response(told)

    @action(detail=False, methods=["post"])
    def delete_many(self, request: Request) -> Response:
        """What ``DELETE`` does, for each object of a list."""
        with transaction.atomic():
            for data in listed(request):
                found = get_object_or_404(self.get_queryset(), pk=data["id"])
                self.check_object_permissions(request, found)
                self.perform_destroy(found)
        return Response(status=204)


def listed(request: Request) -> list[dict[str, Any]]:
    assert isinstance(request.data, list)
    return request.data


class ByKey(Cursor):
    ordering = ("id",)


class PlainItemViewSet(viewsets.ReadOnlyModelViewSet):
    """As a project writes it that knows of ``select_related``."""

    serializer_class = PlainItemSerializer
    pagination_class = ByKey

    def get_queryset(self) -> Any:
        mine = PlainItem.objects.filter(folder__name__startswith=f"{self.request.user.username} ")
        return mine.select_related("folder")


class ByHand(APIView):
    """``values_list`` by the key, and ``json``: as fast as Python is without sync."""

    def get(self, request: Request) -> HttpResponse:
        names = ("id", *CONTENT, "modified")
        after = request.query_params.get("after", NONE)
        found = PlainNote.objects.filter(room=request.user.username, id__gt=after).order_by("id")
        rows = [
            dict(zip(names, (str(id), title, body, done, n, iso(at), iso(modified)), strict=True))
            for id, title, body, done, n, at, modified in found.values_list(*names)[:1000]
        ]
        last = rows[-1]["id"] if len(rows) == 1000 else None
        body = json.dumps({"next": last, "results": rows}, separators=(",", ":"))
        return HttpResponse(body, content_type="application/json")


def iso(time: Any) -> str:
    return str(time.isoformat())


class InDatabase(APIView):
    """``json_agg`` by the key: PostgreSQL makes the page."""

    def get(self, request: Request) -> HttpResponse:
        after = request.query_params.get("after", NONE)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(json_agg(t)::text, '[]'), max(id::text), count(*) FROM"
                " (SELECT id, title, body, done, n, at, modified FROM notes_plainnote"
                " WHERE room = %s AND id > %s::uuid ORDER BY id LIMIT 1000) t",
                [request.user.username, after],
            )
            page, last, count = cursor.fetchone()
        told = json.dumps(last if count == 1000 else None)
        return HttpResponse(f'{{"next":{told},"results":{page}}}', content_type="application/json")


class Empty(APIView):
    """An authenticated view that has nothing to say."""

    def get(self, request: Request) -> Response:
        return Response({})

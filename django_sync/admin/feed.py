"""Pages over the feed: the log, its clients, and the feed's status. Nothing is written."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from .. import capture
from ..conf import conf
from ..feed.history import OPS
from ..maintenance.status import MOST as WHOLE_COUNT
from ..maintenance.status import sizes, status
from ..models import Change, Client, Feed
from .read_only import ReadOnlyAdmin, UsersOwnAdmin, by_id_or_user, by_object


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """The log: which object changed, where, when and how."""

    list_display = ("position", "at", "model", "done", "object_id", "revision", "touched", "scope")
    ordering = ("-position",)
    search_help_text = "An object’s id, or else a scope; exactly as it is."

    @admin.display(description="op")
    def done(self, obj: Change) -> str:
        return str(OPS[obj.op])

    @admin.display(description="columns", empty_value="")
    def touched(self, obj: Change) -> str:
        return (obj.columns or "").replace(",", ", ")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        found = by_object(queryset, term)
        return queryset.filter(scope=term) if found is None else found


@admin.register(Client)
class ClientAdmin(UsersOwnAdmin):
    """The installations, and whose they are."""

    list_display = ("id", "user", "created_at", "forgotten_seq")
    list_select_related = ("user",)
    ordering = ("-id",)
    search_help_text = "A client’s id, or its user’s name; exactly as it is."

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        return by_id_or_user(queryset, term, "id")


@admin.register(Feed)
class FeedAdmin(ReadOnlyAdmin):
    """One page: epoch, head, floor, the outbox, holds, the sizes of the tables."""

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        return queryset

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        current = status()
        context = {
            **self.admin_site.each_context(request),
            "title": "Feed status",
            "opts": self.opts,
            "status": current,
            "oldest": current.oldest and datetime.datetime.fromisoformat(str(current.oldest)),
            "most": WHOLE_COUNT,
            "sizes": sizes(),
            "problems": capture.verify(conf.DATABASE),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/django_sync/feed.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """There is only one feed, and its page is the list."""
        name = "admin:django_sync_feed_changelist"
        return HttpResponseRedirect(reverse(name, current_app=self.admin_site.name))

"""Pages over the feed: the log, its clients, and how it stands. Nothing is written.

Made for long tables: order and search go by an index, and nobody counts to the end.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property

from .. import capture
from ..conf import conf
from ..feed.history import OPS
from ..maintenance.status import MOST as WHOLE_COUNT
from ..maintenance.status import sizes, status
from ..models import Change, Client, Feed
from ..protocol.ids import canonical_uuid

MOST = 5000
"""Rows that can be paged through; whoever wants others searches for them."""

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    ModelAdmin, Pages = admin.ModelAdmin, Paginator


class BoundedPaginator(Pages):
    """Counts as far as ``MOST``, and shows no more."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST].count())


class FixedOrder(ChangeList):
    """Lists in the one order that an index has, whatever the address asks for."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(self.model_admin.get_ordering(request))


class ReadOnlyAdmin(ModelAdmin):
    """Pages of a long table that the engine alone writes."""

    actions: Any = None
    list_display_links: Any = None
    list_per_page = 100
    list_max_show_all = 0
    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER  # each would be counted
    show_full_result_count = False
    sortable_by = ()
    search_fields = ("pk",)  # shows the box; get_search_results does the looking

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FixedOrder

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the page offers; any other filter would look at all rows."""
        return lookup.partition("__")[0] in self.list_filter

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact, by one index: a look at all rows would take minutes."""
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        raise NotImplementedError


def by_object(queryset: QuerySet[Any], term: str) -> QuerySet[Any] | None:
    """The rows of the object that a term names; ``None`` where it names none that has any."""
    try:
        found = queryset.filter(object_id=canonical_uuid(term))
    except ValueError:
        return None
    return found if found.order_by().exists() else None


def by_id_or_user(queryset: QuerySet[Any], term: str, *columns: str) -> QuerySet[Any]:
    """The rows one of whose ``columns`` is the id that a term is; else those of that user."""
    try:
        id = canonical_uuid(term)
    except ValueError:
        users: Any = get_user_model()
        named = users._default_manager.filter(**{users.USERNAME_FIELD: term})
        return queryset.filter(user__in=[user.pk for user in named[:1]])
    return queryset.filter(Q(*((column, id) for column in columns), _connector=Q.OR))


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


def gone_with_their_user(pages: Any, request: HttpRequest) -> bool:
    """Nobody deletes one here; but with its user it may go, as it would without this page."""
    match = request.resolver_match
    here = f"{pages.opts.app_label}_{pages.opts.model_name}_"
    return match is not None and not str(match.url_name).startswith(here)


class UsersOwnAdmin(ReadOnlyAdmin):
    """A page of what goes with its user, and is deleted in no other way."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return gone_with_their_user(self, request)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """What the index goes by: that one may go with its user opens no page."""
        return super().get_model_perms(request) | {"delete": False}


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
    """One page: epoch, head, floor, what waits, who holds, how large the tables are."""

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        return queryset

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        told = status()
        context = {
            **self.admin_site.each_context(request),
            "title": "Feed status",
            "opts": self.opts,
            "status": told,
            "oldest": told.oldest and datetime.datetime.fromisoformat(str(told.oldest)),
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
        """There is but one feed, and its page is the list."""
        name = "admin:django_sync_feed_changelist"
        return HttpResponseRedirect(reverse(name, current_app=self.admin_site.name))

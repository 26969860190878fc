"""Base classes for pages over long tables that the engine alone writes. Nothing is written here.

Order and search go by an index, and no count goes to the end of a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from ..protocol.ids import canonical_uuid

MOST = 5000
"""Rows that can be paged through; the others are found by a search."""

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
else:
    ModelAdmin, Pages = admin.ModelAdmin, Paginator


class BoundedPaginator(Pages):
    """Counts up to ``MOST``, and shows no more."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST].count())


class FixedOrder(ChangeList):
    """Lists in the order of one index; the address cannot change it."""

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
    search_fields = ("pk",)  # shows the box; get_search_results searches

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FixedOrder

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only the filters of the page; any other would read all rows."""
        return lookup.partition("__")[0] in self.list_filter

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact, by one index: to read all rows would take minutes."""
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        raise NotImplementedError


def by_object(queryset: QuerySet[Any], term: str) -> QuerySet[Any] | None:
    """The rows of the object whose id the term is; ``None`` if there are none."""
    try:
        found = queryset.filter(object_id=canonical_uuid(term))
    except ValueError:
        return None
    return found if found.order_by().exists() else None


def by_id_or_user(queryset: QuerySet[Any], term: str, *columns: str) -> QuerySet[Any]:
    """The rows that have the term as id in one of ``columns``; else those of the user so named."""
    try:
        id = canonical_uuid(term)
    except ValueError:
        users: Any = get_user_model()
        named = users._default_manager.filter(**{users.USERNAME_FIELD: term})
        return queryset.filter(user__in=[user.pk for user in named[:1]])
    return queryset.filter(Q(*((column, id) for column in columns), _connector=Q.OR))


def is_deletion_of_user(pages: Any, request: HttpRequest) -> bool:
    """Whether a user is deleted, and the row with them. No page here deletes a row alone."""
    match = request.resolver_match
    here = f"{pages.opts.app_label}_{pages.opts.model_name}_"
    return match is not None and not str(match.url_name).startswith(here)


class UsersOwnAdmin(ReadOnlyAdmin):
    """A page of rows that are deleted with their user, and in no other way."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_deletion_of_user(self, request)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """The permissions for the index: a row's deletion with its user opens no page."""
        return super().get_model_perms(request) | {"delete": False}

"""Deletion checks what the user saw: the revisions, and what is deleted along with the objects.

The page of one object carries them in its address, the page of many in a hidden field. If they
are out of date, nothing is deleted, and the page is shown again with what has changed.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils import formats, timezone

from ..models.database import atomic
from ..protocol import Write
from .deleted_meanwhile import typed, who_deleted
from .display import label_of
from .object_history import revisions_below, since
from .seen_state import BASE, base_in
from .writes import lock_all, note, revision_after

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object

SEEN = "sync_seen"
"""The name, in an address or a form, of the revisions that the user saw."""
MOST_LISTED = 10
"""A page lists so many changed objects one by one."""


class DeletingMixin(ModelAdmin):
    """The part of ``SyncAdminMixin`` that deletes."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        key, id, before = obj.pk, obj.sync_id, obj.sync_revision
        super().delete_model(request, obj)
        after = revision_after(self.model, key, id)
        note(request.user, Write.DELETE, label_of(self.model), id, (before, after))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        found = list(queryset.values_list("pk", "sync_id", "sync_revision"))
        super().delete_queryset(request, queryset)
        for key, id, before in found:
            after = revision_after(self.model, key, id)
            note(request.user, Write.DELETE, label_of(self.model), id, (before, after))

    # One

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Django's page, at an address that carries the revision it shows."""
        with atomic():
            to_field = request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR))
            obj = None
            if not to_field or self.to_field_allowed(request, to_field):
                obj = self.get_object(request, unquote(object_id), to_field)
            if obj is not None and self.has_delete_permission(request, obj):
                now = f"{obj.sync_revision}.{self._deletion_digest([obj], request)}"
                seen = request.GET.get(SEEN, "")
                if seen != now:
                    self._warn_of_changes(request, obj, seen)
                    asked = {**request.GET.dict(), SEEN: now}
                    return HttpResponseRedirect(f"{request.path}?{urlencode(asked)}")
                extra_context = {"subtitle": self._last_change(obj), **(extra_context or {})}
            response: HttpResponse = super().delete_view(request, object_id, extra_context)
            return response

    def _warn_of_changes(self, request: HttpRequest, obj: Any, seen: str) -> None:
        """Show what has changed since the page was shown."""
        revision = seen.partition(".")[0]
        if revision.isascii() and revision.isdecimal() and len(revision) < 16:
            changes = self._changes_since(obj, int(revision))
            messages.warning(request, f"Nothing was deleted. Look again: {changes}.")
        elif request.method == "POST":
            messages.warning(request, "Nothing was deleted. Look at what is there now.")

    def _last_change(self, obj: Any) -> str:
        """Which revision changed an object last, when, and by whom if that is known."""
        found, _ = revisions_below(self.model, obj.sync_id, None, decisions=False)
        if not found:
            return ""
        last, by = found[0], f", by {found[0].actor}" if found[0].actor else ""
        fields = f": {', '.join(last.fields)}" if last.fields else ""
        when = formats.date_format(timezone.localtime(last.at), "DATETIME_FORMAT")
        return f"Last changed in revision {last.revision}, {when}{by}{fields}"

    def _changes_since(self, obj: Any, revision: int) -> str:
        """What others changed of an object, in a few words."""
        if obj.sync_revision == revision:
            return "what is deleted along with it has changed"
        found = since(self.model, obj.sync_id, revision, obj.sync_revision)
        return f"since you looked, this was changed: {found.summary(self.model)}"

    def _deletion_digest(self, objs: Any, request: HttpRequest) -> str:
        """A short digest of everything that would be deleted, as the page lists it."""
        listed = self.get_deleted_objects(objs, request)[0]
        return hashlib.sha256(repr(listed).encode()).hexdigest()[:16]

    # Many

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """Django's *delete selected* becomes one that checks revisions; a project's own stays."""
        where = {} if action_location is None else {"action_location": action_location}
        found: Any = super().get_actions(request, **where)
        entry: Any = found.get("delete_selected")
        is_class = hasattr(entry, "func")  # since Django 6.1; a tuple before
        if entry is None or (entry.func if is_class else entry[0]) is not delete_selected:
            return found
        if is_class:
            found["delete_selected"] = dataclasses.replace(entry, func=delete_as_seen)
        else:
            found["delete_selected"] = (delete_as_seen, *entry[1:])
        return found

    def sync_seen(self, rows: Any) -> str:
        """The revisions of the rows on a page, which the page carries."""
        return json.dumps({str(row.pk): row.sync_revision for row in rows})

    # An object that is deleted already

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """If a form of the object was sent, its user sees again what they typed."""
        match = request.resolver_match
        if request.method != "POST" or match is None or not str(match.url_name).endswith("_change"):
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc, no-any-return]  # Django's own
        form = self.get_form(request, None, change=False)(request.POST)
        base = base_in(request.POST.get(BASE, "")) or {"fields": {}}
        left_out = {BASE, "csrfmiddlewaretoken", "_save", "_continue", "_addanother"}
        left_out |= {name for name, field in form.fields.items() if _is_secret(field)}
        context = {
            **self.admin_site.each_context(request),
            "title": f"This {opts.verbose_name} was deleted",
            "opts": opts,
            "overlaps": typed(form, base),
            "who": who_deleted(self.model, base),
            "may_add": self.has_add_permission(request),
            "sent": [(n, v) for n, vs in request.POST.lists() if n not in left_out for v in vs],
        }
        return TemplateResponse(request, "admin/django_sync/gone.html", context)


def _is_secret(field: Any) -> bool:
    return getattr(field.widget, "input_type", "") == "password"


def _seen_in(request: HttpRequest) -> dict[str, Any]:
    try:
        return dict(json.loads(request.POST.get(SEEN, "")))
    except (ValueError, TypeError):
        return {}


def delete_as_seen(modeladmin: Any, request: HttpRequest, queryset: Any) -> Any:
    """Delete selected objects, unless others changed one of them since it was shown."""
    with atomic():
        lock_all(modeladmin.model, list(queryset.values_list("pk", flat=True)))
        rows = list(queryset)
        seen, going = _seen_in(request), modeladmin._deletion_digest(queryset, request)
        confirmed = bool(request.POST.get("post"))
        moved = [
            row for row in rows if seen.get(str(row.pk), row.sync_revision) != row.sync_revision
        ]
        for row in moved[:MOST_LISTED]:
            known = seen[str(row.pk)]
            changes = modeladmin._changes_since(row, known if isinstance(known, int) else 0)
            messages.warning(request, f"{row}: {changes}.")
        if moved[MOST_LISTED:]:
            messages.warning(
                request, f"{len(moved) - MOST_LISTED} more were changed since you looked."
            )
        asked = request
        if confirmed and (moved or seen.get("going") != going):
            if not moved:
                messages.warning(request, "What would be deleted is not what you were shown.")
            messages.warning(request, "Nothing was deleted. Look again.")
            asked = copy.copy(request)
            asked.POST = _without(request.POST, "post")  # type: ignore[assignment]  # a mutable one works too
        response = delete_selected(modeladmin, asked, queryset)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            now = {str(row.pk): row.sync_revision for row in rows} | {"going": going}
            response.context_data["sync_seen"] = json.dumps(now)
            if modeladmin.delete_selected_confirmation_template is None:
                response.template_name = "admin/django_sync/delete_selected.html"
        return response


def _without(data: QueryDict, name: str) -> QueryDict:
    left = data.copy()
    left.pop(name, None)
    return left

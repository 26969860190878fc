"""``SyncAdminMixin``: the pages of a synced model, with its id, revision, scope and history.

Two people in the admin do not overwrite each other without seeing it: ``forms`` explains how.
Triggers capture writes made here, so they reach clients like any write.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse

from ..conf import conf
from ..models import Decision
from ..models.database import connection
from ..protocol import Write
from . import permissions
from .changelist import ListMixin, extend_template
from .display import label_of
from .forms import RevisionForm
from .formsets import is_synced, with_revisions
from .object_history import revisions_below
from .seen_state import BASE, Overlap, facts
from .writes import lock, note

NOTED = "_django_sync_admin"
"""On an instance: its revision before the write, and the texts of what was changed."""


class SyncAdminMixin(ListMixin):
    """For the ``ModelAdmin`` of a synced model; goes before it.

    The change form shows id, revision and scope, and is refused where somebody else has changed
    the same field since it was opened. So are rows of ``list_editable``, inlines of synced models,
    and deletes.
    """

    # The form

    @admin.display(description="object")
    def sync_base(self, obj: Any) -> str:
        """The object's id, revision and scope, for users who may only view it."""
        return facts(obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The project's form, which carries the revision where it changes an object."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None or not self.has_change_permission(request, obj):
            return form
        return type(form.__name__, (RevisionForm, form), {})

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The object; its row is locked first if the request will write."""
        if request.method == "POST" and connection().in_atomic_block:
            try:
                field = self.opts.get_field(from_field) if from_field else self.opts.pk
                assert field is not None
                lock(self.model, **{field.name: field.to_python(object_id)})  # type: ignore[union-attr]  # a concrete one
            except (ValidationError, ValueError, FieldDoesNotExist):
                return None  # not an id; Django reports it
        obj: Any = super().get_object(request, object_id, from_field)
        if obj is not None:
            setattr(obj, NOTED, (obj.sync_revision, {}))
        return obj

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """The project's template and fieldsets, with what sync adds to them."""
        obj = kwargs.get("obj")
        if obj is not None:
            shown = context["adminform"]
            options = {"classes": ("collapse", "django-sync"), "fields": (BASE,)}
            shown.fieldsets = [*shown.fieldsets, ("Sync", options)]
            if BASE not in shown.form.fields:
                shown.readonly_fields = [*shown.readonly_fields, BASE]
            context["sync_history_url"] = self._history(obj)
        response: Any = super().render_change_form(request, context, *args, **kwargs)
        response.context_data["sync_overlaps"] = _overlaps(context)
        extend_template(response, "admin/django_sync/synced_form.html")
        return response

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """Inlines of synced models carry revisions as well."""
        for formset, inline in super().get_formsets_with_inlines(request, obj):
            if is_synced(inline.model):
                yield with_revisions(formset, request.user), inline
            else:
                yield formset, inline

    # Who wrote

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        if isinstance(form, RevisionForm):
            before, _ = getattr(form.instance, NOTED, (form.revision, {}))
            setattr(form.instance, NOTED, (before, form.differences()))
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, Write.CREATE, obj, (0, {}))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        noted = getattr(obj, NOTED, None)
        if noted is not None:
            self._note(request, Write.UPDATE, obj, noted)
        return super().log_change(request, obj, message)

    def _note(self, request: HttpRequest, op: Write, obj: Any, noted: tuple[int, Any]) -> None:
        rows = self.model._base_manager.using(conf.DATABASE).filter(pk=obj.pk)
        found = rows.values_list("sync_revision", flat=True).first()
        if found is not None:
            before, values = noted
            note(request.user, op, label_of(self.model), obj.sync_id, (before, found), values)

    # The history

    def get_urls(self) -> Any:
        options = self.opts
        view = self.admin_site.admin_view(self.sync_history_view)
        name = f"{options.app_label}_{options.model_name}_sync_history"
        return [path("<path:object_id>/sync-history/", view, name=name), *super().get_urls()]

    def _history(self, obj: Any) -> str:
        name = f"{self.opts.app_label}_{self.opts.model_name}_sync_history"
        return reverse(f"admin:{name}", args=[obj.pk], current_app=self.admin_site.name)

    def sync_history_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The revisions of one object, newest first, a page at a time."""
        obj = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        asked = request.GET.get("below", "")
        below = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 16 else None
        decisions = permissions.may(self.admin_site, request, "view", Decision)
        found, further = revisions_below(self.model, obj.sync_id, below, decisions=decisions)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Sync history: {obj}",
            "opts": self.opts,
            "original": obj,
            "revisions": found,
            "further": further,
            "first": below is None,
        }
        return TemplateResponse(request, "admin/django_sync/history.html", context)


def _overlaps(context: Any) -> list[tuple[str, Overlap]]:
    """The overlaps on a page: those of its object, and of each row of its inlines."""
    found = [("", one) for one in getattr(context["adminform"].form, "overlaps", ())]
    for inlines in context.get("inline_admin_formsets") or ():
        for form in inlines.formset.initial_forms:
            overlaps = getattr(form, "overlaps", ())
            of = (
                str(form.instance) if overlaps and not form.gone else str(inlines.opts.verbose_name)
            )
            found += [(of, one) for one in overlaps]
    return found

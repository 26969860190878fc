"""The list of a synced model: it carries the revisions it shows, and guards its editable cells."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template, select_template
from django.template.response import TemplateResponse

from ..models.database import atomic
from .deletion import DeletingMixin
from .formsets import RevisionFormSet, with_revisions

if TYPE_CHECKING:
    from django.contrib import admin

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = object


def extend_template(response: TemplateResponse, template: str) -> None:
    """Have one of our templates extend the chosen one."""
    chosen, context = response.template_name, response.context_data
    assert context is not None
    context["sync_parent"] = (
        get_template(chosen) if isinstance(chosen, str) else select_template(chosen)  # type: ignore[arg-type]  # names
    )
    response.template_name = template


class ListMixin(DeletingMixin):
    """The part of ``SyncAdminMixin`` that lists."""

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        return with_revisions(super().get_changelist_formset(request, **kwargs), request.user)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """When cells are saved, rows are locked from the check until the write."""
        saving = request.method == "POST" and "_save" in request.POST
        within = atomic() if saving else contextlib.nullcontext()
        with within:
            response: HttpResponse = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and "cl" in (response.context_data or {}):
            self._with_revisions(response)
        return response

    def _with_revisions(self, response: TemplateResponse) -> None:
        context: Any = response.context_data
        listed = context["cl"]
        formset = listed.formset
        if isinstance(formset, RevisionFormSet) and formset.is_bound:
            forms: Any = formset.forms
            context["sync_overlaps"] = [
                (str(form.instance) if not form.gone else "", one)
                for form in forms
                for one in form.overlaps
            ]
            context["sync_gone"] = gone = [form for form in forms if form.gone]
            # Each row with its form: the page as it was sent, even if the order is another now.
            formset.forms = [form for form in forms if not form.gone]
            listed.result_list = [form.instance for form in formset.forms]
            context["sync_errors"] = list(
                dict.fromkeys(e for form in gone for e in form.non_field_errors())
            )
        context["sync_seen"] = self.sync_seen(listed.result_list)
        extend_template(response, "admin/django_sync/synced_list.html")

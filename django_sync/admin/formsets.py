"""Several synced objects on one page: inlines, and lists with editable cells.

Each row carries its own revision, beside its primary key, and is merged or refused like a form
of its own. If one row is refused, nothing on the page is saved.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html

from ..fields import RevisionField
from ..protocol import Write
from .display import label_of
from .forms import RevisionForm
from .seen_state import BASE
from .writes import lock_all, note, revision_after

if TYPE_CHECKING:
    FormSet = forms.BaseModelFormSet[Any, Any]
    Inline = admin.TabularInline[Any, Any]
else:
    FormSet, Inline = forms.BaseModelFormSet, object


def is_synced(model: type[Model]) -> bool:
    """Whether a model has sync's columns."""
    return any(isinstance(field, RevisionField) for field in model._meta.fields)


def with_revisions(formset: Any, user: Any) -> Any:
    """A formset's class with revisions in its forms; ``user`` is the one who writes."""
    if issubclass(formset, RevisionFormSet):
        return formset
    form = type(formset.form.__name__, (RevisionForm, formset.form), {})
    return type(formset.__name__, (RevisionFormSet, formset), {"form": form, "staff": user})


class RevisionFormSet(FormSet):
    """Goes before the project's own formset."""

    model: Any
    staff: Any = None
    _locked = False

    def get_queryset(self) -> Any:
        """Rows are locked before they are read; later, the row of each form that has one."""
        if self.is_bound and "forms" in self.__dict__:
            forms: Any = self.initial_forms
            return [None if form.gone else form.instance for form in forms]
        if self.is_bound and not self._locked:
            self._locked = True
            lock_all(self.model, self._sent_keys())
        return super().get_queryset()

    def _sent_keys(self) -> list[Any]:
        key: Any = self.model._meta.pk
        named = re.compile(rf"{re.escape(str(self.prefix))}-\d+-{re.escape(key.name)}")
        found = []
        for name, value in self.data.items():
            try:
                found += [key.to_python(value)] if named.fullmatch(name) and value else []
            except ValidationError:  # not a key; the form reports it
                continue
        return found

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form: Any = super()._construct_form(i, **kwargs)  # type: ignore[misc]  # Django's own
        if self.is_bound and i < self.initial_form_count() and form.new:
            form.mark_gone()
            self._beside_key(form)
            form.hidden_key = form[self.model._meta.pk.name]
        return form

    def add_fields(self, form: Any, index: Any) -> None:
        super().add_fields(form, index)
        if BASE in form.fields:
            self._beside_key(form)

    def _beside_key(self, form: Any) -> None:
        """Render the hidden base with the primary key, which every template renders."""
        widget = form.fields[self.model._meta.pk.name].widget
        render_key = widget.render

        def render(name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
            return format_html(
                "{}{}", render_key(name, value, attrs, renderer), form[BASE].as_hidden()
            )

        widget.render = render

    def _should_delete_form(self, form: Any) -> bool:
        """Not if others changed the object since its user ticked the box."""
        return bool(super()._should_delete_form(form)) and not form.refused  # type: ignore[misc]  # Django's own

    # Who wrote

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        saved = super().save_existing(form, obj, commit)
        if commit:
            self._note(Write.UPDATE, obj.pk, obj.sync_id, form.revision, form.differences())
        return saved

    def save_new(self, form: Any, commit: bool = True) -> Any:
        saved = super().save_new(form, commit)
        if commit:
            self._note(Write.CREATE, saved.pk, saved.sync_id, 0)
        return saved

    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        key, id, before = obj.pk, obj.sync_id, obj.sync_revision
        super().delete_existing(obj, commit)
        if commit:
            self._note(Write.DELETE, key, id, before)

    def _note(self, op: Write, key: Any, id: Any, before: int, values: Any = None) -> None:
        after = revision_after(self.model, key, id)
        note(self.staff, op, label_of(self.model), id, (before, after), values)


class SyncInlineMixin(Inline):
    """For an inline of a synced model whose parent's ``ModelAdmin`` has no ``SyncAdminMixin``.

    Goes before ``TabularInline`` or ``StackedInline``; where the parent has it, nothing is needed.
    """

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return with_revisions(super().get_formset(request, obj, **kwargs), request.user)

"""The form of a synced object: it carries what its user saw, and merges with what others wrote.

The form carries, hidden, the revision that it was made from and the fields as they were. A field
that its user did not change keeps the value that is in the database now. A field that both
changed is refused, with both values on the page. From then on the form carries the current
revision, so to save it again is a choice. The row is locked between the check and the write.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import InlineForeignKeyField
from django.forms.utils import ErrorDict
from django.utils.functional import cached_property

from ..protocol import Json
from .deleted_meanwhile import deletion_message, typed
from .display import MOST, named
from .object_history import Since, since
from .seen_state import BASE, GONE, BaseWidget, Overlap, base_in
from .submitted_values import as_sent, as_text, in_order, with_short_newlines

if TYPE_CHECKING:
    Form = forms.ModelForm[Any]
else:
    Form = forms.ModelForm

NO_BASE = (
    "This form did not say which revision it was made from, so nothing was saved."
    " Look it over, and save again."
)


class RevisionForm(Form):
    """Goes before the project's own form; it changes nothing when an object is added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.overlaps: list[Overlap] = []
        self.own = frozenset(self.fields)
        """The fields of the form, without those that a formset adds later."""
        self.new = self.instance._state.adding
        self.refused = self.gone = False
        self.revision = 0
        if self.new:
            return
        self.revision = int(self.instance.sync_revision)
        self.fields[BASE] = forms.CharField(
            widget=BaseWidget(self.instance), required=False, strip=False, label="Object"
        )
        self.initial[BASE] = self._current_base()

    def mark_gone(self) -> None:
        """Mark that the object is deleted; the page shows once what was typed for it."""
        self.gone = True
        self.fields[BASE] = forms.CharField(widget=forms.HiddenInput(), required=False)

    def full_clean(self) -> None:
        if not self.gone:
            super().full_clean()
            return
        self._errors, self.cleaned_data = ErrorDict(), {}
        base = self.base or {"revision": 0, "fields": {}}
        deleted = DELETION_FIELD_NAME in self.fields and self[DELETION_FIELD_NAME].data
        if deleted or base.get(GONE):
            return
        model = self._meta.model
        self.overlaps = typed(self, base)
        self.add_error(None, ValidationError(deletion_message(model, base), "gone"))
        self._carry(json.dumps({**base, GONE: True}))

    def _current_base(self) -> str:
        fields = {name: self._now(name) for name in self.fields if self._carries(name)}
        base = {"id": str(self.instance.sync_id), "revision": self.revision, "fields": fields}
        return json.dumps(base)

    def _carries(self, name: str) -> bool:
        """Whether a field's value can travel with the form; that of a file cannot."""
        field = self.fields[name]
        left_out = field.disabled or isinstance(field, (forms.FileField, InlineForeignKeyField))
        return name in self.own and not left_out

    def _initial(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name)

    def _now(self, name: str) -> Any:
        """A field's value in the database, as a form would send it."""
        return as_sent(self.fields[name], self._initial(name))

    @cached_property
    def base(self) -> Json | None:
        """What the form says it was made from; ``None`` if it does not."""
        return base_in(self.data.get(self.add_prefix(BASE), ""))

    # Who changed what

    def _changed_here(self, name: str) -> bool:
        """Whether the form's user changed a field, since they saw it."""
        field, sent = self.fields[name], self._sent(name)
        if name == BASE or field.disabled:
            return False
        if name not in self.own:
            return bool(field.has_changed(self._initial(name), self._sent(name)))
        try:
            seen = field.to_python(self._seen(name)) if self._has_seen(name) else None
        except ValidationError:  # a choice that does not exist any more
            return bool(in_order(self._seen(name)) != in_order(sent))
        return bool(field.has_changed(seen, sent))

    def _changed_by_others(self, name: str) -> bool:
        """Whether others changed it meanwhile."""
        if self._has_seen(name):
            return bool(
                with_short_newlines(self._seen(name)) != with_short_newlines(self._now(name))
            )
        try:
            field = self.instance._meta.get_field(name)
        except FieldDoesNotExist:
            return False
        return self.since.touched(field)

    def _has_seen(self, name: str) -> bool:
        return self.base is not None and name in self.base["fields"]

    def _seen(self, name: str) -> Any:
        return with_short_newlines((self.base or {})["fields"][name])

    def _sent(self, name: str) -> Any:
        return with_short_newlines(self[name].data)

    @cached_property
    def changed_data(self) -> list[str]:
        """The fields that the form's user changed, not those that others did."""
        if self.gone:
            return []
        if self.new or self.base is None:
            return [name for name in super().changed_data if name != BASE]
        return [name for name in self.fields if self._changed_here(name)]

    @cached_property
    def since(self) -> Since:
        """What the feed knows of the revisions that the form's user has not seen."""
        above = (self.base or {"revision": 0})["revision"]
        return since(type(self.instance), self.instance.sync_id, above, self.revision)

    # Merging

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]  # Django's, before clean()
        if self.new:
            return
        if self.base is None:
            self._refuse(ValidationError(NO_BASE, "no_base"), [])
            return
        if self.cleaned_data.get(DELETION_FIELD_NAME):
            if self.base["revision"] != self.revision:
                self._refuse(ValidationError(self._delete_refusal(), "revision_conflict"), [])
            return
        kept = [n for n in self.fields if n in self.own and n not in self.changed_data]
        merged = [name for name in kept if self._has_seen(name) and self._changed_by_others(name)]
        for name in kept:
            self._keep(name, name in merged)
        if self.base["revision"] != self.revision:
            self._compare(merged)

    def _keep(self, name: str, merged: bool) -> None:
        """Give a field that its user did not change the value from the database."""
        try:
            field: Any = self.instance._meta.get_field(name)
        except FieldDoesNotExist:
            return
        if merged:
            self.errors.pop(name, None)
        elif field.is_relation or name not in self.cleaned_data:
            return
        if field.many_to_many:
            self.cleaned_data[name] = self._initial(name)
        elif field.is_relation:
            self.cleaned_data[name] = getattr(self.instance, name)
        else:
            self.cleaned_data[name] = field.value_from_object(self.instance)

    def _compare(self, merged: list[str]) -> None:
        """Refuse the fields that both changed, unless to the same value."""
        overlapping = [
            name
            for name in self.changed_data
            if self._changed_by_others(name)
            and self.fields[name].has_changed(self._initial(name), self._sent(name))
        ]
        if not overlapping:
            return
        for name in overlapping:
            overlap = self._overlap(name)
            self.overlaps.append(overlap)
            if name in self.fields:
                message = f"It is “{overlap.theirs[:200]}” now. Yours is still in the form."
                self.add_error(name, ValidationError(message, "changed_meanwhile"))
        self._refuse(ValidationError(self._refusal(overlapping), "revision_conflict"), merged)

    def _refuse(self, error: ValidationError, merged: list[str]) -> None:
        self.refused = True
        self.add_error(None, error)
        self._rebase(merged)

    def _delete_refusal(self) -> str:
        return (
            f"Nothing was deleted. Since you opened this page (revision {self.base['revision']},"  # type: ignore[index]  # the caller has checked it
            f" now {self.revision}) this was changed: {self.since.summary(type(self.instance))}."
            " Save again to delete it anyway."
        )

    def _refusal(self, overlapping: list[str]) -> str:
        labels = ", ".join(overlap.label for overlap in self.overlaps)
        who = f" by {', '.join(self.since.actors)}" if self.since.actors else ""
        others = named(type(self.instance), sorted(self.since.columns))
        labelled = set(named(type(self.instance), overlapping))
        also = ", ".join(label for label in others if label not in labelled)
        rest = f" Also changed since, and kept as it is now: {also}." if also else ""
        return (
            f"Nothing was saved. Since you opened this form (revision {self.base['revision']},"  # type: ignore[index]  # the caller has checked it
            f" now {self.revision}) these were changed{who}: {labels}.{rest}"
            " Look at both values, enter in the form what you want, and save again."
        )

    def _overlap(self, name: str) -> Overlap:
        field = self.fields[name]
        base = as_text(field, self._seen(name)) if self._has_seen(name) else "not known"
        now = as_text(field, self._now(name)) if self._carries(name) else str(self._initial(name))
        return Overlap(str(self[name].label), base, now, as_text(field, self._sent(name)))

    def _rebase(self, merged: list[str]) -> None:
        """Make the form one of the current revision, with its user's changes in it."""
        self._carry(self._current_base())
        for name in merged:
            self.fields[name].bound_data = lambda data, initial: initial  # type: ignore[method-assign]  # of this form's own copy

    def _carry(self, base: str) -> None:
        data: Any = self.data
        self.data = data = data.copy()
        data[self.add_prefix(BASE)] = base

    def differences(self) -> Json:
        """What the user changed, as texts for the history page. No passwords."""
        return {
            str(self[name].label): {
                "before": as_text(self.fields[name], self._now(name))[:MOST],
                "after": as_text(self.fields[name], self._sent(name))[:MOST],
            }
            for name in self.changed_data
            if self._carries(name) and not isinstance(self.fields[name].widget, forms.PasswordInput)
        }

"""Pages over decisions: what is settled, what is open, and the choices of staff.

Values are shown only to users who may also view the object's model. Before a choice is
written, the page shows what it would write.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse

from .. import errors
from ..models import Decision, OpenConflict
from ..writes.resolve import WHOLE
from .conflict_case import BASE, CLIENT, NOW, SERVER, Case, Plan, Row
from .display import EMPTY, text
from .read_only import ReadOnlyAdmin, by_object
from .resolution import Look, Outdated, StaffWrite, settle

MEANS = {SERVER: "the server’s", CLIENT: "the client’s", BASE: "the base"}
REFUSED = "The database refuses this: it breaks a constraint, or does not fit."


class DecisionPages(ReadOnlyAdmin):
    """What both lists of decisions share. Each page is a form of choices."""

    list_display_links = ("id",)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_help_text = "An object’s id, exactly as it is."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("asked")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        found = by_object(queryset, term)
        return queryset.none() if found is None else found

    @admin.display(description="fields")
    def names(self, obj: Decision) -> str:
        return ", ".join(self.named(name) for name in obj.fields)

    def named(self, name: str) -> str:
        return "the whole object" if name == WHOLE else name

    def may_settle(self, request: HttpRequest) -> bool:
        """Whether staff may choose at all; the model's own permissions are checked as well."""
        code = get_permission_codename("change", self.opts)
        user: Any = request.user
        return bool(user.has_perm(f"{self.opts.app_label}.{code}"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show both sides beside the object as it is now, then preview a choice, then write it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Decision.objects.select_related("user", "settled_by")
        number = int(object_id) if object_id.isascii() and object_id.isdecimal() else 0
        decision = rows.filter(pk=number).first()
        if decision is None or not self.shows(decision):
            return self.elsewhere(request, decision, object_id)
        case = Case(decision, self.admin_site, request)
        if request.method == "POST":
            return self._chosen(request, case)
        return self._page(request, case)

    def shows(self, decision: Decision) -> bool:
        return True

    def elsewhere(
        self, request: HttpRequest, decision: Decision | None, object_id: str
    ) -> HttpResponse:
        return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]  # Django's own

    # A choice

    def _chosen(self, request: HttpRequest, case: Case) -> HttpResponse:
        if not (self._may_choose(request, case) and case.may("view")):
            raise PermissionDenied
        asked = {row.name: request.POST.get(f"choice:{row.name}", "") for row in case.rows()}
        revision = request.POST.get("revision", "")
        known = int(revision) if revision.isascii() and revision.isdecimal() else None
        look = Look(known, request.POST.get("state") == "open")
        if look != Look(case.revision, case.decision.is_open):
            return self._again(request, case, asked)
        if any(asked[row.name] not in row.choices for row in case.rows()):
            messages.error(request, "Choose for each field.")
            return self._page(request, case, asked)
        if request.POST.get("step") != "write":
            return self._preview(request, case, asked)
        return self._settle(request, case, asked, look)

    def _again(self, request: HttpRequest, case: Case, asked: dict[str, str]) -> HttpResponse:
        """The object or the decision has changed: show the page again with what is there now."""
        message = "Something changed meanwhile, and nothing was written. Look again, and choose."
        if not case.decision.is_open and case.decision.settled_by is not None:
            message = f"Settled meanwhile by {case.decision.settled_by}. {message}"
        messages.warning(request, message)
        return self._page(request, case)

    def _settle(
        self, request: HttpRequest, case: Case, asked: dict[str, str], look: Look
    ) -> HttpResponse:
        try:
            plan = settle(case.decision, self.admin_site, request, asked, look)
        except Outdated:
            return HttpResponseRedirect(request.path)
        except errors.SyncError as error:
            messages.error(request, reason(error))
            return self._page(request, case, asked)
        except (IntegrityError, DataError):
            messages.error(request, REFUSED)
            return self._page(request, case, asked)
        done = "There was nothing to write." if plan.op is None else "Written."
        messages.success(request, f"{'Settled. ' if look.was_open else ''}{done}")
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        if not look.was_open:
            return HttpResponseRedirect(request.path)
        return HttpResponseRedirect(reverse(name, current_app=self.admin_site.name))

    def _preview(self, request: HttpRequest, case: Case, asked: dict[str, str]) -> HttpResponse:
        """Show what a choice would write, after the serializer has checked it."""
        plan = case.plan(asked)
        if plan.op is None and not case.decision.is_open:
            messages.info(request, "The object already has these values.")
            return self._page(request, case, asked)
        if plan.op is not None:
            try:
                StaffWrite(case, plan).prepared()
            except errors.SyncError as error:
                messages.error(request, reason(error))
                return self._page(request, case, asked)
        return self._page(request, case, asked, plan)

    # The page

    def _may_choose(self, request: HttpRequest, case: Case) -> bool:
        return self.may_settle(request) and case.collection is not None and case.may("change")

    def _page(
        self,
        request: HttpRequest,
        case: Case,
        asked: dict[str, str] | None = None,
        plan: Plan | None = None,
    ) -> HttpResponse:
        visible, is_open = case.may("view"), case.decision.is_open
        rows = [self._row(row, is_open, asked or {}) for row in case.rows()] if visible else []
        fields, now = ({}, {}) if plan is None else (plan.fields, case.now or {})
        changes = [(name, text(now.get(name)), text(value)) for name, value in fields.items()]
        context = {
            **self.admin_site.each_context(request),
            "title": "Open conflict" if is_open else "Decision",
            "opts": self.opts,
            "decision": case.decision,
            "case": case,
            "visible": visible,
            "rows": rows,
            "may_choose": visible and self._may_choose(request, case),
            "object_url": self._object_url(case),
            "plan": plan,
            "changes": changes,
        }
        return TemplateResponse(request, "admin/django_sync/decision.html", context)

    def _row(self, row: Row, is_open: bool, asked: dict[str, str]) -> dict[str, Any]:
        default = NOW if not is_open else ("" if row.overlaps else row.choices[-1])
        chosen = asked.get(row.name) or default
        gone = "deleted" if row.name == WHOLE else EMPTY
        cells = {
            side: (text(row.sides[side]) if row.sides[side] is not None else gone)
            if side in row.sides
            else ""
            for side in (BASE, SERVER, CLIENT)
        }
        return {
            "name": row.name,
            "label": self.named(row.name),
            "overlaps": row.overlaps,
            "cells": cells,
            "now": text(row.now) if row.now is not None else gone,
            "chosen": chosen,
            "choices": [
                (key, MEANS.get(key, "as it is now"), key == chosen) for key in row.choices
            ],
        }

    def _object_url(self, case: Case) -> str:
        """The object's own page in the admin, where it has one."""
        if case.model is None or case.row is None or not case.may("view"):
            return ""
        options = case.model._meta
        name = f"admin:{options.app_label}_{options.model_name}_change"
        try:
            return reverse(name, args=[case.pk], current_app=self.admin_site.name)
        except NoReverseMatch:  # it is not in the admin
            return ""


def reason(error: errors.SyncError) -> str:
    """Why the serializer refuses, in one sentence."""
    found = error.errors or {}
    details = [f"{name}: {one['detail']}" for name, listed in found.items() for one in listed]
    return " ".join(["The serializer refuses this.", *(details or [str(error.detail)])])


@admin.register(Decision)
class DecisionAdmin(DecisionPages):
    """What resolvers, users and staff decided; staff can bring back a value that lost."""

    list_display = ("id", "at", "by", "names", "user", "collection", "object_id", "kind")
    list_filter = ("at",)


@admin.register(OpenConflict)
class OpenConflictAdmin(DecisionPages):
    """Conflicts that nobody has decided yet; staff may decide them."""

    list_display = ("id", "at", "names", "user", "collection", "object_id", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(settled_at=None)

    def shows(self, decision: Decision) -> bool:
        return decision.is_open

    def elsewhere(
        self, request: HttpRequest, decision: Decision | None, object_id: str
    ) -> HttpResponse:
        """A conflict that is settled meanwhile has its page among the decisions."""
        if decision is None:
            return super().elsewhere(request, decision, object_id)
        by = decision.settled_by or decision.get_by_display()
        messages.info(request, f"This conflict was settled by {by}. Nothing was written.")
        name = "django_sync_openconflict_changelist"
        return HttpResponseRedirect(reverse(f"admin:{name}", current_app=self.admin_site.name))

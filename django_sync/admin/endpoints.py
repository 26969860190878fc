"""Endpoints of push: what is sent where, what failed, and what staff can do about it.

Targets are secrets; no page shows them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ..models import Endpoint, SyncSession
from ..push.delivery import attempt_of, send
from ..push.endpoints import sender_of
from ..push.sender import Outcome
from .confirmation import MOST, Row, confirmation, is_confirmed
from .labels import ago, name_of, state_badge
from .read_only import ReadOnlyAdmin, by_id_or_user

TESTS = 5
"""Test pushes at a time. Each may take ``PUSH_TIMEOUT`` seconds, while the page waits."""


class StateFilter(admin.SimpleListFilter):
    """By state. Each choice uses an index, and none is counted."""

    title = "state"
    parameter_name = "state"
    FILTERS: ClassVar[dict[str, dict[str, Any]]] = {
        "parked": {"parked_at__isnull": False},
        "due": {"parked_at__isnull": True, "due_at__isnull": False},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in self.FILTERS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.FILTERS.get(self.value() or "", {}))


def send_tests(request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
    """Send each endpoint a wake-up, and show the outcome; ``TESTS`` at most."""
    chosen = list(queryset.select_related("session")[: TESTS + 1])
    if len(chosen) > TESTS:
        messages.error(request, f"Choose {TESTS} at most: each may take a while.")
        return
    for endpoint in chosen:
        sender = sender_of(endpoint.kind)
        if sender is None:
            messages.error(request, f"{endpoint.id}: no sender is set up for “{endpoint.kind}”.")
            continue
        receipt = send(attempt_of(endpoint, sender)).receipt
        level = messages.SUCCESS if receipt.outcome is Outcome.SENT else messages.WARNING
        message = f"{endpoint.id}: {receipt.outcome}. {receipt.problem}".strip()
        messages.add_message(request, level, message)


def endpoints_of(sessions: Any) -> QuerySet[Endpoint]:
    """The endpoints of these sessions."""
    return Endpoint.objects.filter(session__in=sessions).order_by("id")


def test_push(modeladmin: Any, request: HttpRequest, queryset: QuerySet[SyncSession]) -> None:
    """Wake those of the chosen sessions that have an endpoint, and show the outcome."""
    chosen = list(queryset.order_by("-seen_at", "id").values_list("id", flat=True)[: TESTS + 1])
    if len(chosen) > TESTS:
        messages.error(request, f"Choose {TESTS} at most: each may take a while.")
        return
    endpoints = endpoints_of(chosen)
    if not endpoints:
        messages.warning(request, "None of these can be woken: none has an endpoint.")
    send_tests(request, endpoints)


def may_test(request: HttpRequest) -> bool:
    """Whether the user may send test pushes: users who may change endpoints."""
    user: Any = request.user
    return bool(user.has_perm("django_sync.change_endpoint"))


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Where wake-ups go; parked ones with their last problem."""

    actions = ("send_test", "unpark", "remove")
    list_display = (
        "session_name",
        "state_badge",
        "user_name",
        "where",
        "last_sent",
        "last_problem",
    )
    list_display_links = ("session_name",)
    list_filter = (StateFilter,)
    list_select_related = ("user__user", "session")
    fields = (
        "user_name", "session_id", "kind", "host", "state", "due_at", "pending", "sent_at",
        "failures", "problem", "parked_at", "created_at",
    )  # fmt: skip
    readonly_fields = fields
    ordering = ("-id",)
    search_help_text = "A session’s id, or its user’s name; exactly as it is."

    class Media:
        css: ClassVar = {"all": ["django_sync/admin.css"]}

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only the filter's own."""
        return lookup == StateFilter.parameter_name

    # What the list shows

    @admin.display(description="session")
    def session_name(self, obj: Endpoint) -> str:
        return name_of(obj.session)

    @admin.display(description="woken by")
    def where(self, obj: Endpoint) -> str:
        return " · ".join(filter(None, (obj.kind, obj.host)))

    @admin.display(description="state")
    def state_badge(self, obj: Endpoint) -> str:
        return state_badge(self.state(obj))

    @admin.display(description="last woken", empty_value="never")
    def last_sent(self, obj: Endpoint) -> str | None:
        return None if obj.sent_at is None else ago(obj.sent_at)

    @admin.display(description="problem", empty_value="")
    def last_problem(self, obj: Endpoint) -> str:
        return obj.problem

    # What the page of one endpoint shows besides its columns

    @admin.display(description="user")
    def user_name(self, obj: Endpoint) -> str:
        return str(obj.user.user)

    @admin.display(description="session")
    def session_id(self, obj: Endpoint) -> str:
        return str(obj.session.id)

    @admin.display(description="state")
    def state(self, obj: Endpoint) -> str:
        """One word."""
        if obj.parked_at is not None:
            return "parked"
        if obj.failures:
            return "failing"
        return "idle" if obj.due_at is None else "due"

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        return by_id_or_user(queryset, term, "session")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether staff may act on endpoints; the ``change`` permission."""
        return may_test(request)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """The ``delete`` permission."""
        code = get_permission_codename("delete", self.opts)
        user: Any = request.user
        return bool(user.has_perm(f"{self.opts.app_label}.{code}"))

    @admin.action(description="Send a test push now", permissions=["operate"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """Send at once in any state; the state does not change."""
        send_tests(request, queryset)

    @admin.action(description="Unpark, and wake", permissions=["operate"])
    def unpark(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """Each is woken, because changes during the time it was parked were not noted."""
        now = timezone.now()
        chosen = list(queryset.values_list("id", flat=True))
        parked = Endpoint.objects.filter(id__in=chosen, parked_at__isnull=False)
        found = parked.update(
            parked_at=None, failures=0, problem="", due_at=now, asked_at=now, asked=F("asked") + 1
        )
        self.message_user(request, f"Unparked {found}.")

    @admin.action(description="Remove", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        """The sessions stay, and are not woken until they register again."""
        chosen = list(queryset[: MOST + 1])
        if len(chosen) > MOST:
            messages.error(request, f"Choose {MOST} endpoints at most.")
            return None
        if is_confirmed(request):
            rows = Endpoint.objects.filter(pk__in=[one.pk for one in chosen])
            self.log_deletions(request, rows)
            removed, _ = rows.delete()
            self.message_user(request, f"Removed {removed}.")
            return None
        return confirmation(
            self,
            request,
            action="remove",
            title="Remove endpoints",
            explains="These sessions stay, but are not woken any more. They learn what is new when "
            "they pull, and can be woken again once their clients have registered again.",
            button="Remove",
            danger=True,
            rows=[
                Row(
                    endpoint.pk,
                    name_of(endpoint.session),
                    self.user_name(endpoint),
                    self.state(endpoint),
                    f"is not woken at {endpoint.host} any more",
                )
                for endpoint in chosen
            ],
        )

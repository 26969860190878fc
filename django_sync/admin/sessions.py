"""Sessions: who syncs, how far each is, what is wrong; and the directives that staff may give.

Made for long tables: the newest come first by an index, no count goes to the end of a table, and
the lag of a page of sessions takes two statements for any number of sessions.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from ..models import Order, SyncSession
from ..protocol.ids import canonical_uuid
from ..sessions import directives
from ..sessions.lag import Lag, lags
from ..sessions.state import State, of_state, state_of, title_of, with_blocks
from ..sessions.transport_choice import PREFERENCE
from .client_contents import held, open_conflicts
from .directives import DIRECTIVES, DirectivesMixin
from .endpoints import endpoints_of, may_test, test_push
from .labels import ago, name_of, span, state_badge, unwrapped
from .read_only import FixedOrder, UsersOwnAdmin, by_id_or_user

PLATFORMS_OF = 1000
"""The filter offers the platforms of so many of the newest sessions."""


class StateFilter(admin.SimpleListFilter):
    """By state."""

    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(state), str(state)) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return of_state(queryset, State(value)) if value in set(State) else None


class TransportFilter(admin.SimpleListFilter):
    """By the transport of their changes."""

    title, parameter_name = "transport", "transport"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(transport), str(transport)) for transport in PREFERENCE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        return queryset.filter(transport=self.value()) if self.value() else None


class PlatformFilter(admin.SimpleListFilter):
    """By platform, as the newest sessions report it."""

    title, parameter_name = "platform", "platform"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = SyncSession.objects.order_by("-seen_at")
        names = set(newest.values_list("platform", flat=True)[:PLATFORMS_OF])
        return [(name, name) for name in sorted(names | {self.value() or ""}) if name]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        return queryset.filter(platform=self.value()) if self.value() else None


class Page(FixedOrder):
    """One page of sessions, with their lag."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        lag = lags(self.result_list)
        for session in self.result_list:
            session.lag = lag.get(session.id)


@admin.register(SyncSession)
class SessionAdmin(DirectivesMixin, UsersOwnAdmin):
    """The list, a page for each, and the directives for them."""

    list_display = (
        "session_name",
        "user_link",
        "transport",
        "state",
        "lag",
        "last_seen",
        "platform_name",
        "refused",
    )
    list_display_links = ("session_name",)
    list_filter = (StateFilter, TransportFilter, PlatformFilter)
    list_select_related = ("user",)
    ordering = ("-seen_at",)

    class Media:
        css: ClassVar = {"all": ["django_sync/admin.css"]}

    search_help_text = "A user’s name, or the id of a session or client; exactly as it is."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = SyncSession.objects.select_related("user")
        return with_blocks(rows.defer("ticket", "ticket_until"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Page

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        filters = (one.parameter_name for one in self.list_filter)
        return lookup in ("user__exact", "client__exact", *filters)

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        return by_id_or_user(queryset, term, "id", "client")

    # What the list offers besides directives

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        if "_popup" not in request.GET and may_test(request):
            found["test_push"] = (test_push, "test_push", "Send a test push")
        return found

    # What the list shows

    @admin.display(description="session")
    def session_name(self, obj: SyncSession) -> str:
        return name_of(obj)

    @admin.display(description="user")
    def user_link(self, obj: SyncSession) -> str:
        return format_html('<a href="?user__exact={}">{}</a>', obj.user_id, obj.user)

    @admin.display(description="state")
    def state(self, obj: SyncSession) -> str:
        return state_badge(state_of(obj, timezone.now()))

    @admin.display(description="lag")
    def lag(self, obj: Any) -> str:
        return unwrapped(behind(obj, obj.lag))

    @admin.display(description="last seen")
    def last_seen(self, obj: SyncSession) -> str:
        return ago(obj.seen_at)

    @admin.display(description="platform")
    def platform_name(self, obj: SyncSession) -> str:
        return " · ".join(filter(None, (obj.platform, obj.version)))

    @admin.display(description="last refused", empty_value="")
    def refused(self, obj: SyncSession) -> str:
        return obj.problem

    # One session

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What is known of the session, what it holds, and the directives for it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        session = self.find_one(request, object_id)
        if session is None:
            missing: Any = self
            response: HttpResponse = missing._get_obj_does_not_exist_redirect(
                request, self.opts, object_id
            )
            return response
        blocks = directives.blocks_of([session])[session.id]
        pending = Order.objects.filter(kind=Order.Kind.SNAPSHOT, client=session.client_id)
        state = state_of(session, timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": f"Session {self.session_name(session)}",
            "opts": self.opts,
            "session": session,
            "state": state,
            "lag": behind(session, lags([session]).get(session.id)),
            "problem": title_of(session.problem) if session.problem else "",
            "conflicts": open_conflicts(session),
            "held": held(session),
            "blocks": blocks,
            "pending": pending.first(),
            "endpoint": endpoints_of([session]).first() if may_test(request) else None,
            "directives": [
                (name, directive.button)
                for name, directive in DIRECTIVES.items()
                if self.may(request, directive) and directive.has_effect(session, state, blocks)
            ],
            "listed": reverse(
                "admin:django_sync_syncsession_changelist", current_app=self.admin_site.name
            ),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/django_sync/session.html", context)

    def find_one(self, request: HttpRequest, object_id: str) -> Any:
        """The session with this id; ``None`` if there is none."""
        try:
            return self.get_queryset(request).filter(id=canonical_uuid(object_id)).first()
        except ValueError:
            return None


def behind(session: SyncSession, lag: Lag | None) -> str:
    """The lag as text."""
    if lag is None:
        progress = session.progress or {}
        if not progress:
            return "not known"
        return f"snapshot, {progress.get('done', 0)} of about {progress.get('total', 0)}"
    if not lag.changes:
        return "none"
    return f"{lag.changes} {'change' if lag.changes == 1 else 'changes'}, {span(lag.seconds)}"

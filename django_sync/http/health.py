"""``health/live`` and ``health/ready``: for load balancers, without credentials and details."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from ..conf import conf
from ..maintenance import health


def answer(well: bool, word: str) -> HttpResponse:
    """Return 200 with a word, or 503 without details, because the caller may be a stranger."""
    response = JsonResponse(
        {"status": word if well else "unavailable"}, status=200 if well else 503
    )
    response["Cache-Control"] = "no-store"
    if not well:
        response["Retry-After"] = "1"
    return response


class HealthView(View):
    """What both share: they only read, and never in a transaction of the request."""

    http_method_names = ("get", "head", "options")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        view: Any = super().as_view(**initkwargs)
        view._non_atomic_requests = {DEFAULT_DB_ALIAS, conf.DATABASE}
        return view


class LiveView(HealthView):
    """This process answers. No database is asked; ``realtime`` answers 503 while it shuts down."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return answer(True, "live")


class ReadyView(HealthView):
    """It can serve: the database answers, migrations and triggers are there, the feed is read."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return answer(health.ready(), "ready")

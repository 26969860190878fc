"""Who is remembered for a heartbeat, and that what they may see is not (G7)."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from rest_framework import permissions
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from rest_framework.authtoken.models import Token
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken

from django_sync.drf.caller import ATTRIBUTE
from django_sync.feed import notify
from django_sync.feed import pull as feed_pull
from django_sync.http import edge
from django_sync.models import SyncSession
from django_sync.sessions import directives
from example_project.boards import api
from example_project.boards.models import Membership
from tests.integration.pollers import Header, Site, change, create, site, whole
from tests.integration.test_http import client_of
from tests.integration.test_long_poll import PATIENCE

__all__ = ["site"]


def test_a_token_that_is_deleted_opens_nothing_more(site, ada, boards):
    async def story() -> None:
        poller = await site.poller(ada)
        await change(create, boards.launch)
        await change(lambda: Token.objects.filter(user=boards.ada).delete())
        assert (await poller.pull()).status == 401

    asyncio.run(story())


def test_who_is_deactivated_is_refused_at_once(site, ada, boards):
    async def story() -> None:
        poller = await site.poller(ada)
        await change(lambda: User.objects.filter(pk=boards.ada.pk).update(is_active=False))
        assert (await poller.pull()).status == 401

    asyncio.run(story())


def cookie_of(user: User) -> tuple[Client, Header]:
    browser = Client()
    browser.force_login(user)
    return browser, ("Cookie", f"sessionid={browser.cookies['sessionid'].value}")


@pytest.mark.parametrize("ends", ["log out", "expiry", "password"])
def test_a_login_that_has_ended_opens_nothing_more(site, boards, ends):
    browser, cookie = cookie_of(boards.ada)

    def end() -> None:
        if ends == "log out":
            browser.logout()
        elif ends == "expiry":
            session = browser.session
            session.set_expiry(-1)
            session.save()
        else:
            boards.ada.set_password("another")
            boards.ada.save()

    async def story() -> None:
        poller = await site.poller(cookie)
        await change(create, boards.launch)
        with whole(site, 0):
            assert len((await poller.pull()).ids) == 1
        await change(end)
        assert (await poller.pull()).status == 401

    asyncio.run(story())


def basic(name: str) -> Header:
    import base64

    return ("Authorization", "Basic " + base64.b64encode(f"{name}:{name}-demo".encode()).decode())


def set_password(user: User) -> None:
    user.set_password("another")
    user.save()


def test_a_changed_password_may_live_one_heartbeat(site, boards, settings):
    async def story() -> None:
        poller = await site.poller(basic("ada"))
        await change(set_password, boards.ada)
        with whole(site, 0):
            assert (await poller.pull()).status == 200
        settings.DJANGO_SYNC = {"HEARTBEAT": 0}
        for identity in site.application.pulls.identities._known.values():
            identity.until = time.monotonic()
        assert (await poller.pull()).status == 401

    asyncio.run(story())


def test_what_is_announced_counts_at_once(site, boards):
    async def story() -> None:
        poller = await site.poller(basic("ada"))
        other = await site.poller(basic("grace"))
        await change(set_password, boards.ada)
        await change(notify.invalidate, boards.ada)
        assert (await poller.pull()).status == 401
        with whole(site, 0):
            assert (await other.pull()).status == 200

    asyncio.run(story())


def test_what_is_announced_while_a_request_runs_is_not_remembered(site, boards, monkeypatch):
    """It was let in before, and may be answered after."""
    pull = feed_pull.pull
    running, go = threading.Event(), threading.Event()

    def stopping(*args: Any) -> Any:
        running.set()
        assert go.wait(PATIENCE)
        return pull(*args)

    async def story() -> None:
        poller = await site.poller(basic("ada"))
        site.forget()
        monkeypatch.setattr(feed_pull, "pull", stopping)
        held = asyncio.create_task(poller.pull())
        await asyncio.to_thread(running.wait, PATIENCE)
        await change(set_password, boards.ada)
        await change(notify.invalidate, boards.ada)
        go.set()
        await held
        assert (await poller.pull()).status == 401

    asyncio.run(story())


def test_a_jwt_is_remembered_no_longer_than_it_lives(site, boards, monkeypatch):
    monkeypatch.setattr(edge.SyncView, "authentication_classes", (JWTAuthentication,))
    token = AccessToken.for_user(boards.ada)
    token.payload["exp"] = int(time.time()) + 10

    async def story() -> None:
        await site.poller(("Authorization", f"Bearer {token}"))
        (identity,) = site.application.pulls.identities._known.values()
        assert time.monotonic() < identity.until <= time.monotonic() + 10

    asyncio.run(story())


@pytest.mark.parametrize(
    "other",
    [
        {"client": ("127.0.0.2", 4711)},
        {"scheme": "https"},
        {"header": ("X-Tenant", "b")},
        {"header": ("Cookie", "a=b")},
        {"header": ("Authorization", "Token other")},
    ],
)
def test_what_authentication_could_look_at_makes_another_request(site, ada, other):
    async def story() -> None:
        poller = await site.poller(ada)
        extra = dict(other)
        header = extra.pop("header", None)
        headers = [ada, *([header] if header else [])]
        with whole(site, 1):
            await site.get(f"cursor={poller.cursor}", *headers, **extra)

    asyncio.run(story())


def test_an_identity_holds_neither_page_nor_scopes(site, ada):
    async def story() -> None:
        await site.get("", ada)
        (identity,) = site.application.pulls.identities._known.values()
        assert not hasattr(identity.view, "response")
        assert identity.view.asker is None
        assert not hasattr(identity.request._request, ATTRIBUTE)

    asyncio.run(story())


class ByAddress(BaseAuthentication):
    """Of a project: nobody knows what it looks at."""

    def authenticate(self, request: Any) -> Any:
        return User.objects.get(username="ada"), None


class Stricter(TokenAuthentication):
    def authenticate_credentials(self, key: str) -> Any:
        return super().authenticate_credentials(key)


class Renamed(TokenAuthentication):
    keyword = "Bearer"


@pytest.mark.parametrize(
    ("classes", "remembered"),
    [
        ((ByAddress,), 0),
        ((ByAddress, TokenAuthentication), 0),
        ((TokenAuthentication, ByAddress), 0),
        ((Stricter,), 0),
        ((TokenAuthentication, BasicAuthentication, SessionAuthentication), 1),
        ((Renamed, TokenAuthentication), 1),
    ],
)
def test_only_known_authenticators_are_remembered(site, ada, monkeypatch, classes, remembered):
    monkeypatch.setattr(edge.SyncView, "authentication_classes", classes)

    async def story() -> None:
        await site.get("", ada)
        assert len(site.application.pulls.identities) == remembered

    asyncio.run(story())


class Counting:
    """A middleware of a project's."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        response = self.get_response(request)
        response["X-Number"] = str(uuid.uuid4())
        return response


def test_unknown_middleware_sees_each_request(boards, settings, ada):
    settings.DJANGO_SYNC = {}
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Counting"]
    site = Site()

    async def story() -> None:
        numbers = {dict((await site.get("", ada)).headers)[b"X-Number"] for _ in range(3)}
        assert (len(numbers), site.whole) == (3, 3)

    asyncio.run(story())
    site.application.close()


def test_an_answer_that_sets_a_cookie_is_not_repeated(boards, settings):
    settings.DJANGO_SYNC = {}
    settings.SESSION_SAVE_EVERY_REQUEST = True
    site, (_, cookie) = Site(), cookie_of(boards.ada)

    async def story() -> None:
        for _ in range(3):
            await site.get("", cookie)
        assert site.whole == 3

    asyncio.run(story())
    site.application.close()


def test_a_language_is_the_requests_own(boards, settings, ada):
    settings.DJANGO_SYNC = {}
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    site = Site()

    async def story() -> None:
        german = await site.poller(ada, ("Accept-Language", "de"))
        french = await site.poller(ada, ("Accept-Language", "fr"))
        spoken = []
        get_queryset = api.CardViewSet.get_queryset

        def noting(self: Any) -> Any:
            from django.utils import translation

            spoken.append(translation.get_language())
            return get_queryset(self)

        api.CardViewSet.get_queryset = noting  # type: ignore[method-assign]  # put back below
        try:
            await change(create, boards.launch)
            with whole(site, 0):
                got = [await german.pull(), await french.pull()]
        finally:
            api.CardViewSet.get_queryset = get_queryset  # type: ignore[method-assign]  # put back below
        languages = [dict(one.headers)[b"Content-Language"] for one in got]
        assert languages == [b"de", b"fr"]
        assert list(dict.fromkeys(spoken)) == ["de", "fr"]

    asyncio.run(story())
    site.application.close()


def test_g7_a_membership_that_ends_counts_at_the_next_pull(site, boards, grace):
    async def story() -> None:
        poller = await site.poller(grace)
        await change(create, boards.launch, "Not for Grace")
        await change(lambda: Membership.objects.filter(user=boards.grace).delete())
        got = await poller.pull()
        assert {change["op"] for change in got.page["changes"]} == {"drop"}
        assert b"Not for Grace" not in got.body

    asyncio.run(story())


def test_a_membership_that_came_counts_at_the_next_pull(site, boards, grace):
    """Though nothing is new in the feed."""

    async def story() -> None:
        poller = await site.poller(grace)
        member = {"board": boards.private, "user": boards.grace, "role": "viewer"}
        await change(lambda: Membership.objects.create(**member))
        assert "Private" in (await poller.pull()).body.decode()

    asyncio.run(story())


class Permitted(permissions.BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.has_perm("boards.view_card"))


def test_g7_a_permission_that_ends_counts_at_the_next_pull(site, ada, boards, monkeypatch):
    """Django keeps a user's permissions with the user, for as long as that object lives."""
    monkeypatch.setattr(api.CardViewSet, "permission_classes", [Permitted])
    view = Permission.objects.get(codename="view_card", content_type__app_label="boards")
    boards.ada.user_permissions.add(view)

    async def story() -> None:
        poller = await site.poller(ada)
        await change(create, boards.launch, "One")
        with whole(site, 0):
            assert b"One" in (await poller.pull()).body
        await change(create, boards.launch, "Two")
        await change(boards.ada.user_permissions.remove, view)
        got = await poller.pull()
        assert b"Two" not in got.body
        assert "begin" in {change["op"] for change in got.page["changes"]}

    asyncio.run(story())


def test_g7_rows_that_the_queryset_hides_are_not_told(site, ada, boards, monkeypatch):
    """Though nothing tells that it hides others than a moment ago."""
    hidden: list[str] = []
    get_queryset = api.CardViewSet.get_queryset
    monkeypatch.setattr(
        api.CardViewSet, "get_queryset", lambda self: get_queryset(self).exclude(title__in=hidden)
    )

    async def story() -> None:
        one, other = await site.poller(ada), await site.poller(ada)
        other.cursor = one.cursor
        await change(create, boards.launch, "Draft")
        with whole(site, 0):
            assert b"Draft" in (await one.pull()).body
            hidden.append("Draft")
            got = await other.pull()
        assert b"Draft" not in got.body
        assert [change["op"] for change in got.page["changes"]] == ["remove"]

    asyncio.run(story())


def test_r4_nobody_is_shown_what_was_made_for_another(site, boards, ada, grace, monkeypatch):
    class Personal(api.CardSerializer):
        def to_representation(self, instance: Any) -> Any:
            made = super().to_representation(instance)
            return made | {"body": f"for {self.context['request'].user.username}"}

    monkeypatch.setattr(api.CardViewSet, "serializer_class", Personal)
    monkeypatch.setattr(api.CardViewSet, "shared_rendering", False)

    async def story() -> None:
        pollers = [await site.poller(header) for header in (ada, grace)]
        await change(create, boards.launch)
        with whole(site, 0):
            got = await asyncio.gather(*(poller.pull() for poller in pollers))
        bodies = [one.page["changes"][0]["object"]["body"] for one in got]
        assert bodies == ["for ada", "for grace"]

    asyncio.run(story())


def test_what_a_failing_project_does_to_one_it_does_to_no_other(
    site, boards, ada, grace, monkeypatch
):
    get_scopes = api.CardViewSet.get_scopes

    def failing(self: Any) -> Any:
        if self.request.user.username == "grace" and broken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_function()")
        return get_scopes(self)

    broken: list[int] = []
    monkeypatch.setattr(api.CardViewSet, "get_scopes", failing)

    async def story() -> None:
        well, ill = await site.poller(ada), await site.poller(grace)
        await change(create, boards.launch)
        broken.append(1)
        with whole(site, 1):
            got = await asyncio.gather(well.pull(), ill.pull(), return_exceptions=True)
        assert not isinstance(got[0], BaseException)
        assert len(got[0].ids) == 1
        assert not isinstance(got[1], BaseException)
        assert got[1].status in (500, 503)
        broken.clear()
        assert len((await ill.pull()).ids) == 1

    asyncio.run(story())


@pytest.fixture
def throttled(monkeypatch):
    cache.clear()
    monkeypatch.setattr(edge.SyncView, "throttle_classes", (UserRateThrottle,))
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"user": "8/hour"})
    yield
    cache.clear()


def test_each_pull_counts_with_the_throttles_once(site, ada, throttled):
    async def story() -> None:
        poller = await site.poller(ada)
        used = 1 + len(cache.get(f"throttle_user_{await user_id(ada)}")) - 1
        statuses = [(await poller.pull()).status for _ in range(8 - used + 2)]
        assert statuses == [200] * (8 - used) + [429, 429]

    asyncio.run(story())


def user_id(header: Header) -> Any:
    return change(lambda: Token.objects.get(key=header[1].split()[1]).user_id)


def opened(user: User) -> Any:
    """A session, as a client opens it."""
    body = {"client_id": str(uuid.uuid4()), "platform": "test", "transports": ["poll"]}
    answer = client_of(user).post("/sync/sessions/", body, format="json")
    assert answer.status_code == 201, answer.json()
    return SyncSession.objects.get(id=answer.json()["id"])


def test_sessions_are_noted_to_be_there_and_level(site, ada, boards, settings):
    settings.DJANGO_SYNC = {"SEEN_SECONDS": 0}
    session = opened(boards.ada)

    def state() -> Any:
        session.refresh_from_db()
        return session.position, session.seen_at

    async def story() -> None:
        poller = await site.poller(ada, ("Sync-Session", str(session.id)))
        position, seen = await change(state)
        await change(create, boards.launch)
        with whole(site, 0):
            await poller.pull()
            behind, later = await change(state)
            assert (behind, later > seen) == (position, True)
            await poller.pull()
        level, last = await change(state)
        assert (level > position, last > later) == (True, True)

    asyncio.run(story())


def test_who_is_blocked_is_refused_at_once(site, ada, boards):
    async def story() -> None:
        poller = await site.poller(ada)
        await change(lambda: directives.block(user=boards.ada))
        got = await poller.pull()
        assert (got.status, got.page["code"]) == (403, "blocked")

    asyncio.run(story())


def test_a_client_that_is_to_pull_anew_is_told(site, ada, boards):
    session = opened(boards.ada)

    async def story() -> None:
        poller = await site.poller(ada, ("Sync-Client", str(session.client_id)))
        other = await site.poller(ada)
        await change(lambda: directives.refresh(session.client_id))
        assert (await poller.pull()).status == 410
        assert (await other.pull()).status == 200

    asyncio.run(story())

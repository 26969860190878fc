"""Who asks: each kind of credentials that DRF takes, alone and in either order; 401 against 403."""

from __future__ import annotations

import base64
import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authentication import (
    BaseAuthentication,
    BasicAuthentication,
    SessionAuthentication,
    TokenAuthentication,
)
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from django_sync import errors
from django_sync.client import BearerAuth, SyncClient
from django_sync.feed import sequencer
from django_sync.http import edge
from example_project.boards.models import Board
from tests.integration.conftest import in_process
from tests.integration.test_http import batch, client_of, is_problem, path_of
from tests.integration.test_privacy import everything

Kinds = Callable[..., None]


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Kinds:
    """Sets the authenticators, as ``DEFAULT_AUTHENTICATION_CLASSES`` does when a project starts."""

    def set_them(*classes: type[BaseAuthentication]) -> None:
        monkeypatch.setattr(edge.SyncView, "authentication_classes", classes)

    return set_them


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def expired(user: User) -> str:
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=datetime.timedelta(seconds=-1))
    return f"Bearer {token}"


def forged(user: User) -> str:
    """Another's name under a signature that was made for one's own."""
    head, _, signature = str(AccessToken.for_user(User.objects.get(username="grace"))).split(".")
    return f"Bearer {head}.{str(AccessToken.for_user(user)).split('.')[1]}.{signature}"


def unsigned(user: User) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"Bearer {head}.{str(AccessToken.for_user(user)).split('.')[1]}."


GOOD: dict[Any, Callable[[User], str]] = {
    TokenAuthentication: lambda user: f"Token {Token.objects.get_or_create(user=user)[0].key}",
    BasicAuthentication: lambda user: basic(user.username, f"{user.username}-demo"),
    JWTAuthentication: lambda user: f"Bearer {AccessToken.for_user(user)}",
}
WRONG: list[tuple[Any, Callable[[User], str]]] = [
    (TokenAuthentication, lambda user: "Token " + "0" * 40),
    (BasicAuthentication, lambda user: basic(user.username, "guessed")),
    (BasicAuthentication, lambda user: basic("nobody", "guessed")),
    (JWTAuthentication, expired),
    (JWTAuthentication, forged),
    (JWTAuthentication, unsigned),
    (JWTAuthentication, lambda user: f"Bearer {RefreshToken.for_user(user)}"),
    (JWTAuthentication, lambda user: "Bearer x"),
]
CHALLENGE = {
    TokenAuthentication: "Token",
    BasicAuthentication: "Basic",
    JWTAuthentication: "Bearer",
}


def create_board() -> dict[str, Any]:
    mutation = {
        "id": str(uuid.uuid4()),
        "seq": 1,
        "op": "create",
        "collection": "boards",
        "object_id": str(uuid.uuid4()),
        "fields": {"name": "New"},
    }
    return batch(mutation)


def new_session() -> dict[str, Any]:
    return {"client_id": str(uuid.uuid4()), "transports": ["poll"]}


def each_way(client: APIClient, row: Any) -> list[Any]:
    """The answers of all endpoints, reading and writing."""
    return [
        *(client.get(f"/sync/{path}") for path in ("", "changes/", "live/changes/?wait=1")),
        *(client.get(f"/sync/{path}") for path in ("boards/", "nothing/", "no/such/path")),
        client.get("/sync/sessions/"),
        client.post("/sync/sessions/", new_session(), format="json"),
        *(client.get(path_of(row) + tail) for tail in ("", "history/")),
        client.post("/sync/mutations/", create_board(), format="json"),
        client.post("/sync/boards/", {"object": {"name": "New"}}, format="json"),
        client.patch(path_of(row), {"object": {"name": "x"}}, format="json", HTTP_IF_MATCH="*"),
        client.delete(path_of(row), HTTP_IF_MATCH="*"),
    ]


@pytest.mark.parametrize("kind", GOOD, ids=lambda kind: kind.__name__)
def test_credentials_open_what_is_their_users(people, kinds, kind):
    kinds(kind)
    client = APIClient(HTTP_AUTHORIZATION=GOOD[kind](people.grace))
    sent = client.post("/sync/mutations/", create_board(), format="json").json()
    assert sent["results"][0]["record"]["object"]["owner"] == "grace"
    for path in ("changes/", "live/changes/?wait=1"):
        page = client.get(f"/sync/{path}").json()
        seen = {c["object"]["name"] for c in page["changes"] if c["collection"] == "boards"}
        assert seen == {"New", "Launch", "Research"}


@pytest.mark.parametrize(
    ("kind", "made"),
    WRONG,
    ids=[f"{kind.__name__}{place}" for place, (kind, _) in enumerate(WRONG)],
)
def test_wrong_credentials_are_401_with_a_challenge_and_open_nothing(people, kinds, kind, made):
    kinds(kind)
    client, before = APIClient(HTTP_AUTHORIZATION=made(people.ada)), everything()
    for response in each_way(client, people.launch):
        is_problem(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"].startswith(CHALLENGE[kind])
    assert everything() == before


@pytest.mark.parametrize("kind", GOOD, ids=lambda kind: kind.__name__)
def test_who_is_deactivated_is_401_whatever_they_hold(people, kinds, kind):
    kinds(kind)
    credentials, before = GOOD[kind](people.ada), everything()
    User.objects.filter(pk=people.ada.pk).update(is_active=False)
    for response in each_way(APIClient(HTTP_AUTHORIZATION=credentials), people.launch):
        is_problem(response, 401, "not_authenticated")
    assert everything() == before


def test_who_is_deactivated_has_no_session_either(people, kinds):
    kinds(SessionAuthentication)
    browser = APIClient()
    browser.force_login(people.ada)
    assert browser.get("/sync/changes/").status_code == 200
    User.objects.filter(pk=people.ada.pk).update(is_active=False)
    for response in each_way(browser, people.launch):
        is_problem(response, 401, "not_authenticated")


# Several kinds, in either order

SESSION, TOKEN, BASIC, JWT = (
    SessionAuthentication,
    TokenAuthentication,
    BasicAuthentication,
    JWTAuthentication,
)
ORDERS: list[tuple[tuple[Any, ...], str]] = [
    ((TOKEN, SESSION), "Token"),
    ((SESSION, TOKEN), "Token"),
    ((JWT, SESSION), 'Bearer realm="api"'),
    ((SESSION, JWT), 'Bearer realm="api"'),
    ((BASIC, SESSION), 'Basic realm="api"'),
    ((SESSION, BASIC), "Session"),
    ((SESSION, BASIC, TOKEN), "Token"),
    ((SESSION,), "Session"),
]


@pytest.mark.parametrize(("classes", "challenge"), ORDERS)
def test_in_whatever_order_nobody_is_401_and_a_forged_request_403(
    people, kinds, classes, challenge
):
    """DRF alone would say 403 to nobody where a session comes first: a client that is to sign
    in again could not tell it from one that may not. Basic is no challenge of a site with
    sessions, where browsers would ask for a password over the page."""
    kinds(*classes)
    sequencer.sequence()
    before = everything()
    for response in each_way(APIClient(), people.launch):
        is_problem(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == challenge
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(people.ada)
    if SESSION in classes:
        sent = browser.post("/sync/mutations/", create_board(), format="json")
        is_problem(sent, 403, "permission_denied")
        assert "WWW-Authenticate" not in sent
        assert browser.get("/sync/changes/").status_code == 200
    assert everything() == before


def test_where_nobody_can_sign_in_everything_is_forbidden(people, kinds):
    kinds()
    for response in each_way(APIClient(), people.launch):
        is_problem(response, 403, "permission_denied")


def test_a_wrong_token_is_not_made_good_by_a_session(people, kinds):
    kinds(TOKEN, SESSION)
    browser = APIClient(HTTP_AUTHORIZATION="Token x")
    browser.force_login(people.ada)
    is_problem(browser.get("/sync/changes/"), 401, "not_authenticated")


def test_f8_a_cursor_is_its_users_whatever_they_signed_in_with(people, kinds):
    kinds(TOKEN, BASIC, JWT, SESSION)
    ada = [APIClient(HTTP_AUTHORIZATION=made(people.ada)) for made in GOOD.values()]
    grace = APIClient(HTTP_AUTHORIZATION=GOOD[JWT](people.grace))
    cursor = ada[0].get("/sync/changes/").json()["cursor"]
    for client in ada:
        again = client.get("/sync/changes/", {"cursor": cursor})
        assert (again.status_code, again.json()["changes"]) == (200, [])
    is_problem(grace.get("/sync/changes/", {"cursor": cursor}), 400, "invalid_cursor")


def test_f8_a_key_that_is_rotated_keeps_cursors(people, settings):
    client = client_of(people.ada)
    cursor = client.get("/sync/changes/").json()["cursor"]
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    settings.SECRET_KEY_FALLBACKS = [old]
    again = client.get("/sync/changes/", {"cursor": cursor}).json()
    assert again["changes"] == []
    settings.SECRET_KEY_FALLBACKS = []
    is_problem(client.get("/sync/changes/", {"cursor": cursor}), 400, "invalid_cursor")
    anew = client.get("/sync/changes/", {"cursor": again["cursor"]})
    assert (anew.status_code, anew.json()["changes"]) == (200, []), "sealed with the new key"


# Forgery across sites

HOME, EVIL = "https://testserver", "https://evil.example"


@pytest.fixture
def browser(people):
    """Ada's, signed in over HTTPS, and her site's token against forgery."""
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(people.ada)
    browser.get("/login/", secure=True)
    return browser


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({"HTTP_ORIGIN": HOME}, True, 200),
        ({"HTTP_REFERER": f"{HOME}/"}, True, 200),
        ({"HTTP_ORIGIN": "https://app.example"}, True, 200),
        ({"HTTP_ORIGIN": HOME}, False, 403),
        ({"HTTP_ORIGIN": EVIL}, True, 403),
        ({"HTTP_ORIGIN": "null"}, True, 403),
        ({"HTTP_ORIGIN": EVIL}, False, 403),
        ({"HTTP_REFERER": f"{EVIL}/"}, True, 403),
        ({}, True, 403),
    ],
)
def test_a_session_writes_from_its_own_site_alone(
    people, browser, settings, headers, token, status
):
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example"]
    before = everything()
    if token:
        headers = headers | {"HTTP_X_CSRFTOKEN": browser.cookies["csrftoken"].value}
    for path, body, done in (
        ("mutations/", create_board(), 200),
        ("boards/", {"object": {"name": "New"}}, 201),
    ):
        sent = browser.post(f"/sync/{path}", body, format="json", secure=True, **headers)
        if status == 200:
            assert sent.status_code == done
        else:
            is_problem(sent, 403, "permission_denied")
    assert (everything() == before) == (status == 403)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_what_a_foreign_form_can_send_is_refused(people, browser, content_type):
    """These need no preflight: the browser sends them, cookies and all."""
    before = everything()
    text = '{"client_id": "00000000-0000-0000-0000-000000000001", "mutations": []}'
    sent = browser.generic(
        "POST", "/sync/mutations/", text, content_type, secure=True, HTTP_ORIGIN=EVIL
    )
    is_problem(sent, 403, "permission_denied")
    assert everything() == before


def test_a_token_needs_no_protection_against_forgery(people):
    """No browser adds it by itself, so any site that knows it may use it."""
    made = GOOD[TOKEN](people.ada)
    client = APIClient(enforce_csrf_checks=True, HTTP_AUTHORIZATION=made, HTTP_ORIGIN=EVIL)
    sent = client.post("/sync/mutations/", create_board(), format="json", secure=True)
    assert sent.json()["results"][0]["status"] == "applied"


# A client whose token has run out


@pytest.fixture
def connect(people, tmp_path, kinds):
    kinds(JWT)
    opened: list[SyncClient] = []

    def connect(auth: BearerAuth) -> SyncClient:
        opened.append(
            SyncClient(
                "http://testserver/sync/",
                store=tmp_path / "ada.sqlite3",
                collections=["boards"],
                auth=auth,
                transport=transport,
            )
        )
        return opened[-1]

    with in_process() as transport:
        yield connect
    for client in opened:
        client.close()


def test_a_jwt_that_ran_out_is_renewed_and_nothing_is_sent_twice(people, connect):
    asked: list[int] = []

    def renew() -> str:
        asked.append(1)
        return str(AccessToken.for_user(people.ada))

    client = connect(BearerAuth(expired(people.ada).split()[1], renew=renew))
    client.collection("boards").create({"name": "Made offline"})
    assert client.sync().changes
    assert (len(client.outbox), len(asked)) == (0, 1)
    assert Board.objects.filter(name="Made offline").count() == 1


def test_without_a_new_one_the_outbox_waits(people, connect):
    client = connect(BearerAuth(expired(people.ada).split()[1]))
    client.collection("boards").create({"name": "Made offline"})
    with pytest.raises(errors.NotAuthenticated):
        client.sync()
    assert len(client.outbox) == 1
    assert not Board.objects.filter(name="Made offline").exists()
    client._network._auth = BearerAuth(str(AccessToken.for_user(people.ada)))
    client.sync()
    assert len(client.outbox) == 0
    assert Board.objects.get(name="Made offline").owner == people.ada

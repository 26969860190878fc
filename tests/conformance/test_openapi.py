"""Whatever is sent, the answer is one that the OpenAPI schema tells of, and nobody's secrets (G7).

Schemathesis makes requests from the schema, sound ones and malformed ones, for three users
against the WSGI application. What it cannot know is put in: ids and revisions that exist.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from rest_framework.authtoken.models import Token
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from django_sync import engine, errors
from django_sync.drf.caller import Caller
from example_project.boards.models import Board, Card, Comment, Label

DOCUMENT = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
MODELS = {"boards": Board, "labels": Label, "cards": Card, "comments": Comment}
CANARY = "canary-in-"

api = schemathesis.openapi.from_dict(DOCUMENT)
api.app = get_wsgi_application()


def seeded(people: Any) -> dict[str, list[str]]:
    """Give each board a secret word in each text, and name what nobody outside may read."""
    secrets: dict[str, list[str]] = {}
    for board in (people.launch, people.research, people.private):
        word = f"{CANARY}{board.name.lower()}"
        Board.objects.filter(pk=board.pk).update(name=word)
        Label.objects.filter(board=board).update(name=word)
        Card.objects.filter(board=board).update(title=word, body=word, checklist=[word])
        Comment.objects.filter(card__board=board).update(text=word)
        rows = [board, *board.labels.all(), *board.cards.all()]
        rows += Comment.objects.filter(card__board=board)
        secrets[str(board.sync_id)] = [word, *(str(row.sync_id) for row in rows)]
    return secrets


def session_of(user: Any) -> str:
    body = {"client_id": str(uuid.uuid4()), "transports": ["poll"]}
    return str(engine.open_session(Caller.for_user(user), body).session.id)


class World:
    """What there is, for requests to run into; the three users take turns."""

    def __init__(self, people: Any) -> None:
        secrets = seeded(people)
        self.ids = {
            name: [str(row.sync_id) for row in model._base_manager.order_by("pk")]
            for name, model in MODELS.items()
        }
        self.ids["sessions"] = []
        self.turn = 0
        self.users: list[tuple[str, list[str]]] = []
        for user in (people.ada, people.grace, people.alan):
            visible = Board.objects.visible_to(user).values_list("sync_id", flat=True)
            seen = {str(id) for id in visible}
            hidden = [told for id, listed in secrets.items() if id not in seen for told in listed]
            assert hidden
            self.ids["sessions"].append(session_of(user))
            self.users.append((Token.objects.create(user=user).key, hidden))

    @property
    def hidden(self) -> list[str]:
        """What the user whose turn it is must not be told."""
        mine = self.turn % 3
        sessions = [id for place, id in enumerate(self.ids["sessions"]) if place != mine]
        return [*self.users[mine][1], *sessions]

    def real(self, value: Any, collection: str) -> Any:
        """An id that exists in place of seven in eight made-up ones."""
        try:
            number = uuid.UUID(value).int + self.turn
        except (ValueError, TypeError, AttributeError):
            return value
        ids = self.ids[collection]
        return ids[number // 8 % len(ids)] if number % 8 else value

    def settle(self, case: Any) -> None:
        """Put what exists into a request, and its sender."""
        self.turn += 1
        if isinstance(case.path_parameters, dict) and "id" in case.path_parameters:
            id, collection = case.path_parameters["id"], case.path.split("/")[2]
            case.path_parameters["id"] = self.real(id, collection)
        if isinstance(case.body, dict):
            case.body = self.within(case.body)
        if "If-Match" in (case.headers or {}) and self.turn % 2:
            case.headers["If-Match"] = "*"
        case.headers["Authorization"] = f"Token {self.users[self.turn % 3][0]}"

    def within(self, body: dict[str, Any]) -> dict[str, Any]:
        """A body with ids that exist where they mean objects; clients and mutations stay."""
        made = dict(body)
        if "collection" in body:
            made["collection"] = list(MODELS)[len(str(body["collection"])) % len(MODELS)]
        for name, value in body.items():
            if name == "object_id":
                made[name] = self.real(value, made.get("collection", "cards"))
            elif name in ("board", "card"):
                made[name] = self.real(value, f"{name}s")
            elif name == "labels" and isinstance(value, list):
                made[name] = [self.real(id, name) for id in value]
            elif name in ("object", "fields") and isinstance(value, dict):
                made[name] = self.within(value)
            elif name == "mutations" and isinstance(value, list):
                made[name] = [self.within(m) if isinstance(m, dict) else m for m in value]
        return made


@pytest.fixture
def world(people: Any) -> Iterator[World]:
    """The requests share the test's connection, as those of Django's own test client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield World(people)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def asked_for(case: Any) -> str:
    """All that the request itself says: what it echoes is no leak."""
    return json.dumps([case.path_parameters, case.query, case.body], default=str)


def is_sound(case: Any, response: Any, world: World) -> None:
    """Our own conditions: no fault, problems everywhere, nobody's secrets."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        problem = response.json()
        assert problem["status"] == response.status_code
        assert errors.BY_CODE[problem["code"]].status == response.status_code
    assert response.headers["cache-control"] == ["private, no-store"]
    whole = response.text + json.dumps(dict(response.headers))
    known = asked_for(case)
    leaked = [told for told in world.hidden if told in whole and told not in known]
    assert not leaked, (leaked, whole)


CONFORM = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_every_endpoint_is_among_what_is_asked():
    """Those that the parametrised test below is made for; a path left out is one not attacked."""
    shared = {"/sync/", "/sync/changes/", "/sync/live/changes/", "/sync/mutations/"}
    shared |= {"/sync/sessions/", "/sync/sessions/{id}/"}
    of_each = {f"/sync/{name}/{tail}" for name in MODELS for tail in ("", "{id}/", "{id}/history/")}
    assert set(DOCUMENT["paths"]) == shared | of_each


@pytest.mark.slow
@pytest.mark.django_db
@api.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_g7_each_answer_is_as_the_schema_says_and_tells_no_secrets(case, world):
    world.settle(case)
    response = case.call()
    is_sound(case, response, world)
    case.validate_response(response, checks=CONFORM)

"""People and boards, as the example has them."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from django.contrib.auth.models import User
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection

from django_sync.capture import paths
from django_sync.drf.registry import registry
from django_sync.feed import sequencer
from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests import processes as p
from tests.fixtures import ada, alan, api, grace, nothing_is_noted, one, other, root, site, two
from tests.integration.phone import Phone

__all__ = ["ada", "alan", "api", "grace", "nothing_is_noted", "one", "other", "root", "site", "two"]


def make_people() -> SimpleNamespace:
    """Ada, Grace and Alan, and who sees which board, as in the demo."""
    ada, grace, alan = (
        User.objects.create_user(name, password=f"{name}-demo") for name in ("ada", "grace", "alan")
    )
    launch = Board.objects.create(name="Launch", owner=ada)
    research = Board.objects.create(name="Research", owner=grace)
    private = Board.objects.create(name="Private", owner=alan)
    Membership.objects.create(board=launch, user=grace, role="editor")
    Membership.objects.create(board=launch, user=alan, role="viewer")
    Membership.objects.create(board=research, user=ada, role="viewer")
    for board in (launch, research, private):
        label = Label.objects.create(board=board, name="urgent")
        card = Card.objects.create(board=board, title=f"A card of {board.name}")
        card.labels.add(label)
        Comment.objects.create(card=card, author=board.owner, text="Mine")
    return SimpleNamespace(
        ada=ada, grace=grace, alan=alan, launch=launch, research=research, private=private
    )


@pytest.fixture
def phone(people: SimpleNamespace) -> Phone:
    """A client of Ada's, who has pulled."""
    sequencer.sequence()
    return Phone(people.ada)


@pytest.fixture
def card(people: SimpleNamespace) -> Card:
    """The card of a board that all three see."""
    return Card.objects.get(board=people.launch)


@pytest.fixture
def people(db: None) -> SimpleNamespace:
    return make_people()


# What tests with several processes stand on: rows that are committed, and taken away again.


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's: its flush takes seconds on PostgreSQL.

    Emptied before, too: where another test flushed SQLite, the deletes were captured.
    """
    with django_db_blocker.unblock():
        p.empty_database()
        yield
        p.empty_database()


@pytest.fixture
def processes(transactional_db: None) -> Iterator[p.Processes]:
    started = p.Processes()
    yield started
    started.end()


@pytest.fixture
def boards(processes: p.Processes) -> SimpleNamespace:
    """The rows of ``people``, for all processes to see."""
    return make_people()


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """Registrations of a test end with it."""
    names, before = set(registry.names()), dict(paths._paths)
    yield
    for name in set(registry.names()) - names:
        registry.remove(name)
    paths._paths.clear()
    paths._paths.update(before)


@contextlib.contextmanager
def in_process() -> Iterator[httpx2.WSGITransport]:
    """The application as a client's transport, on this test's own database connection."""
    ends = (signals.request_started, signals.request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    try:
        yield httpx2.WSGITransport(app=get_wsgi_application())
    finally:
        for signal in ends:
            signal.connect(close_old_connections)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Of a database of its own, for projects that live in processes of theirs."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/shop.sqlite3"
        return
    import psycopg

    base, name = os.environ["DATABASE_URL"], f"shop_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(base, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    yield f"{base.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(base, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")

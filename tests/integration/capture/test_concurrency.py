"""PostgreSQL: two transactions at once, in both orders, at each hop (trap C1)."""

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import errors

from django_sync.models import Tombstone
from tests.app.models import Author, Doc, Event, Note, Project
from tests.processes import until

from .conftest import entries, row

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

Session = psycopg.Connection[Any]


@pytest.fixture
def sessions() -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def open_one(level: str = "READ COMMITTED") -> Session:
        params = connection.get_connection_params()
        known = {
            k: params[k] for k in ("dbname", "user", "host", "port", "password") if k in params
        }
        session = psycopg.connect(**known)
        session.isolation_level = psycopg.IsolationLevel[level.replace(" ", "_")]
        session.execute("SET lock_timeout = '10s'")
        session.commit()
        opened.append(session)
        return session

    yield open_one
    for session in opened:
        session.close()


class Later(threading.Thread):
    """Runs statements of a session beside us, and commits; tells how it went."""

    def __init__(self, session: Session, *statements: tuple[str, list[Any]]) -> None:
        super().__init__(daemon=True)
        self.session, self.statements = session, statements
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            for sql, values in self.statements:
                self.session.execute(sql, values)
            self.session.commit()
        except psycopg.Error as error:
            self.error = error
            self.session.rollback()

    def waits(self) -> bool:
        """Whether it came to wait for another's lock, and did not end without."""
        pid = self.session.info.backend_pid
        until(lambda: not self.is_alive() or is_blocked(pid), "it waits, or has ended")
        return self.is_alive()

    def outcome(self) -> BaseException | None:
        self.join(15)
        assert not self.is_alive()
        return self.error


def is_blocked(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
        return bool(cursor.fetchone()[0])


@pytest.fixture
def board() -> tuple[Project, Project, Doc]:
    a, b = Project.objects.create(name="A"), Project.objects.create(name="B")
    return a, b, Doc.objects.create(project=a, title="card")


NOTE = "INSERT INTO testapp_note (doc_id, text) VALUES (%s, 'n')"
MOVE = "UPDATE testapp_doc SET project_id = %s WHERE id = %s"
RENAME = 'UPDATE testapp_doc SET "the title" = %s WHERE id = %s'


def settled() -> None:
    """Each scope is what its path gives, and each last entry says so."""
    for note in Note.objects.select_related("doc__project"):
        project = note.doc.project if note.doc else None
        scope = str(project.sync_id) if project else None
        assert row(note)[1] == scope
        last = entries(Note, note.sync_id)[-1]
        assert (last.revision, last.scope) == row(note)
    for doc in Doc.objects.select_related("project"):
        assert row(doc)[1] == (str(doc.project.sync_id) if doc.project else None)


LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("renamed", [False, True])
def test_insert_first_then_move(board: Any, sessions: Any, level: str, renamed: bool) -> None:
    _, b, doc = board
    one, two = sessions(level), sessions()
    one.execute("SELECT 1")
    one.execute(NOTE, [doc.pk])
    before = [(RENAME, ["x", doc.pk])] if renamed else []
    move = Later(two, *before, (MOVE, [b.pk, doc.pk]))
    assert move.waits()
    one.commit()
    assert move.outcome() is None
    settled()
    assert row(Note.objects.get())[1] == str(b.sync_id)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("renamed", [False, True])
def test_move_first_then_insert(board: Any, sessions: Any, level: str, renamed: bool) -> None:
    _, b, doc = board
    one, two = sessions(), sessions(level)
    two.execute("SELECT count(*) FROM testapp_doc")
    if renamed:
        with connection.cursor() as cursor:
            cursor.execute(RENAME, ["between", doc.pk])
    one.execute(MOVE, [b.pk, doc.pk])
    insert = Later(two, (NOTE, [doc.pk]))
    assert insert.waits()
    one.commit()
    error = insert.outcome()
    assert (
        error is None
        if level == "READ COMMITTED"
        else isinstance(error, errors.SerializationFailure)
    )
    settled()


@pytest.mark.parametrize("level", LEVELS)
def test_moved_and_committed_under_an_older_snapshot(board: Any, sessions: Any, level: str) -> None:
    _, b, doc = board
    one, two = sessions(level), sessions()
    one.execute("SELECT count(*) FROM testapp_doc")
    two.execute(RENAME, ["between", doc.pk])
    two.commit()
    two.execute(MOVE, [b.pk, doc.pk])
    two.commit()
    error = Later(one, (NOTE, [doc.pk])).outcome()
    assert (error is None) == (level == "READ COMMITTED")
    settled()


@pytest.mark.parametrize("level", LEVELS[1:])
def test_a_mover_with_an_older_snapshot_is_refused(board: Any, sessions: Any, level: str) -> None:
    _, b, doc = board
    one, two = sessions(level), sessions()
    one.execute("SELECT count(*) FROM testapp_note")
    two.execute(NOTE, [doc.pk])
    two.commit()
    with pytest.raises((errors.FeatureNotSupported, errors.SerializationFailure)):
        one.execute(MOVE, [b.pk, doc.pk])
    one.rollback()
    settled()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("first", ["note", "doc"])
def test_a_note_changes_its_doc_while_that_moves(
    board: Any, sessions: Any, level: str, first: str
) -> None:
    a, b, doc = board
    elsewhere = Doc.objects.create(project=a, title="elsewhere")
    note = Note.objects.create(doc=elsewhere, text="n")
    one, two = (
        sessions(level if first == "note" else "READ COMMITTED"),
        sessions(level if first == "doc" else "READ COMMITTED"),
    )
    steps = {
        "note": ("UPDATE testapp_note SET doc_id = %s WHERE id = %s", [doc.pk, note.pk]),
        "doc": (MOVE, [b.pk, doc.pk]),
    }
    one.execute("SELECT 1 FROM testapp_note")
    two.execute("SELECT 1 FROM testapp_note")
    one.execute(*steps.pop(first))
    second = Later(two, *steps.values())
    assert second.waits()
    one.commit()
    error = second.outcome()
    assert error is None or isinstance(
        error, (errors.SerializationFailure, errors.DeadlockDetected)
    )
    settled()


def test_a_note_is_inserted_while_the_project_that_it_hangs_on_is_not_committed(
    sessions: Any,
) -> None:
    one, two = sessions(), sessions()
    one.execute(
        "INSERT INTO testapp_project (id, name) VALUES (900, 'P');"
        'INSERT INTO testapp_doc (id, project_id, "the title", body, meta, votes, updated_at) '
        "VALUES (900, 900, 't', '', '{}', 0, now())"
    )
    two.execute(NOTE, [900])
    one.commit()
    two.commit()
    settled()
    assert row(Note.objects.get())[1] == str(Project.objects.get().sync_id)


def test_many_movers_and_many_writers(board: Any, sessions: Any) -> None:
    a, b, doc = board
    docs = [doc, Doc.objects.create(project=b, title="second")]
    notes = [Note.objects.create(doc=doc, text="n") for _ in range(4)]

    def work(session: Session, seed: int) -> None:
        import random

        chance = random.Random(seed)
        for _ in range(40):
            target = chance.choice(docs).pk
            act = chance.choice(
                [
                    (NOTE, [target]),
                    (MOVE, [chance.choice([a.pk, b.pk, None]), target]),
                    (
                        "UPDATE testapp_note SET doc_id = %s WHERE id = %s",
                        [target, chance.choice(notes).pk],
                    ),
                    (
                        "UPDATE testapp_note SET text = text || 'x' WHERE id = %s",
                        [chance.choice(notes).pk],
                    ),
                ]
            )
            try:
                session.execute(*act)
                for _ in range(chance.randrange(20)):  # others come by while the locks are held
                    session.execute("SELECT 1")
                session.commit()
            except (errors.DeadlockDetected, errors.SerializationFailure):
                session.rollback()

    threads = [threading.Thread(target=work, args=(sessions(), seed)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    settled()


# An author's name, which documents are made from


@pytest.mark.parametrize("order", ["doc first", "author first"])
def test_a_touched_row_waits_for_those_that_are_made_from_it(sessions: Any, order: str) -> None:
    author = Author.objects.create(name="Ada")
    one, two = sessions(), sessions()
    steps = [
        (
            'INSERT INTO testapp_doc (author_id, "the title", body, meta, votes, updated_at) '
            "VALUES (%s, 't', '', '{}', 0, now())",
            [author.pk],
        ),
        ("UPDATE testapp_author SET name = 'Ada L.' WHERE id = %s", [author.pk]),
    ]
    first, second = steps if order == "doc first" else reversed(steps)
    one.execute(*first)
    later = Later(two, second)
    assert later.waits()
    one.commit()
    assert later.outcome() is None
    doc = Doc.objects.get()
    assert row(doc)[0] == (2 if order == "doc first" else 1)


# The same id, deleted and inserted at once (trap C6)


@pytest.mark.parametrize("level", LEVELS)
def test_an_id_is_deleted_and_inserted_at_once(sessions: Any, level: str) -> None:
    event = Event.objects.create(name="ball")
    Event.objects.update(seats=1)
    one, two = sessions(), sessions(level)
    two.execute("SELECT count(*) FROM testapp_event")
    one.execute("DELETE FROM testapp_event")
    insert = "INSERT INTO testapp_event (id, room, name, seats) VALUES (%s, 'hall', 'again', 0)"
    later = Later(two, (insert, [event.pk]))
    assert later.waits()
    one.commit()
    error = later.outcome()
    if level == "READ COMMITTED":
        assert error is None
        assert [e.revision for e in entries(Event, event.pk)] == [1, 2, 3, 4]
    else:
        assert isinstance(error, errors.SerializationFailure)
        assert [e.revision for e in entries(Event, event.pk)] == [1, 2, 3]


def test_a_snapshot_leaves_no_empty_tombstones(sessions: Any) -> None:
    one = sessions("REPEATABLE READ")
    one.execute(
        "INSERT INTO testapp_event (id, room, name, seats) VALUES (%s, 'hall', 'a', 0)",
        [uuid.uuid4()],
    )
    one.commit()
    assert not Tombstone.objects.exists()


def test_an_update_that_waited_for_another_is_logged_once(sessions: Any) -> None:
    """The row is read anew after the wait, and triggers run on what is there then."""
    event = Event.objects.create(name="ball")
    one, two = sessions(), sessions()
    more: tuple[str, list[Any]] = ("UPDATE testapp_event SET seats = seats + 1 WHERE seats < 2", [])
    one.execute(*more)
    later = Later(two, more)
    assert later.waits()
    one.commit()
    assert later.outcome() is None
    assert [(e.op, e.revision) for e in entries(Event, event.pk)] == [("c", 1), ("u", 2), ("u", 3)]
    assert row(event)[0] == 3


def test_an_update_that_waited_and_fits_no_more_is_not_logged(sessions: Any) -> None:
    event = Event.objects.create(name="ball")
    one, two = sessions(), sessions()
    more: tuple[str, list[Any]] = ("UPDATE testapp_event SET seats = seats + 1 WHERE seats = 0", [])
    one.execute(*more)
    later = Later(two, more)
    assert later.waits()
    one.commit()
    assert later.outcome() is None
    assert [(e.op, e.revision) for e in entries(Event, event.pk)] == [("c", 1), ("u", 2)]

"""Whatever is written, in whatever order: row, scope and entries agree."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.models import Author, Doc, Note, Project, Tag

from .conftest import Entry, entries, log, row

pytestmark = pytest.mark.django_db

SMALL = st.integers(0, 2)
OPTIONAL = st.none() | SMALL


@st.composite
def acts(draw: st.DrawFn) -> tuple[Any, ...]:
    kind = draw(st.sampled_from(sorted(ACTS)))
    return kind, draw(SMALL), draw(OPTIONAL), draw(st.sampled_from(["a", "A", "b"]))


def pick(model: Any, place: int | None) -> Any:
    every = list(model.objects.order_by("pk"))
    return every[place % len(every)] if every and place is not None else None


def edit(obj: Any, **values: Any) -> None:
    if obj is not None:
        for name, value in values.items():
            setattr(obj, name, value)
        obj.save()


def fail(act: Any) -> None:
    try:
        with transaction.atomic():
            act()
            raise InterruptedError
    except InterruptedError:
        pass


def delete(obj: Any) -> None:
    if obj is not None:
        obj.delete()


def again(a: int) -> None:
    """Delete an object and bring it back under its id."""
    obj = pick(Doc, a)
    if obj is not None:
        obj.delete()
        obj.project = pick(Project, a)
        obj.author = None
        obj.save()


def tags(a: int, b: int | None) -> None:
    if (doc := pick(Doc, a)) is not None:
        doc.tags.set(Tag.objects.order_by("pk")[: b or 0])


ACTS: dict[str, Any] = {
    "project": lambda a, b, t: Project.objects.create(name=t),
    "doc": lambda a, b, t: Doc.objects.create(
        project=pick(Project, b), title=t, author=pick(Author, a)
    ),
    "docs": lambda a, b, t: Doc.objects.bulk_create([Doc(project=pick(Project, b), title=t)] * 1),
    "note": lambda a, b, t: Note.objects.create(doc=pick(Doc, b), text=t),
    "title": lambda a, b, t: edit(pick(Doc, a), title=t),
    "move": lambda a, b, t: edit(pick(Doc, a), project=pick(Project, b)),
    "move all": lambda a, b, t: Doc.objects.update(project=pick(Project, b)),
    "note moves": lambda a, b, t: edit(pick(Note, a), doc=pick(Doc, b), text=t),
    "votes": lambda a, b, t: Doc.objects.update(votes=F("votes") + a),
    "forged": lambda a, b, t: Doc.objects.update(sync_revision=a * 40 - 7, sync_scope=t),
    "tags": lambda a, b, t: tags(a, b),
    "author": lambda a, b, t: edit(pick(Author, a), name=t),
    "author gone": lambda a, b, t: delete(pick(Author, a)),
    "doc gone": lambda a, b, t: delete(pick(Doc, a)),
    "note gone": lambda a, b, t: Note.objects.filter(text=t)._raw_delete("default"),
    "project gone": lambda a, b, t: delete(pick(Project, a)),
    "again": lambda a, b, t: again(a),
    "undone": lambda a, b, t: fail(lambda: edit(pick(Doc, a), title=t, project=pick(Project, b))),
}


def scope_by_hand(obj: Any) -> str | None:
    if isinstance(obj, Project):
        return str(obj.sync_id)
    project = obj.project if isinstance(obj, Doc) else obj.doc and obj.doc.project
    return str(project.sync_id) if project else None


def check() -> None:
    alive = set()
    for model in (Project, Doc, Note):
        for obj in model.objects.all():
            alive.add(obj.sync_id)
            last = entries(model, obj.sync_id)[-1]
            assert row(obj) == (last.revision, last.scope)
            assert last.op in "cu"
            assert last.scope == scope_by_hand(obj)
    for id, label in set(log().order_by().values_list("object_id", "model")):
        told = entries({"project": Project, "doc": Doc, "note": Note}[label.split(".")[1]], id)
        assert (told[-1].op == "d") == (id not in alive)
        follows(told)


def follows(told: list[Entry]) -> None:
    """Revisions rise one by one; each entry is in the scope that the one before left."""
    assert told[0][:2] == ("c", 1)
    for before, after in pairwise(told):
        if before.op == "m":
            assert (after.op, after.revision) == ("u", before.revision)
            assert after.scope != before.scope
        else:
            assert after.revision == before.revision + 1
            assert after.op == "c" or after.scope == before.scope


@pytest.fixture(params=[False, True], ids=["", "recursive"])
def recursive(request: pytest.FixtureRequest) -> Iterator[None]:
    if connection.vendor != "sqlite":
        if request.param:
            pytest.skip("is about SQLite")
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA recursive_triggers = {'ON' if request.param else 'OFF'}")
        yield
        cursor.execute("PRAGMA recursive_triggers = OFF")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(acts(), min_size=4, max_size=25))
def test_row_scope_and_entries_agree(recursive: None, steps: list[tuple[Any, ...]]) -> None:
    with transaction.atomic():
        Author.objects.bulk_create([Author(name="a"), Author(name="b")])
        Tag.objects.bulk_create([Tag(name="a"), Tag(name="b")])
        for kind, a, b, text in steps:
            ACTS[kind](a, b, text)
        check()
        transaction.set_rollback(True)

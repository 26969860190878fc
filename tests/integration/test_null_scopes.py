"""A row whose scope path leads to nothing is seen by nobody, by whatever way one looks."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from django_sync import sync
from django_sync.feed import sequencer
from django_sync.protocol import Op
from tests.app.models import Doc, Note, Project
from tests.integration.test_registry import sent
from tests.replica import Replica

NAMES = ("docs", "notes")


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.create(name="Seen")


@pytest.fixture
def ada(project: Project, as_it_was: None) -> User:
    """Ada, who may do everything in each scope that there could be for a row without one."""
    seen = [str(project.sync_id), None, "", "None", "null"]
    sync.register(Project, fields=["name"], scope="self", name="projects", scopes=lambda user: seen)
    for model, path, fields in ((Doc, "project", ["project", "title"]), (Note, "doc__project", [])):
        sync.register(
            model,
            fields=fields or ["doc", "text"],
            scope=path,
            name=f"{model._meta.model_name}s",
            scopes=lambda user: seen,
        )
    return User.objects.create_superuser("ada")


@pytest.fixture
def api(ada: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(ada)
    return client


@pytest.fixture
def doc(ada: User) -> Doc:
    """A document of no project, with a note."""
    doc = Doc.objects.create(project=None, title="Nobody's")
    Note.objects.create(doc=doc, text="nobody's either")
    Note.objects.create(doc=None, text="alone")
    assert {row.sync_scope for row in (doc, *Note.objects.all())} == {None}
    return doc


def test_nobody_reads_it(api, ada, doc):
    replica = Replica(ada, NAMES)
    assert replica.pull() == []
    Doc.objects.update(title="Still nobody's")
    Note.objects.update(text="still nobody's")
    sequencer.sequence()
    assert replica.pull() == []
    for name, row in (("docs", doc), *(("notes", note) for note in Note.objects.all())):
        assert api.get(f"/sync/{name}/").json()["results"] == []
        for path in (f"/sync/{name}/{row.sync_id}/", f"/sync/{name}/{row.sync_id}/history/"):
            assert api.get(path).status_code == 404


@pytest.mark.parametrize("op", ["update", "delete"])
def test_nobody_writes_it(ada, doc, op):
    told = sent(ada, op, "docs", doc.sync_id, 1, **({"title": "Mine"} if op == "update" else {}))
    assert told["problem"]["code"] == "not_found"
    assert Doc.objects.get().title == "Nobody's"


def test_nobody_refers_to_it(ada, doc):
    told = sent(ada, "create", "notes", uuid.uuid4(), doc=str(doc.sync_id), text="x")
    assert told["problem"]["errors"]["doc"][0]["code"] == "does_not_exist"


def test_a_write_that_would_lose_its_scope_is_undone(ada, project):
    """To write where one cannot see is not allowed, and there nobody can."""
    seen = Doc.objects.create(project=project, title="Seen")
    for told in (
        sent(ada, "create", "docs", uuid.uuid4(), project=None, title="x"),
        sent(ada, "update", "docs", seen.sync_id, 1, project=None),
        sent(ada, "create", "notes", uuid.uuid4(), doc=None, text="x"),
    ):
        assert told["status"] == "rejected"
        assert told["problem"]["code"] in ("validation_failed", "permission_denied")
    assert list(Doc.objects.values_list("title", "project")) == [("Seen", project.pk)]
    assert not Note.objects.exists()


def test_g7_it_comes_with_a_scope_and_goes_without(ada, project, doc):
    replica = Replica(ada, NAMES)
    replica.pull()
    below = Note.objects.get(doc=doc)
    for _ in range(2):
        Doc.objects.filter(pk=doc.pk).update(project=project)
        assert [(c.op, c.record.id) for c in replica.pull()] == [
            (Op.PUT, doc.sync_id),
            (Op.PUT, below.sync_id),
        ]
        assert {r.scope for r in replica.records.values()} == {str(project.sync_id)}
        Doc.objects.filter(pk=doc.pk).update(project=None)
        assert [(c.op, c.id) for c in replica.pull()] == [
            (Op.REMOVE, doc.sync_id),
            (Op.REMOVE, below.sync_id),
        ]
        assert replica.records == {}


def test_what_had_no_scope_when_it_was_deleted_is_told_to_nobody(api, ada, project, doc):
    replica = Replica(ada, NAMES)
    Doc.objects.filter(pk=doc.pk).update(project=project)
    replica.pull()
    Doc.objects.filter(pk=doc.pk).update(project=None)
    gone = doc.sync_id
    doc.delete()
    assert {c.op for c in replica.pull()} == {Op.REMOVE}, "out of sight; not that it is no more"
    assert replica.records == {}
    assert api.get(f"/sync/docs/{gone}/history/").status_code == 404

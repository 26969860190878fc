"""Each entry of the table of write paths holds, on the database of this run."""

import sqlite3
from typing import Any

import pytest
from django.db import connection

from tests.app.models import Author, Doc, Place, Project

from .conftest import Entry, entries
from .paths import PATHS, World, WritePath


@pytest.mark.django_db
@pytest.mark.parametrize("entry", PATHS, ids=lambda entry: entry.act.__name__)
def test_g1_path(entry: WritePath) -> None:
    if not entry.runs_on(connection.vendor):
        pytest.skip(f"there is no such thing on {connection.vendor}, or in this Django")
    project = Project.objects.create(name="Launch")
    author = Author.objects.create(name="Ada")
    doc = Doc.objects.create(project=project, author=author, title="Plan", meta={"a": 1})
    entry.act(World(project, Project.objects.create(name="Research"), doc))


def test_names_are_told_apart() -> None:
    assert len({entry.name for entry in PATHS}) == len(PATHS)


@pytest.mark.django_db(transaction=True)
def test_g1_a_program_with_a_connection_of_its_own() -> None:
    place = Place.objects.create(name="Square")
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        with sqlite3.connect(settings["NAME"]) as other:
            other.execute("UPDATE testapp_place SET name = 'Market'")
        other.close()
    else:
        backend: Any = connection
        with backend.Database.connect(**backend.get_connection_params()) as other:
            other.execute("UPDATE testapp_place SET name = 'Market'")
    assert entries(Place, place.sync_id)[-1] == Entry("u", 2, "name", "")

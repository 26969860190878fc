"""Scopes that were read by one query are another's only where the two ask for the same."""

from __future__ import annotations

import pytest

from django_sync.drf.scope_queries import ScopeQueries
from tests.app.models import Project

pytestmark = pytest.mark.django_db


class Cut(str):
    """A parameter that shows itself alike whatever it is, as long JSON of psycopg does."""

    def __repr__(self) -> str:
        return "Cut('xxxx ... (73 chars)')"


def get_scopes() -> None:
    """Stands for a method that two viewsets inherit."""


def named(name):
    projects = Project.objects.extra(where=["name = %s"], params=[name])
    return projects.values_list("name", flat=True)


@pytest.mark.parametrize("kind", [str, Cut])
def test_g7_each_query_finds_its_own(kind):
    Project.objects.bulk_create([Project(name="a"), Project(name="b")])
    queries = ScopeQueries()
    for name in ("a", "b"):
        assert queries.read(get_scopes, named(kind(name))) == {name}


def test_equal_queries_are_run_once(django_assert_num_queries):
    queries = ScopeQueries()
    with django_assert_num_queries(1):
        for _ in range(3):
            queries.read(get_scopes, named("a"))

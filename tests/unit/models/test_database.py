"""The tables of sync are asked in one database, whatever routers say."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps

from django_sync.models import Change, OpenConflict
from django_sync.models.database import BoundManager

TABLES = list(apps.get_app_config("django_sync").get_models())


@pytest.fixture
def elsewhere(settings: Any) -> None:
    settings.DJANGO_SYNC = {**getattr(settings, "DJANGO_SYNC", {}), "DATABASE": "elsewhere"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_each_table_is_asked_in_the_database_of_sync(table: Any, elsewhere: None) -> None:
    assert isinstance(table.objects, BoundManager)
    assert table.objects.all().db == "elsewhere"
    assert table.objects.order_by("pk").db == "elsewhere"


def test_a_caller_can_choose_another_database(elsewhere: None) -> None:
    assert Change.objects.using("default").db == "default"
    assert Change.objects.db_manager("default").all().db == "default"
    assert OpenConflict.objects.using("default").db == "default"

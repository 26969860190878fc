"""Each database of sync has its dialect, and another one is refused."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
from django.db import NotSupportedError

from django_sync.feed import dialects
from django_sync.feed.dialect import Dialect

ID = uuid.UUID(int=7)


@pytest.mark.parametrize("vendor", dialects.DIALECTS)
def test_a_value_and_a_list_are_one_parameter_each(vendor: str) -> None:
    dialect: Dialect = dialects.DIALECTS[vendor]
    for values in ([ID], ["a", "b"], []):
        sql, listed = dialect.among(values)
        assert sql.count("%s") == 1
        assert listed is not None
    assert str(uuid.UUID(str(dialect.id(ID)))) == str(ID)


@pytest.mark.parametrize("vendor", dialects.DIALECTS)
def test_a_statement_takes_the_parameters_that_come_with_it(vendor: str) -> None:
    dialect = dialects.DIALECTS[vendor]
    sql, bounds = dialect.read(["a"], ["app.model"], 1, 9, 5)
    assert sql.count("%s") == len(bounds)
    assert dialect.overview(whole=True).count("%s") == 1
    assert dialect.overview(whole=False).count("%s") == 1


def test_another_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "connection", lambda: SimpleNamespace(vendor="oracle"))
    with pytest.raises(NotSupportedError, match="oracle"):
        dialects.dialect()

"""The pure parts: back-off, compaction, credentials, JSON."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

import pytest

from django_sync import errors
from django_sync.client import Backoff, BasicAuth, BearerAuth, TokenAuth
from django_sync.client.store.compaction import Append, Draft, Merge, compact
from django_sync.client.store.encoding import dumps, normalized, same
from django_sync.client.store.overlay import State
from django_sync.client.types import Mutation


def test_backoff_doubles_with_full_jitter_from_1_s_to_5_min() -> None:
    ceilings: list[tuple[float, float]] = []

    def least(low: float, high: float) -> float:
        ceilings.append((low, high))
        return low

    backoff = Backoff(uniform=least)
    assert [backoff.failed() for _ in range(10)] == [0.0] * 10
    assert ceilings == [(0, c) for c in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300)]
    backoff.succeeded()
    backoff.failed()
    assert ceilings[-1] == (0, 1)


def test_backoff_never_waits_less_than_the_server_asks_for() -> None:
    assert Backoff(uniform=lambda low, high: 0.5).failed(retry_after=9) == 9
    assert Backoff(uniform=lambda low, high: 0.5).failed(retry_after=0) == 0.5
    assert all(0 <= Backoff().failed() <= 1 for _ in range(50))


def mutation(
    op: Any, fields: Any, state: Any = State.NEW, object_id: Any = "a", seq: Any = 1
) -> Any:
    return Mutation("m", seq, op, "cards", object_id, fields, 3, "e", {}, "", state)


@pytest.mark.parametrize("state", [s for s in State if s is not State.NEW])
def test_r2_only_what_was_never_sent_is_compacted(state: Any) -> None:
    draft = Draft("update", {"a": 1}, 3, "e")
    assert isinstance(compact(draft, mutation("update", {}), [], False), Merge)
    assert compact(draft, mutation("update", {}, state), [], False) == Append()


def test_update_on_a_newer_base_is_its_own_mutation() -> None:
    last = mutation("update", {"a": 1})
    assert compact(Draft("update", {"b": 1}, 4, "e"), last, [], False) == Append()
    assert isinstance(compact(Draft("update", {"b": 1}, 3, "e"), last, [], False), Merge)
    between = [mutation("create", {}, object_id="b", seq=2)]
    assert compact(Draft("update", {"b": 1}, 3, "e"), last, between, False) == Append()


def test_credentials() -> None:
    assert TokenAuth("x").headers() == {"Authorization": "Token x"}
    assert BearerAuth("x").headers() == {"Authorization": "Bearer x"}
    assert BasicAuth("ann", "pw").headers() == {"Authorization": "Basic YW5uOnB3"}
    auth = TokenAuth("x", renew=lambda: None)
    assert not auth.refresh()
    assert not TokenAuth("x").refresh()
    auth = TokenAuth("x", renew=lambda: "y")
    assert auth.refresh()
    assert auth.token == "y"


def test_values_that_json_lacks_become_strings() -> None:
    when = datetime.datetime(
        2026, 11, 22, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1))
    )
    id = uuid.uuid4()
    assert normalized(
        {"at": when, "id": id, "price": decimal.Decimal("1.50"), "day": when.date()}
    ) == {
        "at": "2026-11-22T12:00:00Z",
        "id": str(id),
        "price": "1.50",
        "day": "2026-11-22",
    }
    assert dumps({"a": "é"}) == '{"a":"é"}'
    with pytest.raises(errors.Invalid):
        normalized({"a": object()})


def test_one_is_not_true() -> None:
    assert not same(1, True)
    assert not same({"a": [0]}, {"a": [False]})
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})

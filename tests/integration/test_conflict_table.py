"""Each cell of ``conflicts``, played by two clients who are offline on one card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_sync.client import Conflict, Resolution, SyncClient
from django_sync.merge import ClientWins, LastWrite, Manual, Resolver, ServerWins
from django_sync.models import Decision, MutationResult
from example_project.boards import api
from tests.integration.conflicts import (
    BEFORE,
    CHOICES,
    CLIENT,
    CLOCKS,
    KINDS,
    LEAVES,
    MERGE,
    MERGED,
    POLICIES,
    SERVER,
    A,
    G,
    Kind,
    Row,
)
from tests.integration.conftest import in_process
from tests.integration.two import Table, beneath, on_server, seen

RESOLVERS: dict[str, Resolver] = {
    "manual": Manual(),
    "server": ServerWins(),
    "client": ClientWins(),
    "first": LastWrite(),
    "last": LastWrite(),
}
DECIDE: dict[str, Callable[[Conflict], Resolution]] = {
    SERVER: Conflict.keep_server,
    CLIENT: Conflict.keep_client,
    MERGE: lambda conflict: conflict.merge(MERGED),
}


@pytest.fixture
def table(people: Any, tmp_path: Path) -> Iterator[Table]:
    with in_process() as transport:
        table = Table(people, tmp_path, transport)
        yield table
        for client in table.clients:
            client.close()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Resolver], None]:
    def resolve(resolver: Resolver) -> None:
        monkeypatch.setattr(api.CardViewSet, "resolvers", {"*": resolver})
        monkeypatch.setattr(api.CardViewSet, "delete_resolver", resolver, raising=False)

    return resolve


@pytest.mark.parametrize("forgotten", [False, True], ids=["known", "forgotten"])
@pytest.mark.parametrize("policy", POLICIES)
def test_g5_g6_each_conflict_ends_as_the_table_says(
    table: Table,
    resolve: Callable[[Resolver], None],
    subtests: pytest.Subtests,
    policy: str,
    forgotten: bool,
) -> None:
    """All cells of a policy are cards of one story, since what costs time is the exchanges."""
    resolve(RESOLVERS[policy])
    cells = {
        table.card(kind.before): (kind, row)
        for kind in KINDS
        for row in kind.rows
        if policy in row.policies and kind.forgotten is forgotten
    }
    ada, grace = table.connect("ada"), table.connect("grace")
    for client in (ada, grace):
        client.sync()

    if policy != "last":
        table.act(ada, {id: kind.ada for id, (kind, _) in cells.items()})
    table.act(grace, {id: kind.grace for id, (kind, _) in cells.items()})
    assert grace.sync().applied == len(cells)
    if policy == "last":
        table.act(ada, {id: kind.ada for id, (kind, _) in cells.items()})
    if forgotten:
        table.forget()
    assert ada.sync().sent == len(cells)

    assert {c.id for c in ada.conflicts} == {i for i, (_, row) in cells.items() if row.choice}
    open_now = {conflict.id: conflict for conflict in ada.conflicts}
    for id, (kind, row) in cells.items():
        with subtests.test("asked", kind=kind.name, choice=row.choice):
            answered = MutationResult.objects.get(client__id=ada.client_id, object_id=id)
            assert answered.status == row.answer
            if row.choice is not None:
                told(table, ada, kind, open_now[id])
        if row.choice in DECIDE:
            assert open_now[id].settle(DECIDE[row.choice](open_now[id]))
    for client in (ada, grace, ada):
        client.sync()

    left = [id for id, (_, row) in cells.items() if row.choice == LEAVES]
    assert sorted(conflict.id for conflict in ada.conflicts) == sorted(left)
    for client in (ada, grace):
        assert (client.outbox, client.rejections) == ([], [])
    for id, (kind, row) in cells.items():
        with subtests.test("in the end", kind=kind.name, choice=row.choice):
            converged(table, kind, row, id)
            traced(table, kind, row, id)


def told(table: Table, ada: SyncClient, kind: Kind, conflict: Conflict) -> None:
    """What the conflict tells Ada's user; what she wrote stays in her sight."""
    assert (conflict.kind, set(conflict.fields)) == (kind.word, set(kind.fields))
    op, fields = kind.ada
    wrote = None if op == "delete" else table.wire(fields)
    assert seen(ada, conflict.id, fields) == wrote


def converged(table: Table, kind: Kind, row: Row, id: str) -> None:
    """Server and replicas are alike, and as the table has them."""
    ada, grace = table.clients
    card = table.whole(kind, row.card)
    found, revision = on_server(id, card)
    assert found == card
    assert beneath(ada, id) == beneath(grace, id)
    assert beneath(ada, id)[1] == revision
    for client, values in ((ada, row.ada), (grace, row.card)):
        whole = table.whole(kind, values)
        assert seen(client, id, whole) == whole


def traced(table: Table, kind: Kind, row: Row, id: str) -> None:
    """The ``Decision`` has both sides, whatever was decided."""
    decision = Decision.objects.filter(object_id=id).first()
    if row.by is None:
        assert decision is None
        return
    assert decision is not None
    assert (decision.by, decision.kind, decision.is_open) == (row.by, kind.word, row.by == "")
    assert kind.sides is not None
    assert set(decision.fields) == set(kind.sides)
    for name, (server, client) in kind.sides.items():
        trace = decision.fields[name]
        assert trace.get("kept") == row.kept
        if name != "*":
            assert (trace["server"], trace["client"]) == (server, client)
            continue
        whole = table.whole(kind, server)
        assert trace["client"] == (None if client is None else table.wire(client))
        assert (trace["server"] and {n: trace["server"][n] for n in BEFORE}) == whole


@pytest.mark.parametrize("hours", sorted({clock.hours for clock in CLOCKS}))
def test_g5_a_clock_that_is_wrong_decides_within_bounds(
    table: Table, resolve: Callable[[Resolver], None], hours: int
) -> None:
    resolve(LastWrite())
    clocks = {table.card(BEFORE): clock for clock in CLOCKS if clock.hours == hours}
    ada, grace = table.connect("ada", hours), table.connect("grace")
    for client in (ada, grace):
        client.sync()
    table.act(ada, {id: ("update", A) for id, clock in clocks.items() if not clock.wrote_last})
    table.act(grace, dict.fromkeys(clocks, ("update", G)))
    grace.sync()
    table.act(ada, {id: ("update", A) for id, clock in clocks.items() if clock.wrote_last})
    assert ada.sync().merged == len(clocks) == 2
    grace.sync()
    for id, clock in clocks.items():
        assert on_server(id, clock.card)[0] == clock.card
        assert seen(ada, id, clock.card) == seen(grace, id, clock.card) == clock.card


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_table_has_each_cell_once(kind: Kind) -> None:
    for policy in POLICIES:
        choices = [row.choice for row in kind.rows if policy in row.policies]
        assert choices in ([None], list(CHOICES))

"""The outbox: compaction, bodies that are fixed once sent, and bases."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import SyncClient
from django_sync.client.store.apply import Busy
from django_sync.client.store.outbox import _IN_ORDER
from django_sync.testing.server import MemoryServer
from tests.unit.client.helpers import fault, lose_answers, on, rows, sent


def ops(client: Any) -> Any:
    return [(m.op, m.fields) for m in client.outbox]


def test_write_is_seen_at_once_and_waits_in_the_outbox(client: Any) -> None:
    cards = client.collection("cards")
    card = cards.create({"title": "a", "board": "b1"})
    assert card["title"] == "a"
    assert card.object == {"title": "a", "board": "b1"}
    assert (card.revision, card.scope) == (0, None)
    assert cards.get(card.id) == card == cards.get(uuid.UUID(card.id))
    assert len(cards) == 1
    assert client.status.pending == 1


def test_create_and_update_merge(client: Any) -> None:
    cards = client.collection("cards")
    card = cards.create({"title": "a"})
    cards.update(card.id, {"title": "b", "due": None})
    assert ops(client) == [("create", {"title": "b", "due": None})]


def test_create_merges_past_creates_that_do_not_touch_it(client: Any) -> None:
    cards = client.collection("cards")
    card = cards.create({"title": "a"})
    cards.create({"title": "x"})
    cards.update(card.id, {"title": "b"})
    assert ops(client) == [("create", {"title": "b"}), ("create", {"title": "x"})]


def test_create_does_not_merge_past_what_it_then_refers_to(client: Any) -> None:
    """Else the server would see the reference before the object."""
    cards, boards = client.collection("cards"), client.collection("boards")
    card = cards.create({"title": "a"})
    board = boards.create({"title": "new"})
    cards.update(card.id, {"board": board.id})
    assert [m.op for m in client.outbox] == ["create", "create", "update"]
    assert client.outbox[2].base_revision == 0


def test_create_does_not_merge_past_what_refers_to_it(client: Any) -> None:
    cards, boards = client.collection("cards"), client.collection("boards")
    board = boards.create({"title": "a"})
    cards.create({"title": "c", "board": board.id})
    boards.update(board.id, {"closed": True})
    assert [m.op for m in client.outbox] == ["create", "create", "update"]


def test_nor_where_that_is_too_far_back_to_look_for(client: Any) -> None:
    cards, boards = client.collection("cards"), client.collection("boards")
    card = cards.create({"title": "a"})
    for number in range(250):
        cards.create({"title": str(number)})
    board = boards.create({"title": "new"})
    cards.update(card.id, {"board": board.id})
    assert client.outbox[0].fields == {"title": "a"}
    assert (client.outbox[-1].op, client.outbox[-1].fields) == ("update", {"board": board.id})


def test_create_and_delete_vanish(client: Any) -> None:
    cards = client.collection("cards")
    card = cards.create({"title": "a"})
    cards.create({"title": "x"})
    cards.update(card.id, {"title": "b"})
    cards.delete(card.id)
    assert ops(client) == [("create", {"title": "x"})]
    assert cards.get(card.id) is None


def test_create_and_delete_stay_where_another_mentions_the_object(client: Any) -> None:
    cards, boards = client.collection("cards"), client.collection("boards")
    board = boards.create({"title": "a"})
    cards.create({"title": "c", "links": [{"to": board.id}]})
    boards.delete(board.id)
    assert [m.op for m in client.outbox] == ["create", "create", "delete"]


def test_updates_merge_and_keep_the_first_base(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a", "body": "x", "n": 1})
    client.sync()
    cards = client.collection("cards")
    cards.update(id, {"title": "b"})
    cards.update(id, {"title": "c", "body": "y"})
    (mutation,) = client.outbox
    assert mutation.fields == {"title": "c", "body": "y"}
    assert mutation.base == {"title": "a", "body": "x"}
    assert mutation.base_revision == 1
    assert mutation.epoch == server.epoch


def test_update_and_delete_merge_to_a_delete_on_the_first_base(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").update(id, {"title": "b"})
    client.collection("cards").delete(id)
    (mutation,) = client.outbox
    assert (mutation.op, mutation.fields, mutation.base_revision) == ("delete", {}, 1)
    client.sync()
    assert server.object("cards", id) is None
    assert client.outbox == []


def test_updates_do_not_merge_past_another_object(server: Any, client: Any) -> None:
    """A unique value may have to be freed before it is taken."""
    a, b = (server.put("cards", {"slug": s}) for s in "ab")
    client.sync()
    cards = client.collection("cards")
    cards.update(a, {"slug": "c"})
    cards.update(b, {"slug": "a"})
    cards.update(a, {"slug": "b"})
    assert [m.object_id for m in client.outbox] == [a, b, a]


def test_fields_that_do_not_change_are_left_out(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a", "done": True})
    client.sync()
    client.collection("cards").update(id, {"title": "a"})
    assert client.outbox == []
    client.collection("cards").update(id, {"title": "a", "done": 1})
    assert client.outbox[0].fields == {"done": 1}


def test_r2_what_was_sent_is_never_changed(server: Any, client: Any) -> None:
    """R2: a later write makes a mutation of its own, and the repeat is byte for byte the same."""
    client.sync()
    cards = client.collection("cards")
    card = cards.create({"title": "a"})
    with fault(server, lose_answers(server, "mutations/")), pytest.raises(errors.Offline):
        client.sync()
    assert [m.state for m in client.outbox] == ["sent"]
    cards.update(card.id, {"title": "b"})
    cards.update(card.id, {"title": "c"})
    assert [m.state for m in client.outbox] == ["sent", "new"]
    client.sync()
    first, second = sent(server)[0], sent(server)[-1]
    assert second[0] == first[0]
    assert second[1]["fields"] == {"title": "c"}
    assert second[1]["base_revision"] == 0
    assert server.objects[("cards", card.id)].revision == 2
    assert server.object("cards", card.id) == {"title": "c"}
    assert client.outbox == []


def test_r2_delete_of_what_was_sent_but_not_answered_is_sent_too(server: Any, client: Any) -> None:
    cards = client.collection("cards")
    card = cards.create({"title": "a"})
    with fault(server, on("mutations/", httpx2.ConnectError)), pytest.raises(errors.Offline):
        client.sync()
    cards.delete(card.id)
    assert [m.op for m in client.outbox] == ["create", "delete"]
    client.sync()
    assert server.objects[("cards", card.id)].object is None


def test_mutation_is_marked_as_sent_before_it_goes_out(
    server: Any, client: Any, connect: Any
) -> None:
    seen: list[Any] = []

    def look(request: httpx2.Request) -> Any:
        with connect() as second:
            seen.append([row["state"] for row in rows(second, "outbox")])

    client.collection("cards").create({"title": "a"})
    with fault(server, on("mutations/", look)):
        client.sync()
    assert seen == [["sent"]]


def test_seq_rises_over_restarts_and_is_never_used_twice(
    server: Any, client: Any, connect: Any
) -> None:
    cards = client.collection("cards")
    cards.delete(cards.create({"title": "vanishes"}).id)
    cards.create({"title": "a"})
    client.close()
    again = connect()
    again.collection("cards").create({"title": "b"})
    assert [m.seq for m in again.outbox] == [2, 3]
    assert again.client_id == client_id_of(server, again)


def client_id_of(server: Any, client: Any) -> Any:
    client.sync()
    return next(iter(server.writes.owners))


def test_g5_base_is_what_was_seen_not_what_lay_beneath(
    server: Any, client: Any, connect: Any
) -> None:
    """A newer server value hidden by one's own edit was not seen and is not claimed."""
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.store(("cards", id), {"title": "theirs"}, "", None)
    with fault(server, on("mutations/", httpx2.Response(500))), pytest.raises(errors.SyncError):
        client.sync()
    assert client.collection("cards").get(id).revision == 2
    client.collection("cards").update(id, {"title": "mine 2"})
    assert [(m.base_revision, m.base) for m in client.outbox] == [(1, {"title": "a"})] * 2


def test_what_json_cannot_say_is_refused(client: Any) -> None:
    cards = client.collection("cards")
    for value in (float("nan"), object(), {1, 2}):
        with pytest.raises(errors.Invalid):
            cards.create({"title": value})
    with pytest.raises(errors.Invalid):
        cards.get("no id")
    assert client.outbox == []


def test_missing_and_taken_ids(client: Any) -> None:
    cards = client.collection("cards")
    id = uuid.uuid4()
    assert cards.get(id) is None
    with pytest.raises(errors.NotFound):
        cards.update(id, {"a": 1})
    with pytest.raises(errors.NotFound):
        cards.delete(id)
    cards.create({"title": "a"}, id=id)
    with pytest.raises(errors.AlreadyExists):
        cards.create({"title": "b"}, id=str(id).upper())
    with pytest.raises(errors.UnknownCollection):
        client.collection("nothing")


def test_the_number_of_open_mutations_is_kept_with_each_write(
    server: MemoryServer, client: SyncClient
) -> None:
    def check(pending: int) -> None:
        assert client.status.pending == len(client.outbox) == pending

    cards = client.collection("cards")
    first, second = cards.create({"n": 1}), cards.create({"n": 2})
    check(2)
    cards.delete(second.id)
    check(1)
    with fault(server, on("mutations/", httpx2.ReadError)), pytest.raises(errors.Offline):
        client.sync()
    check(1)
    client.sync()
    check(0)
    cards.update(first.id, {"n": 3})
    check(1)
    client.reset(wipe=True)
    check(0)


def test_a_store_of_before_learns_how_many_mutations_are_open(
    client: SyncClient, connect: Callable[..., SyncClient]
) -> None:
    for n in range(3):
        client.collection("cards").create({"n": n})
    with client._store.write() as db:
        for what in ("TRIGGER outbox_added", "TRIGGER outbox_removed", "TRIGGER outbox_moved"):
            db.execute(f"DROP {what}")
        db.execute("DROP TABLE outbox_size")
        db.execute("DROP INDEX outbox_state")
    client.close()
    again = connect()
    assert again.status.pending == 3
    again.sync()
    assert again.status.pending == 0


def test_a_batch_is_read_from_the_outbox_in_its_order(client: SyncClient) -> None:
    """Not by the index on states, which would sort all that waits for each batch."""
    with client._store.read() as db:
        for query in (
            f"SELECT * FROM outbox WHERE seq >= 1 AND seq < 9 AND {_IN_ORDER} ORDER BY seq",
            f"SELECT * FROM outbox WHERE {_IN_ORDER} ORDER BY seq",
        ):
            plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
            assert not [line for line in plan if "TEMP B-TREE" in line], plan


def test_what_is_busy_is_the_same_looked_up_one_by_one(client: SyncClient) -> None:
    cards = client.collection("cards")
    ids = [cards.create({"n": n}).id for n in range(4)]
    with client._store.write() as db:
        db.execute("UPDATE outbox SET state = 'settled' WHERE object_id = ?", (ids[0],))
        db.execute("UPDATE outbox SET state = 'sent' WHERE object_id = ?", (ids[1],))
        few, many = Busy(db, 1), Busy(db, 1000)
        keys = [("cards", id) for id in [*ids, str(uuid.uuid4())]]
        assert [few.get(key) for key in keys] == [False, True, True, True, None]
        assert [many.get(key) for key in keys] == [few.get(key) for key in keys]
        assert [key in few for key in keys] == [key in many for key in keys] == [True] * 4 + [False]

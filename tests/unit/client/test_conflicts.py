"""Conflicts: reported, kept over restarts, settled in the callback or later."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from django_sync import errors
from tests.unit.client.helpers import fault, on, pull_only, rows, sent, titles


@pytest.fixture
def clash(server: Any, client: Any) -> Any:
    """A card whose title both sides changed; the body only the client."""
    id = server.put("cards", {"title": "a", "body": "x", "due": 1})
    client.sync()
    client.collection("cards").update(id, {"title": "mine", "body": "y"})
    server.store(("cards", id), {"title": "theirs", "body": "x", "due": 1}, "", None)
    return id


def test_conflict_is_reported_and_kept_over_restarts(
    server: Any, client: Any, connect: Any, clash: Any
) -> None:
    asked: list[Any] = []
    client.on_conflict(asked.append)
    assert client.sync().conflicts == 1
    client.close()
    again = connect()
    (conflict,) = again.conflicts
    for found in (asked[0], conflict):
        assert found.kind == "update_update"
        assert found.fields == ("title",)
        assert found.base == {"title": "a", "body": "x"}
        assert found.server["title"] == "theirs"
        assert found.server_revision == 2
        assert found.client == {"title": "mine", "body": "y"}
        assert found.id == clash
    assert again.collection("cards").get(clash)["title"] == "mine"
    assert again.status.conflicts == 1
    assert again.outbox == []
    again.sync()
    assert len(again.conflicts) == 1


@pytest.mark.parametrize(
    ("decide", "title", "body"),
    [
        (lambda c: c.keep_server(), "theirs", "x"),
        (lambda c: c.keep_client(), "mine", "y"),
        (lambda c: c.merge({"title": "both"}), "both", "y"),
        (lambda c: c.merge({"title": "both", "body": "z"}), "both", "z"),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_decisions(
    server: Any,
    client: Any,
    clash: Any,
    decide: Any,
    title: Any,
    body: Any,
    later: Any,
) -> None:
    if not later:
        client.on_conflict(decide)
    client.sync()
    if later:
        (conflict,) = client.conflicts
        assert conflict.settle(decide(conflict))
        assert not conflict.settle(decide(conflict))
        client.sync()
    assert client.conflicts == []
    assert client.outbox == []
    assert server.object("cards", clash) == {"title": title, "body": body, "due": 1}
    assert client.collection("cards").get(clash).object == server.object("cards", clash)


def test_the_new_mutation_stands_on_the_servers_revision(
    server: Any, client: Any, clash: Any
) -> None:
    client.on_conflict(lambda c: c.keep_client())
    client.sync()
    first, second = (batch[0] for batch in sent(server))
    assert second["id"] != first["id"]
    assert second["seq"] > first["seq"]
    assert second["base_revision"] == 2
    assert second["base"]["title"] == "theirs"
    assert second["epoch"] == server.epoch


def test_later_edits_are_held_back_and_go_into_the_decision(
    server: Any, client: Any, clash: Any
) -> None:
    client.sync()
    cards = client.collection("cards")
    cards.update(clash, {"title": "mine 2", "due": 9})
    client.sync()
    assert len(sent(server)) == 1
    assert cards.get(clash)["title"] == "mine 2"
    (conflict,) = client.conflicts
    conflict.settle(conflict.keep_client())
    (mutation,) = client.outbox
    assert mutation.fields == {"title": "mine 2", "body": "y", "due": 9}
    client.sync()
    assert server.object("cards", clash) == {"title": "mine 2", "body": "y", "due": 9}


def test_keep_server_lets_later_edits_of_other_fields_go_on(
    server: Any, client: Any, clash: Any
) -> None:
    client.sync()
    client.collection("cards").update(clash, {"title": "mine 2", "due": 9})
    (conflict,) = client.conflicts
    conflict.settle(conflict.keep_server())
    client.sync()
    assert server.object("cards", clash) == {"title": "theirs", "body": "x", "due": 9}
    assert client.collection("cards").get(clash).object == server.object("cards", clash)


def test_an_aborted_later_edit_goes_into_the_decision(
    server: Any, client: Any, connect: Any, clash: Any
) -> None:
    """Two mutations of one object in one batch: the first conflicts, the second is aborted."""
    client.collection("cards").create({"title": "between"})
    client.collection("cards").update(clash, {"due": 5})
    counts = client.sync()
    assert (counts.conflicts, counts.aborted) == (1, 1)
    (conflict,) = client.conflicts
    conflict.settle(conflict.merge({"title": "both"}))
    client.sync()
    assert server.object("cards", clash) == {"title": "both", "body": "y", "due": 5}
    assert rows(client, "outbox") == []


def test_g5_a_decision_stands_on_the_revision_that_was_shown(
    server: Any, client: Any, clash: Any
) -> None:
    client.sync()
    (shown,) = client.conflicts
    server.store(("cards", clash), {"title": "theirs 2", "body": "x", "due": 1}, "", None)
    client.sync()
    assert client.conflicts[0].server["title"] == "theirs 2"
    shown.settle(shown.keep_client())
    client.sync()
    assert server.object("cards", clash)["title"] == "theirs 2"
    (again,) = client.conflicts
    again.settle(again.keep_client())
    client.sync()
    assert server.object("cards", clash)["title"] == "mine"


def test_an_open_conflict_blocks_no_other_object(server: Any, client: Any, clash: Any) -> None:
    client.sync()
    other = client.collection("cards").create({"title": "other"})
    assert client.sync().applied == 1
    client.collection("cards").update(other.id, {"title": "other 2"})
    assert client.sync().applied == 1
    assert client.collection("cards").get(clash)["title"] == "mine"
    assert len(client.conflicts) == 1


def test_settling_twice_from_two_processes_is_settling_once(
    server: Any, client: Any, connect: Any, clash: Any
) -> None:
    second = connect()
    client.sync()
    (here,), (there,) = client.conflicts, second.conflicts
    assert here.settle(here.keep_client())
    assert not there.settle(there.keep_server())
    second.sync()
    assert server.object("cards", clash)["title"] == "mine"
    assert not here.settle(here.keep_server())
    assert client.conflicts == second.conflicts == client.outbox == []


@pytest.fixture
def deleted(server: Any, client: Any) -> Any:
    """A card that the client edits and another deletes."""
    id = server.put("cards", {"title": "a", "body": "x", "due": 1})
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.delete("cards", id)
    return id


WHOLE = {"title": "mine", "body": "x", "due": 1}


@pytest.mark.parametrize("when", ["asked", "later", "restarted", "deleted pulled first"])
def test_what_was_deleted_comes_back_whole(
    server: Any, client: Any, connect: Any, deleted: Any, when: str
) -> None:
    """G5: and only since its user has seen that it was deleted."""
    if when == "asked":
        client.on_conflict(lambda conflict: conflict.keep_client())
    if when == "deleted pulled first":
        pull_only(client)
        assert client.collection("cards").get(deleted).object == WHOLE
    client.sync()
    if when == "restarted":
        client.close()
        client = connect()
    if when != "asked":
        (conflict,) = client.conflicts
        assert (conflict.kind, conflict.server) == ("update_delete", None)
        assert client.collection("cards").get(deleted).object == WHOLE
        conflict.settle(conflict.keep_client())
        assert client.collection("cards").get(deleted).object == WHOLE
        assert client.outbox[0].fields == {"title": "mine"}
        client.sync()
    assert server.object("cards", deleted) == WHOLE
    client.sync()
    assert client.collection("cards").get(deleted).object == WHOLE
    assert client.conflicts == client.outbox == client.rejections == rows(client, "outbox") == []


def test_edits_after_the_decision_go_out_behind_it(server: Any, client: Any, deleted: Any) -> None:
    client.sync()
    (conflict,) = client.conflicts
    conflict.settle(conflict.merge({"body": "y"}))
    client.collection("cards").update(deleted, {"due": 2})
    client.sync()
    client.collection("cards").update(deleted, {"due": 3})
    client.sync()
    assert server.object("cards", deleted) == {"title": "mine", "body": "y", "due": 3}


def test_keep_server_lets_it_go(server: Any, client: Any, deleted: Any) -> None:
    client.sync()
    (conflict,) = client.conflicts
    conflict.settle(conflict.keep_server())
    assert client.collection("cards").get(deleted) is None
    client.sync()
    assert rows(client, "records") == rows(client, "outbox") == []


def test_r3_what_left_the_view_is_not_sent_beneath(server: Any, client: Any) -> None:
    """Nor kept: the decision waits offline, and has only what the user typed."""
    id = server.put("cards", {"title": "a", "body": "theirs"}, scope="b1")
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.delete("cards", id)
    client.sync()
    (conflict,) = client.conflicts
    conflict.settle(conflict.keep_client())
    server.revoke("ann", "b1")
    pull_only(client)
    assert rows(client, "records") == []
    assert "theirs" not in str(rows(client, "outbox"))
    client.sync()
    assert sent(server)[-1][0]["fields"] == {"title": "mine"}


def test_r3_what_was_sent_whole_keeps_only_what_was_typed(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a", "body": "theirs"}, scope="b1")
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.delete("cards", id)
    client.sync()
    (conflict,) = client.conflicts
    conflict.settle(conflict.keep_client())
    with fault(server, on("mutations/", httpx2.ConnectError)), pytest.raises(errors.Offline):
        client.sync()
    assert "theirs" in str(rows(client, "outbox"))
    server.revoke("ann", "b1")
    pull_only(client)
    assert "theirs" not in str(rows(client, "outbox"))


def test_a_conflict_on_what_is_then_deleted_shows_it_and_back(
    server: Any, client: Any, clash: Any
) -> None:
    client.sync()
    server.delete("cards", clash)
    client.sync()
    (conflict,) = client.conflicts
    assert (conflict.kind, conflict.server, conflict.server_revision) == ("update_delete", None, 3)
    assert client.collection("cards").get(clash)["title"] == "mine"
    server.store(("cards", clash), {"title": "again", "body": "x", "due": 1}, "", None)
    client.sync()
    assert server.object("cards", clash)["title"] == "again"
    (again,) = client.conflicts
    assert (again.kind, again.server["title"]) == ("update_update", "again")
    conflict.settle(conflict.keep_client())  # what was shown before: it meets the newer one
    client.sync()
    assert server.object("cards", clash)["title"] == "again"
    (met,) = client.conflicts
    met.settle(met.keep_client())
    client.sync()
    assert server.object("cards", clash)["title"] == "mine"


def test_delete_update(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").delete(id)
    server.store(("cards", id), {"title": "theirs"}, "", None)
    client.sync()
    assert titles(client) == []
    assert client.conflicts[0].kind == "delete_update"
    client.conflicts[0].settle(client.conflicts[0].keep_client())
    client.sync()
    assert server.object("cards", id) is None
    assert rows(client, "outbox") == []


def test_create_create(server: Any, client: Any) -> None:
    id = "a0000000-0000-4000-8000-000000000000"
    client.collection("cards").create({"title": "mine"}, id=id)
    server.put("cards", {"title": "theirs"}, id=id)
    client.on_conflict(lambda c: c.merge({"title": c.client["title"] + c.server["title"]}))
    client.sync()
    assert server.object("cards", id) == {"title": "minetheirs"}
    assert titles(client) == ["minetheirs"]


def test_unknown_base_after_history_diverged(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a"})
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.new_epoch()
    server.objects[("cards", id)].object = {"title": "restored"}
    client.sync()
    (conflict,) = client.conflicts
    assert conflict.kind == "unknown_base"
    conflict.settle(conflict.keep_client())
    client.sync()
    assert server.object("cards", id) == {"title": "mine"}


def test_a_callback_that_never_gives_in_does_not_spin(server: Any, client: Any, clash: Any) -> None:
    def stubborn(conflict: Any) -> Any:
        revision = server.objects[("cards", clash)].revision
        server.store(("cards", clash), {"title": f"theirs {revision}"}, "", None)
        return conflict.keep_client()

    client.on_conflict(stubborn)
    client.sync()
    assert len(sent(server)) < 12


def test_first_decision_counts_and_nonsense_is_logged(
    server: Any, client: Any, clash: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.on_conflict(lambda c: "server")
    client.on_conflict(lambda c: 1 / 0)
    client.on_conflict(lambda c: None)
    client.on_conflict(lambda c: c.keep_server())
    client.on_conflict(lambda c: c.keep_client())
    client.sync()
    assert server.object("cards", clash)["title"] == "theirs"
    assert client.conflicts == []
    assert "not a resolution" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_merged_result_shows_the_servers_word_after_the_pull(server: Any, client: Any) -> None:
    id = server.put("cards", {"title": "a", "body": "x"})
    client.sync()
    client.collection("cards").update(id, {"title": "mine"})
    server.store(("cards", id), {"title": "a", "body": "theirs"}, "", None)
    assert client.sync().merged == 1
    assert client.collection("cards").get(id).object == {"title": "mine", "body": "theirs"}

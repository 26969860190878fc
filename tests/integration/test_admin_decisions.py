"""Staff before a conflict (G5): who sees both sides, settles it, brings back what lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_sync.admin import decisions
from django_sync.merge import ClientWins, ServerWins
from django_sync.models import Decision
from django_sync.protocol import Status
from example_project.boards import api
from example_project.boards.models import Card
from tests.forms import form_in, opened, with_values
from tests.integration.test_admin_pages import clerk
from tests.replica import Replica

pytestmark = pytest.mark.django_db

SETTLER = (
    "boards.change_card",
    "django_sync.change_openconflict",
    "django_sync.change_decision",
)


def met(phone, other, card, **fields):
    """A decision about a card: another wrote its title first, and the phone did not know."""
    body = phone.update(card, told={"title": card.title}, **(fields or {"title": "Mine"}))
    assert other.one(other.update(card, title="Theirs")).status is Status.APPLIED
    phone.one(body)
    return Decision.objects.get()


@pytest.fixture
def conflict(phone, other, card):
    return met(phone, other, card)


def page(decision: Decision) -> str:
    model = "openconflict" if decision.is_open else "decision"
    return f"/admin/django_sync/{model}/{decision.pk}/change/"


def preview(client: Client, decision: Decision, **chosen: str) -> Any:
    values = {f"choice:{'*' if name == 'whole' else name}": c for name, c in chosen.items()}
    form = with_values(opened(client, page(decision)), **values, step="preview")
    return client.post(page(decision), form)


def choose(client: Client, decision: Decision, **chosen: str) -> Any:
    """Choose, look at what will be written, write it."""
    looked = preview(client, decision, **chosen)
    assert looked.context["plan"] is not None, told(looked)
    return client.post(page(decision), form_in(looked.text) | {"step": ["write"]})


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def again(decision: Decision) -> Decision:
    return Decision.objects.get(pk=decision.pk)


def now(card: Card) -> Card:
    return Card.objects.get(sync_id=card.sync_id)


# What is shown, and to whom


def test_both_sides_stand_beside_what_is_there_now(root, conflict, card):
    Card.objects.filter(pk=card.pk).update(title="Newest")
    shown = root.get(page(conflict))
    (row,) = shown.context["rows"]
    assert row["cells"] == {"base": "A card of Launch", "server": "Theirs", "client": "Mine"}
    assert row["now"] == "Newest"
    assert f'href="/admin/boards/card/{card.pk}/change/"' in shown.text
    within = shown.text[shown.text.index('id="content"') :]
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", within)


LOOKS = ("django_sync.view_openconflict", "boards.view_card")


@pytest.mark.parametrize(
    ("permissions", "status", "values", "choices"),
    [
        ((), 403, False, False),
        (("boards.view_card",), 403, False, False),
        (("django_sync.view_openconflict",), 200, False, False),
        (("django_sync.change_openconflict",), 200, False, False),
        (("django_sync.view_openconflict", "boards.add_card"), 200, False, False),
        (("django_sync.view_decision", "boards.view_card"), 403, False, False),
        (LOOKS, 200, True, False),
        ((*LOOKS, "boards.change_card"), 200, True, False),
        ((*LOOKS, "django_sync.change_openconflict"), 200, True, False),
        (("django_sync.change_openconflict", "boards.change_card"), 200, True, True),
    ],
)
def test_values_are_for_those_who_may_view_the_model(
    conflict, card, permissions, status, values, choices
):
    client = clerk(*permissions)
    shown = client.get(page(conflict))
    assert shown.status_code == status
    assert ("Theirs" in shown.text, "Mine" in shown.text) == (values, values)
    assert ('type="radio"' in shown.text) is choices
    form = {"choice:title": "client", "state": "open", "revision": card.sync_revision + 1}
    for step in ("preview", "write"):
        sent = client.post(page(conflict), form | {"step": step})
        assert sent.status_code == (403 if not choices else 200 if step == "preview" else 302)
    assert now(card).title == ("Mine" if choices else "Theirs")
    assert again(conflict).is_open is not choices


def test_a_list_names_fields_and_no_values(root, conflict):
    shown = root.get("/admin/django_sync/openconflict/").text
    assert "title" in shown
    assert "Theirs" not in shown


def test_rows_that_the_admin_hides_stay_hidden(root, conflict, card, monkeypatch):
    pages = admin.site._registry[Card]
    monkeypatch.setattr(pages, "get_queryset", lambda request: Card.objects.none())
    shown = root.get(page(conflict))
    assert "values are not shown" in shown.text
    assert "Theirs" not in shown.text


def test_a_model_without_pages_has_permissions_still(conflict, monkeypatch):
    monkeypatch.delitem(admin.site._registry, Card)
    hidden = clerk("django_sync.view_openconflict").get(page(conflict))
    shown = clerk(*LOOKS).get(page(conflict))
    assert ("Theirs" in hidden.text, "Theirs" in shown.text) == (False, True)


def test_a_decision_about_a_model_that_is_no_more(root, conflict):
    Decision.objects.update(model="boards.gone", collection="gone")
    shown = root.get(page(conflict))
    assert shown.status_code == 200
    assert "Theirs" not in shown.text


# Settling


def test_staff_keep_the_clients(people, root, conflict, card):
    """Staff who see nothing over the API settle all the same; the replica gets it."""
    replica = Replica(people.ada)
    replica.pull()
    before = now(card).sync_revision
    assert choose(root, conflict, title="client").status_code == 302
    assert (now(card).title, now(card).sync_revision) == ("Mine", before + 1)
    (change,) = replica.pull()
    assert change.record.object["title"] == "Mine"
    decision = again(conflict)
    assert (decision.by, decision.settled_by.username) == (Decision.By.STAFF, "root")
    assert (decision.is_open, decision.revision) == (False, before + 1)
    assert decision.fields["title"] == {
        "by": "staff", "kept": "client",
        "base": "A card of Launch", "server": "Theirs", "client": "Mine",
    }  # fmt: skip
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.get_change_message()) == (str(card.pk), "Changed title.")
    history = root.get(f"/admin/boards/card/{card.pk}/sync-history/").context["revisions"]
    assert (history[0].actor, history[0].values[0].after) == ("root", "Mine")


def test_staff_keep_what_is_there(root, conflict, card):
    before = now(card).sync_revision
    assert choose(root, conflict, title="now").status_code == 302
    assert now(card).sync_revision == before
    decision = again(conflict)
    assert (decision.by, decision.fields["title"]["kept"]) == (Decision.By.STAFF, "server")
    assert not LogEntry.objects.exists()


def test_staff_go_back_to_the_base(root, conflict, card):
    choose(root, conflict, title="base")
    assert now(card).title == "A card of Launch"
    kept = again(conflict).fields["title"]
    assert (kept["kept"], kept["value"]) == ("merged", "A card of Launch")


def test_each_field_apart_and_what_was_asked_for_besides(root, phone, other, card):
    body = phone.update(card, title="Mine", body="Mine", votes=4)
    other.one(other.update(card, title="Theirs", body="Theirs"))
    phone.one(body)
    decision = Decision.objects.get()
    rows = root.get(page(decision)).context["rows"]
    assert [(r["name"], r["overlaps"], r["chosen"]) for r in rows] == [
        ("title", True, ""),
        ("body", True, ""),
        ("votes", False, "client"),
    ]
    assert told(preview(root, decision, title="client")) == ["Choose for each field."]
    choose(root, decision, title="client", body="now")
    row = now(card)
    assert (row.title, row.body, row.votes) == ("Mine", "Theirs", 4)


def test_nothing_is_written_before_it_was_shown(root, conflict, card):
    looked = preview(root, conflict, title="client")
    assert looked.context["changes"] == [("title", "Theirs", "Mine")]
    assert now(card).title == "Theirs"
    assert again(conflict).is_open


def test_an_object_that_moved_on_is_looked_at_again(root, conflict, card):
    looked = form_in(preview(root, conflict, title="client").text) | {"step": ["write"]}
    Card.objects.filter(pk=card.pk).update(title="Newest")
    refused = root.post(page(conflict), looked)
    assert "Look again" in told(refused)[0]
    assert refused.context["rows"][0]["now"] == "Newest"
    assert (now(card).title, again(conflict).is_open) == ("Newest", True)
    # What is there now is looked at; then it is a choice.
    choose(root, conflict, title="client")
    assert now(card).title == "Mine"


def test_who_comes_between_look_and_lock_is_seen(root, conflict, card, monkeypatch):
    form = form_in(preview(root, conflict, title="client").text) | {"step": ["write"]}
    settle = decisions.settle

    def late(*args: Any) -> Any:
        Card.objects.filter(pk=card.pk).update(title="Newest")
        return settle(*args)

    monkeypatch.setattr(decisions, "settle", late)
    assert root.post(page(conflict), form).url == page(conflict)
    assert (now(card).title, again(conflict).is_open) == ("Newest", True)


def test_settled_twice_is_settled_once(root, conflict, card):
    form = form_in(preview(root, conflict, title="client").text) | {"step": ["write"]}
    url = page(conflict)
    assert root.post(url, form).status_code == 302
    revision = now(card).sync_revision
    for _ in range(2):
        assert root.post(url, form).url == "/admin/django_sync/openconflict/"
    assert now(card).sync_revision == revision
    assert LogEntry.objects.count() == 1


def test_settled_by_the_clients_user_meanwhile(root, phone, conflict, card):
    form = form_in(preview(root, conflict, title="client").text) | {"step": ["write"]}
    url = page(conflict)
    assert phone.one(phone.update(now(card), title="Ours")).status is Status.APPLIED
    assert root.post(url, form).status_code == 302
    assert (now(card).title, again(conflict).by) == ("Ours", Decision.By.CLIENT)


def test_what_the_serializer_refuses_is_said(root, phone, other, card, people):
    foreign = people.private.labels.get()
    body = phone.update(card, title="Mine", labels=[str(foreign.sync_id)])
    other.one(other.update(card, title="Theirs"))
    phone.one(body)
    decision = Decision.objects.get()
    refused = preview(root, decision, title="client", labels="client")
    assert "A card's labels are of its board." in told(refused)[0]
    assert refused.context["plan"] is None
    forced = form_in(refused.text) | {"step": ["write"]}
    assert "A card's labels" in told(root.post(page(decision), forced))[0]
    assert (now(card).title, again(decision).is_open) == ("Theirs", True)


# Deletes


@pytest.fixture
def edited_after_delete(phone, other, card):
    record = {"title": card.title, "board": str(card.board.sync_id)}
    body = phone.update(card, told=record, title="Mine")
    assert other.one(other.delete(card)).status is Status.APPLIED
    phone.one(body)
    return Decision.objects.get()


def test_what_was_deleted_stays_so(root, edited_after_delete, card):
    choose(root, edited_after_delete, whole="now")
    assert not Card.objects.filter(sync_id=card.sync_id).exists()
    assert again(edited_after_delete).fields["*"]["kept"] == "server"


def test_what_was_deleted_comes_back(people, root, edited_after_delete, card):
    """With the base's fields where the client sent only what it changed."""
    replica = Replica(people.ada)
    replica.pull()
    choose(root, edited_after_delete, whole="client")
    back = now(card)
    assert (back.title, back.board) == ("Mine", people.launch)
    assert back.sync_revision == edited_after_delete.revision + 1  # that of the tombstone
    assert replica.pull()[-1].record.object["title"] == "Mine"


def test_bringing_back_needs_the_permission_to_add(edited_after_delete, card):
    client = clerk(*SETTLER)
    assert preview(client, edited_after_delete, whole="client").status_code == 403
    choose(client, edited_after_delete, whole="now")
    assert not again(edited_after_delete).is_open


@pytest.mark.parametrize("choice", ["client", "now"])
def test_a_delete_that_met_an_edit(root, phone, other, card, choice):
    body = phone.delete(card)
    other.one(other.update(card, title="Theirs"))
    phone.one(body)
    decision = Decision.objects.get()
    assert decision.is_open
    choose(root, decision, whole=choice)
    assert Card.objects.filter(sync_id=card.sync_id).exists() is (choice == "now")
    assert again(decision).fields["*"]["kept"] == ("client" if choice == "client" else "server")


# Bringing back


@pytest.fixture
def lost(phone, other, card, monkeypatch):
    """A resolver kept the server's."""
    monkeypatch.setattr(api.CardViewSet, "resolvers", {"*": ServerWins()})
    return met(phone, other, card)


def test_a_value_that_lost_is_brought_back(people, root, lost, card):
    replica = Replica(people.ada)
    replica.pull()
    before = dict(again(lost).fields["title"])
    assert choose(root, lost, title="client").status_code == 302
    assert now(card).title == "Mine"
    assert replica.pull()[-1].record.object["title"] == "Mine"
    assert (again(lost).by, again(lost).fields["title"]) == (Decision.By.RESOLVER, before)
    assert LogEntry.objects.get().get_change_message() == "Changed title."


def test_what_is_there_already_is_not_brought_back(root, lost, card):
    assert [choice for choice, *_ in root.get(page(lost)).context["rows"][0]["choices"]] == [
        "now",
        "client",
        "base",
    ]
    revision = now(card).sync_revision
    assert "already has these values" in told(preview(root, lost, title="now"))[0]
    assert now(card).sync_revision == revision


def test_brought_back_twice_is_one_write(root, lost, card):
    form = form_in(preview(root, lost, title="client").text) | {"step": ["write"]}
    assert root.post(page(lost), form).status_code == 302
    revision = now(card).sync_revision
    assert "Look again" in told(root.post(page(lost), form))[-1]
    assert now(card).sync_revision == revision


def test_an_object_that_lost_to_a_delete_is_brought_back(root, phone, other, card, monkeypatch):
    monkeypatch.setattr(api.CardViewSet, "delete_resolver", ClientWins())
    body = phone.delete(card)
    other.one(other.update(card, title="Theirs", votes=2))
    assert phone.one(body).status is Status.MERGED
    assert not Card.objects.filter(sync_id=card.sync_id).exists()
    choose(root, Decision.objects.get(), whole="server")
    back = now(card)
    assert (back.title, back.votes, back.labels.count()) == ("Theirs", 2, 1)


def test_bringing_back_asks_for_its_permissions(lost, card):
    looks = clerk("django_sync.view_decision", "boards.view_card")
    form = {"choice:title": "client", "state": "settled", "revision": now(card).sync_revision}
    assert looks.post(page(lost), form | {"step": "write"}).status_code == 403
    settles = clerk(*SETTLER)
    assert settles.post(page(lost), form | {"step": "write"}).status_code == 302
    assert now(card).title == "Mine"


def test_the_history_tells_of_what_lost(root, lost, card):
    url = f"/admin/boards/card/{card.pk}/sync-history/"
    (difference,) = root.get(url).context["revisions"][0].values
    assert (difference.before, difference.after, difference.lost) == ("Theirs", "Theirs", "Mine")
    assert page(lost) in root.get(url).text

"""The admin's pages over the feed: what they show, to whom, and at what price."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sync.admin import read_only
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.models import Change
from django_sync.models import Client as Installation
from example_project.boards.models import Card, Comment
from tests.integration.phone import Phone

pytestmark = pytest.mark.django_db

MODELS = ["change", "client", "decision", "endpoint", "openconflict", "feed"]


def clerk(*permissions: str) -> Client:
    """Staff with these permissions: ``boards.view_card``."""
    user = User.objects.create_user(f"clerk{User.objects.count()}", is_staff=True)
    for permission in permissions:
        app, code = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=code)
        )
    client = Client()
    client.force_login(user)
    return client


def listed(client: Client, model: str, **query: Any) -> Any:
    response = client.get(f"/admin/django_sync/{model}/", query)
    assert response.status_code == 200
    return response


def shown(response: Any) -> list[Any]:
    return list(response.context["cl"].result_list)


@pytest.mark.parametrize("model", MODELS)
def test_each_page_loads_without_a_word_inline(root, phone, card, model):
    assert phone.one(phone.update(card, title="Mine")).status == "applied"
    told = listed(root, model).text
    assert "django-sync" in told or model != "feed"
    within = told[told.index('id="content"') :]
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", within)


@pytest.mark.parametrize("model", MODELS)
def test_each_page_asks_for_its_permission(people, model):
    assert clerk().get(f"/admin/django_sync/{model}/").status_code == 403
    assert clerk(f"django_sync.view_{model}").get(f"/admin/django_sync/{model}/").status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_added_changed_or_deleted(root, phone, card, model):
    phone.one(phone.update(card, title="Mine"))
    sequencer.sequence()
    assert root.get(f"/admin/django_sync/{model}/add/").status_code == 403
    key = Installation.objects.get().pk if model == "client" else 1
    if model in ("change", "client"):
        assert root.post(f"/admin/django_sync/{model}/{key}/change/", {}).status_code == 403
    gone = root.post(f"/admin/django_sync/{model}/{key}/delete/", {"post": "yes"})
    assert gone.status_code in (302, 403)
    assert Installation.objects.exists()
    assert Change.objects.exists()


def test_an_entry_has_a_page(root, phone, card):
    phone.one(phone.update(card, title="Mine"))
    sequencer.sequence()
    change, client = Change.objects.latest("position"), Installation.objects.get()
    for address in (f"change/{change.pk}", f"client/{client.pk}"):
        assert root.get(f"/admin/django_sync/{address}/change/").status_code == 200


def test_the_log_is_listed_newest_first_and_searched_exactly(root, people):
    sequencer.sequence()
    card = Card.objects.get(board=people.launch)
    positions = [row.position for row in shown(listed(root, "change"))]
    assert positions == sorted(positions, reverse=True)
    found = shown(listed(root, "change", q=str(card.sync_id)))
    assert {row.object_id for row in found} == {card.sync_id}
    found = shown(listed(root, "change", q=str(people.private.sync_id)))  # an object and a scope
    assert {row.object_id for row in found} == {people.private.sync_id}
    comment = Comment.objects.get(card=card)
    Change.objects.filter(object_id=people.private.sync_id).delete()
    found = shown(listed(root, "change", q=str(people.private.sync_id)))
    assert found
    assert {row.scope for row in found} == {str(people.private.sync_id)}
    assert comment.sync_id not in {row.object_id for row in found}
    assert not shown(listed(root, "change", q="nothing of the kind"))


def test_clients_are_found_by_id_and_by_user(root, people, card):
    phones = [Phone(people.ada), Phone(people.grace)]
    for phone in phones:
        phone.one(phone.update(card, title=str(phone.id)))
    for term in (str(phones[1].id), "grace"):
        assert [row.id for row in shown(listed(root, "client", q=term))] == [phones[1].id]
    assert not shown(listed(root, "client", q="gra"))


def counts(asked: Any) -> list[str]:
    return [q["sql"] for q in asked if "COUNT(" in q["sql"] and "django_sync" in q["sql"]]


def test_no_page_counts_to_the_end(root, people, monkeypatch, django_assert_max_num_queries):
    """Of many rows each list counts as many as it pages through, in as many queries as of few."""
    monkeypatch.setattr(read_only, "MOST", 150)
    Change.objects.bulk_create(
        Change(
            position=1000 + n,
            mark=n,
            model="boards.card",
            object_id=people.launch.sync_id,
            revision=n,
            op="u",
            columns="title",
            scope="",
            at="2026-01-01T00:00Z",
        )
        for n in range(400)
    )
    for model in ("change", "client", "decision", "openconflict"):
        with CaptureQueriesContext(connection) as asked:
            response = listed(root, model)
        assert len(asked) < 10
        assert all(re.search(r"COUNT\(\*\) FROM \(SELECT .* LIMIT 150\)", q) for q in counts(asked))
        assert counts(asked)
        assert response.context["cl"].full_result_count is None
    assert listed(root, "change").context["cl"].result_count == 150
    assert shown(listed(root, "change"))[0].position == 1399


@pytest.mark.parametrize("query", [{"model": "boards.card"}, {"columns__contains": "x"}])
def test_no_address_filters_by_what_has_no_index(root, people, query):
    response = root.get("/admin/django_sync/change/", query)
    assert response.status_code in (302, 400)


def test_no_address_changes_the_order(root, people):
    sequencer.sequence()
    first = shown(listed(root, "change", o="3"))
    assert first == shown(listed(root, "change"))


def test_who_may_see_no_page_finds_none_in_the_index(people):
    told = clerk("django_sync.view_feed").get("/admin/").text
    assert "/admin/django_sync/feed/" in told
    for name in ("Clients", "Changes", "Decisions"):
        assert name not in told


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("model", "query", "index"),
    [
        ("change", {}, "django_sync_change_pkey"),
        ("change", {"q": "some scope"}, "django_sync_change_scope"),
        ("change", {"q": "0198c0de-0000-7000-8000-000000000000"}, "django_sync_change_"),
        ("decision", {"at__gte": "2026-01-01T00:00Z"}, "django_sync_decision"),
        ("openconflict", {}, "django_sync_decision_wait"),
    ],
)
def test_lists_go_by_an_index(root, people, model, query, index):
    with CaptureQueriesContext(connection) as asked:
        listed(root, model, **query)
    (told,) = [
        q["sql"] for q in asked if "ORDER BY" in q["sql"] and 'FROM "django_sync_' in q["sql"]
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {told}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index in plan, plan


def test_the_feed_tells_how_it_stands(root, people):
    sequencer.sequence()
    told = listed(root, "feed")
    assert told.context["status"].head == feed_log.state()[0].head
    assert feed_log.state()[0].epoch in told.text
    assert "All triggers and indexes are as they should be." in told.text
    assert bool(told.context["sizes"]) is (connection.vendor == "postgresql")
    assert root.get("/admin/django_sync/feed/1/change/").url == "/admin/django_sync/feed/"


def test_the_feed_tells_of_a_trigger_that_is_gone(root, people):
    from django_sync.capture.install import found

    (table, name), *_ = sorted((one.table, one.name) for one in found("default"))
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}"{on}')
    assert f"no trigger on {table}" in listed(root, "feed").text


def test_a_user_with_a_client_can_still_be_deleted(root, phone, people, card):
    """The page of clients is read-only; that must not hold their users fast."""
    phone.one(phone.update(card, title="Mine"))
    Card.objects.all().delete()
    url = f"/admin/auth/user/{people.ada.pk}/delete/"
    assert "Are you sure" in root.get(url).text
    assert root.post(url, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="ada").exists()
    assert not Installation.objects.exists()

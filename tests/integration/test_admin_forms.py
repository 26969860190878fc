"""Two people at one object in the admin (W1): who is merged, who refused, what reaches clients."""

from __future__ import annotations

import datetime
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from django_sync.feed import sequencer
from django_sync.models import MutationResult
from example_project.boards.admin import CardAdmin
from example_project.boards.models import Card, Comment, Label
from tests.fixtures import staff
from tests.forms import form_in, opened, with_values
from tests.replica import Replica

pytestmark = pytest.mark.django_db


def page(row: Any) -> str:
    options = row._meta
    return f"/admin/boards/{options.model_name}/{row.pk}/change/"


def save(client: Client, row: Any, form: Any, **values: Any) -> Any:
    return client.post(page(row), with_values(form, **values))


def now(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


# One person


def test_the_form_shows_id_revision_and_scope(one, card):
    told = one.get(page(card)).text
    for value in (card.sync_id, card.sync_revision, card.sync_scope):
        assert f"<dd>{value}</dd>" in told
    assert "sync-history" in told


def test_an_edit_reaches_a_replica(people, one, card):
    replica = Replica(people.ada)
    replica.pull()
    assert save(one, card, opened(one, page(card)), title="By staff").status_code == 302
    (change,) = replica.pull()
    assert change.record.object["title"] == "By staff"
    assert change.record.revision == card.sync_revision + 1


def test_a_save_without_a_change_is_no_revision(one, card):
    """Line ends, spaces around and microseconds are not the user's."""
    Card.objects.filter(pk=card.pk).update(body=" two\nlines \n", checklist=[{"a": 1}])
    before = now(card).sync_revision
    assert save(one, card, opened(one, page(card))).status_code == 302
    assert now(card).sync_revision == before
    assert now(card).body == " two\nlines \n"


def test_an_object_is_added_and_copied(one, people):
    add = "/admin/boards/card/add/"
    form = with_values(opened(one, add), board=people.launch.pk, title="New")
    assert "sync_base" not in form
    assert one.post(add, form).status_code == 302
    made = Card.objects.get(title="New")
    noted = MutationResult.objects.get(object_id=made.sync_id)
    assert (noted.user.username, noted.op, noted.revision) == ("root", "create", 1)


def test_save_as_new(one, card, monkeypatch):
    monkeypatch.setattr(CardAdmin, "save_as", True)
    form = with_values(opened(one, page(card)), title="Another", _saveasnew="1")
    assert one.post(page(card), form).status_code == 302
    other = Card.objects.get(title="Another")
    assert other.sync_id != card.sync_id
    assert now(card).title == card.title


def test_who_may_only_look_sees_no_form(people, card):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(
        Permission.objects.get(codename="view_card", content_type__app_label="boards")
    )
    client = Client()
    client.force_login(clerk)
    told = client.get(page(card))
    assert told.status_code == 200
    assert f"<dd>{card.sync_id}</dd>" in told.text
    assert 'name="sync_base"' not in told.text
    assert client.post(page(card), {"title": "x"}).status_code == 403


# Two people


def test_w1_what_both_changed_is_refused_and_nothing_is_lost(one, two, card):
    mine, theirs = opened(one, page(card)), opened(two, page(card))
    assert save(two, card, theirs, title="Theirs").status_code == 302
    refused = save(one, card, mine, title="Mine", votes=3)
    assert refused.status_code == 200
    assert (now(card).title, now(card).votes) == ("Theirs", 0)
    form = refused.context["adminform"].form
    assert form.has_error("title", "changed_meanwhile")
    (overlap,) = form.overlaps
    assert (overlap.base, overlap.theirs, overlap.yours) == ("A card of Launch", "Theirs", "Mine")
    assert "by toor: Title" in refused.text
    again = form_in(refused.text)
    assert (again["title"], again["votes"]) == (["Mine"], ["3"])
    # Saved again it is a choice: the form stands on today's revision.
    assert save(one, card, again).status_code == 302
    assert (now(card).title, now(card).votes) == ("Mine", 3)


def test_w1_a_third_between_refusal_and_second_save_is_seen(one, two, card):
    mine = opened(one, page(card))
    save(two, card, opened(two, page(card)), title="Theirs")
    again = form_in(save(one, card, mine, title="Mine").text)
    save(two, card, opened(two, page(card)), title="Theirs again")
    refused = save(one, card, again)
    assert refused.context["adminform"].form.overlaps[0].theirs == "Theirs again"
    assert now(card).title == "Theirs again"


def test_what_only_they_changed_is_merged(people, one, two, card):
    mine, theirs = opened(one, page(card)), opened(two, page(card))
    save(
        two, card, theirs, body="Theirs", column="done", due="2026-12-24", checklist='["theirs"]',
        labels=[], board=people.research.pk,
    )  # fmt: skip
    assert save(one, card, mine, title="Mine").status_code == 302
    row = now(card)
    assert (row.title, row.body, row.column) == ("Mine", "Theirs", "done")
    assert (row.due, row.checklist) == (datetime.date(2026, 12, 24), ["theirs"])
    assert (row.board, list(row.labels.all())) == (people.research, [])
    assert LogEntry.objects.filter(user__username="root").get().change_message == json.dumps(
        [{"changed": {"fields": ["Title"]}}]
    )


def test_what_they_changed_stays_merged_through_a_refusal(one, two, card):
    """The page that refuses shows their value, and the second save does not undo it."""
    mine = opened(one, page(card))
    save(two, card, opened(two, page(card)), title="Theirs", column="done", labels=[])
    refused = save(one, card, mine, title="Mine")
    assert "Also changed since, and kept as it is now: column, labels." in refused.text
    again = form_in(refused.text)
    assert (again["column"], "labels" in again) == (["done"], False)
    assert save(one, card, again).status_code == 302
    assert (now(card).title, now(card).column, now(card).labels.count()) == ("Mine", "done", 0)


def test_the_same_change_by_both_is_none(one, two, card):
    mine = opened(one, page(card))
    save(two, card, opened(two, page(card)), title="Same")
    assert save(one, card, mine, title="Same", votes=1).status_code == 302
    assert (now(card).title, now(card).votes) == ("Same", 1)


def test_many_to_many_is_a_field_like_others(people, one, two, card):
    late = Label.objects.create(board=people.launch, name="late")
    mine = opened(one, page(card))
    save(two, card, opened(two, page(card)), labels=[])
    refused = save(one, card, mine, labels=[late.pk, card.labels.model.objects.get(
        board=people.launch, name="urgent").pk])  # fmt: skip
    (overlap,) = refused.context["adminform"].form.overlaps
    assert (overlap.base, overlap.theirs, overlap.yours) == ("urgent", "—", "late, urgent")
    assert not now(card).labels.exists()


def test_a_field_that_broke_meanwhile_and_was_left_alone_is_no_error(people, one, two, card):
    """The label that this form shows was deleted by another."""
    mine = opened(one, page(card))
    assert mine["labels"]
    people.launch.labels.all().delete()
    assert save(one, card, mine, title="Mine").status_code == 302
    assert (now(card).title, now(card).labels.count()) == ("Mine", 0)


def test_another_error_on_the_page_forgets_nothing(one, two, card):
    mine = opened(one, page(card))
    wrong = save(one, card, mine, title="", votes=5)
    save(two, card, opened(two, page(card)), votes=7)
    refused = save(one, card, form_in(wrong.text), title="Mine")
    assert refused.context["adminform"].form.has_error("votes", "changed_meanwhile")


def test_a_change_from_elsewhere_counts_as_well(one, card):
    mine = opened(one, page(card))
    Card.objects.filter(pk=card.pk).update(title="By SQL")
    assert save(one, card, mine, title="Mine").status_code == 200
    assert now(card).title == "By SQL"


@pytest.mark.parametrize(
    "base",
    [
        None,
        "",
        "{",
        "[]",
        '{"revision": 99999999999999999999, "fields": {}}',
        '{"revision": "x", "fields": {}}',
    ],
)
def test_a_form_without_its_revision_writes_nothing(one, card, base):
    form = with_values(opened(one, page(card)), title="Mine", sync_base=base)
    refused = one.post(page(card), form)
    assert refused.context["adminform"].form.has_error("__all__", "no_base")
    assert now(card).title == card.title
    assert save(one, card, form_in(refused.text)).status_code == 302
    assert now(card).title == "Mine"


def test_inlines_that_are_not_synced_are_as_they_were(people, one, two):
    board = people.launch
    mine, theirs = opened(one, page(board)), opened(two, page(board))
    save(two, board, theirs, name="Theirs")
    refused = save(one, board, mine, name="Mine", **{"memberships-0-role": "viewer"})
    assert refused.status_code == 200
    assert board.memberships.get(user=people.grace).role == "editor"
    assert save(one, board, form_in(refused.text)).status_code == 302
    assert board.memberships.get(user=people.grace).role == "viewer"


def test_times_in_two_boxes(people, one, two, monkeypatch):
    """A split field travels as a list, also over a refusal."""
    monkeypatch.setattr(Comment._meta.get_field("created_at"), "editable", True)
    comment = Comment.objects.filter(card__board=people.launch).get()
    form = opened(one, page(comment))
    assert {"created_at_0", "created_at_1"} <= set(form)
    assert save(one, comment, form, text="Mine").status_code == 302
    assert now(comment).created_at == comment.created_at  # to the microsecond
    mine = opened(one, page(comment))
    save(two, comment, opened(two, page(comment)), created_at_0="2020-01-01")
    refused = save(one, comment, mine, created_at_0="2021-01-01")
    assert [o.label for o in refused.context["adminform"].form.overlaps] == ["Created at"]
    assert save(one, comment, form_in(refused.text)).status_code == 302
    assert now(comment).created_at.year == 2021


class Upload(forms.ModelForm):
    """A file is no value that could travel with the form."""

    body = forms.FileField(required=False)

    class Meta:
        model = Card
        fields = ("title", "body", "votes")


def test_of_a_file_the_log_says_who_changed_it(one, card, monkeypatch):
    monkeypatch.setattr(CardAdmin, "form", Upload)
    mine = opened(one, page(card))
    Card.objects.filter(pk=card.pk).update(votes=7)
    sent = SimpleUploadedFile("mine.txt", b"x")
    assert one.post(page(card), mine | {"body": sent}).status_code == 302
    assert (now(card).body, now(card).votes) == ("mine.txt", 7)
    mine = opened(one, page(card))
    Card.objects.filter(pk=card.pk).update(body="theirs.txt")
    again = SimpleUploadedFile("mine too.txt", b"x")
    refused = one.post(page(card), mine | {"body": again})
    (overlap,) = refused.context["adminform"].form.overlaps
    assert (overlap.base, overlap.theirs) == ("not known", "theirs.txt")
    assert one.post(page(card), mine | {"votes": "9"}).status_code == 302
    assert (now(card).body, now(card).votes) == ("theirs.txt", 9)


def test_w1_of_two_at_once_one_is_refused(boards):
    """On connections of their own: who waits for the lock reads what the other wrote."""
    people = [staff("root"), staff("toor")]
    card = Card.objects.get(board=boards.launch)
    for turn in range(5):
        opens = [opened(client, page(card)) for client in people]
        ready = threading.Barrier(2, timeout=20)

        def act(client: Client, form: Any, title: str, ready: threading.Barrier = ready) -> int:
            try:
                ready.wait()
                status: int = save(client, card, form, title=title).status_code
                return status
            finally:
                connection.close()

        titles = [f"{name} {turn}" for name in ("root", "toor")]
        with ThreadPoolExecutor(2) as pool:
            statuses = list(pool.map(act, people, opens, titles))
        assert sorted(statuses) == [200, 302]
        assert now(card).title == titles[statuses.index(302)]


@pytest.mark.sqlite
def test_the_database_is_locked_before_it_is_read(one, card):
    form = opened(one, page(card))
    with CaptureQueriesContext(connection) as asked:
        save(one, card, form, title="Mine")
    told = [q["sql"] for q in asked if "boards_card" in q["sql"] or "django_sync_feed" in q["sql"]]
    assert told[0].startswith('UPDATE "django_sync_feed"')


@pytest.mark.postgresql
def test_the_row_is_locked_before_it_is_read(one, card):
    form = opened(one, page(card))
    with CaptureQueriesContext(connection) as asked:
        save(one, card, form, title="Mine")
    told = [q["sql"] for q in asked if '"boards_card"' in q["sql"]]
    assert told[0].endswith("FOR UPDATE")


# The history


def history(client: Client, row: Any, **query: Any) -> Any:
    return client.get(f"/admin/boards/{row._meta.model_name}/{row.pk}/sync-history/", query)


def test_the_history_has_values_where_they_are_known(one, card):
    save(one, card, opened(one, page(card)), title="By staff")
    Card.objects.filter(pk=card.pk).update(body="By SQL")
    sequencer.sequence()
    told = history(one, card).context["revisions"]
    assert [(one.op, one.actor) for one in told[:2]] == [("update", None), ("update", "root")]
    assert (told[0].fields, told[0].values) == (["body"], [])
    (difference,) = told[1].values
    assert (difference.field, difference.before, difference.after) == (
        "Title", "A card of Launch", "By staff",
    )  # fmt: skip
    assert "Values were not kept." in history(one, card).text


def test_the_history_is_paged(one, card, django_assert_max_num_queries):
    for number in range(60):
        Card.objects.filter(pk=card.pk).update(votes=number + 1)
    with django_assert_max_num_queries(12):
        first = history(one, card)
    told = [one.revision for one in first.context["revisions"]]
    further = first.context["further"]
    rest = [one.revision for one in history(one, card, below=further).context["revisions"]]
    assert told + rest == list(range(now(card).sync_revision, 0, -1))
    assert len(told) == 50


def test_rest_names_who_wrote_in_the_admin(people, one, card):
    save(one, card, opened(one, page(card)), title="By staff")
    client = APIClient()
    client.force_authenticate(people.ada)
    told = client.get(f"/sync/cards/{card.sync_id}/history/").json()["results"]
    assert told[0]["actor"] == "root"


def test_the_history_asks_for_the_view_permission(people, card):
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert history(client, card).status_code == 403

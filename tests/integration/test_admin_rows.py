"""Two people at rows of one page (W1): inlines, lists whose cells are written, and deleting."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_sync.admin import SyncInlineMixin
from django_sync.models import MutationResult
from example_project.boards.admin import BoardAdmin, CardAdmin
from example_project.boards.models import Board, Card, Comment, Membership
from tests.forms import Data, form_in, opened, with_values
from tests.integration.test_admin_forms import now, page, save
from tests.integration.test_admin_pages import clerk

pytestmark = pytest.mark.django_db

LIST = "/admin/boards/card/"


class CardInline(admin.TabularInline):
    model = Card
    fields = ("title", "votes", "column")
    extra = 0


class TallCardInline(admin.StackedInline):
    model = Card
    fields = ("title", "votes", "column")
    extra = 1


class UnsyncedBoardAdmin(admin.ModelAdmin):
    inlines = (type("Inline", (SyncInlineMixin, CardInline), {}),)


@pytest.fixture(params=["tabular", "stacked", "unsynced parent"])
def board(request: Any, people: SimpleNamespace, monkeypatch: Any) -> Board:
    """A board whose page has its two cards as inlines."""
    inline = TallCardInline if request.param == "stacked" else CardInline
    monkeypatch.setattr(BoardAdmin, "inlines", [inline])
    if request.param == "unsynced parent":
        monkeypatch.setitem(admin.site._registry, Board, UnsyncedBoardAdmin(Board, admin.site))
    Card.objects.create(board=people.launch, title="Another", position=1)
    launch: Board = people.launch
    return launch


def row(form: Data, card: Card, prefix: str = "cards", key: str = "id") -> str:
    """The prefix of a card's row in a form."""
    (found,) = [
        name.removesuffix(f"-{key}")
        for name, values in form.items()
        if name.startswith(f"{prefix}-") and name.endswith(f"-{key}") and values == [str(card.pk)]
    ]
    return found


def row_of(response: Any, card: Card) -> Any:
    """The bound form of a card, on a page that came back."""
    if "cl" in response.context:
        forms = response.context["cl"].formset.forms
    else:
        forms = response.context["inline_admin_formsets"][0].formset.forms
    return next(form for form in forms if form.instance.pk == card.pk)


# Inlines


def test_w1_an_inline_row_that_both_changed_is_refused(one, two, board):
    card, other = board.cards.order_by("position")
    mine, theirs = opened(one, page(board)), opened(two, page(board))
    at, beside = row(mine, card), row(mine, other)
    assert (
        save(two, board, theirs, **{f"{at}-title": "Theirs", f"{beside}-votes": "7"}).status_code
        == 302
    )
    refused = save(
        one, board, mine, **{f"{at}-title": "Mine", f"{at}-votes": "3", f"{beside}-title": "Kept"}
    )
    assert refused.status_code == 200
    assert (now(card).title, now(card).votes, now(other).title) == ("Theirs", 0, "Another")
    form = row_of(refused, card)
    assert form.has_error("title", "changed_meanwhile")
    (met,) = form.overlaps
    assert (met.base, met.theirs, met.yours) == ("A card of Launch", "Theirs", "Mine")
    assert "by toor: Title" in refused.text
    again = form_in(refused.text)
    assert (again[f"{at}-title"], again[f"{at}-votes"]) == (["Mine"], ["3"])
    assert save(one, board, again).status_code == 302
    assert (now(card).title, now(card).votes) == ("Mine", 3)
    assert (now(other).title, now(other).votes) == ("Kept", 7)


def test_what_others_changed_in_an_inline_row_is_merged_and_told_who(one, two, board):
    card = board.cards.get(title="A card of Launch")
    mine, theirs = opened(one, page(board)), opened(two, page(board))
    at = row(mine, card)
    assert save(two, board, theirs, **{f"{at}-column": "done"}).status_code == 302
    assert save(one, board, mine, **{f"{at}-votes": "3"}).status_code == 302
    assert (now(card).column, now(card).votes) == ("done", 3)
    made = MutationResult.objects.filter(object_id=card.sync_id).order_by("revision")
    assert [m.user.username for m in made] == ["toor", "root"]
    assert made[1].trace["values"] == {"Votes": {"before": "0", "after": "3"}}


def test_a_page_of_inlines_saved_untouched_is_no_revision(one, board):
    before = list(board.cards.values_list("sync_revision", flat=True))
    assert save(one, board, opened(one, page(board))).status_code == 302
    assert list(board.cards.values_list("sync_revision", flat=True)) == before


def test_an_inline_row_is_added(one, board):
    form = opened(one, page(board))
    form |= {"cards-TOTAL_FORMS": ["3"], "cards-2-title": ["New"], "cards-2-votes": ["0"],
             "cards-2-column": ["todo"], "cards-2-id": [""]}  # fmt: skip
    assert save(one, board, form).status_code == 302
    made = MutationResult.objects.get(object_id=board.cards.get(title="New").sync_id)
    assert (made.op, made.user.username) == ("create", "root")


def test_w1_an_inline_row_is_not_deleted_over_a_change(one, two, board):
    card = board.cards.get(title="A card of Launch")
    mine, theirs = opened(one, page(board)), opened(two, page(board))
    at = row(mine, card)
    save(two, board, theirs, **{f"{at}-title": "Theirs"})
    refused = save(one, board, mine, **{f"{at}-DELETE": "on"})
    assert refused.status_code == 200
    assert "this was changed: title (by toor)" in refused.text
    assert now(card).title == "Theirs"
    again = form_in(refused.text)
    assert again[f"{at}-DELETE"] == ["on"]
    assert save(one, board, again).status_code == 302
    assert not Card.objects.filter(pk=card.pk).exists()
    gone = MutationResult.objects.get(object_id=card.sync_id, op="delete")
    assert gone.user.username == "root"


def test_an_inline_row_deleted_meanwhile_comes_back_once_with_what_was_typed(one, two, board):
    card, other = board.cards.order_by("position")
    mine, theirs = opened(one, page(board)), opened(two, page(board))
    at, beside = row(mine, card), row(mine, other)
    assert save(two, board, theirs, **{f"{at}-DELETE": "on"}).status_code == 302
    refused = save(one, board, mine, **{f"{at}-title": "Mine", f"{beside}-votes": "4"})
    assert refused.status_code == 200
    assert "deleted or moved elsewhere meanwhile by toor" in refused.text
    assert now(other).votes == 0
    again = form_in(refused.text)
    assert again[f"{at}-title"] == ["Mine"]
    assert again[f"{beside}-title"] == ["Another"]  # each row beside its own form
    assert save(one, board, again).status_code == 302
    assert now(other).votes == 4
    assert not Card.objects.filter(title="Mine").exists()


def test_an_inline_row_without_its_revision_writes_nothing(one, board):
    card = board.cards.get(title="A card of Launch")
    form = opened(one, page(board))
    at = row(form, card)
    refused = save(one, board, form, **{f"{at}-title": "Mine", f"{at}-sync_base": None})
    assert row_of(refused, card).has_error("__all__", "no_base")
    assert now(card).title == "A card of Launch"


def test_save_as_new_copies_inlines(one, people, monkeypatch):
    monkeypatch.setattr(BoardAdmin, "inlines", [CardInline])
    monkeypatch.setattr(BoardAdmin, "save_as", True)
    board = people.launch
    form = with_values(opened(one, page(board)), name="Copy", _saveasnew="1")
    assert one.post(page(board), form).status_code == 302
    copied = Board.objects.get(name="Copy").cards.get()
    assert copied.title == "A card of Launch"
    assert copied.sync_id != board.cards.get().sync_id


# A list whose cells can be written


@pytest.fixture
def cells(monkeypatch: Any) -> None:
    monkeypatch.setattr(CardAdmin, "list_editable", ["votes", "column"])


def save_list(client: Client, form: Data, **values: Any) -> Any:
    return client.post(LIST, with_values(form, _save="Save", **values))


def test_w1_a_cell_that_both_wrote_is_refused(cells, one, two, card):
    mine, theirs = opened(one, LIST), opened(two, LIST)
    at = row(mine, card, "form")
    assert save_list(two, theirs, **{f"{at}-votes": "7"}).status_code == 302
    refused = save_list(one, mine, **{f"{at}-votes": "3", f"{at}-column": "done"})
    assert refused.status_code == 200
    assert (now(card).votes, now(card).column) == (7, "todo")
    (met,) = row_of(refused, card).overlaps
    assert (met.base, met.theirs, met.yours) == ("0", "7", "3")
    assert "by toor: Votes" in refused.text
    assert "django-sync-overlaps" in refused.text
    again = form_in(refused.text)
    assert again[f"{at}-votes"] == ["3"]
    assert save_list(one, again).status_code == 302
    assert (now(card).votes, now(card).column) == (3, "done")
    assert MutationResult.objects.filter(object_id=card.sync_id, user__username="root").exists()


def test_cells_of_others_are_merged(cells, one, two, card):
    mine, theirs = opened(one, LIST), opened(two, LIST)
    at = row(mine, card, "form")
    save_list(two, theirs, **{f"{at}-column": "done"})
    assert save_list(one, mine, **{f"{at}-votes": "3"}).status_code == 302
    assert (now(card).votes, now(card).column) == (3, "done")


def test_rows_stand_beside_their_forms_when_others_were_added_and_deleted(cells, one, two, card):
    """What comes back is the page that was sent, without the row that is gone."""
    gone = Card.objects.exclude(pk=card.pk).first()
    mine = opened(one, LIST)
    at, lost = row(mine, card, "form"), row(mine, gone, "form")
    Card.objects.create(board=card.board, title="First by now", position=-1)
    save(two, card, opened(two, page(card)), votes="7")
    form = opened(two, f"{LIST}{gone.pk}/delete/?{seen(two, gone)}")
    two.post(f"{LIST}{gone.pk}/delete/?{seen(two, gone)}", form)
    assert not Card.objects.filter(pk=gone.pk).exists()
    refused = save_list(one, mine, **{f"{at}-votes": "3", f"{lost}-votes": "5"})
    assert refused.status_code == 200
    listed = refused.context["cl"]
    assert [r.pk for r in listed.result_list] == [f.instance.pk for f in listed.formset.forms]
    assert "deleted or moved elsewhere meanwhile by toor" in refused.text
    assert [one.yours for _, one in refused.context["sync_overlaps"]].count("5") == 1
    assert save_list(one, form_in(refused.text)).status_code == 302
    assert now(card).votes == 3


def assert_locked_first(one: Client, card: Card, lock: str) -> None:
    form = opened(one, LIST)
    with CaptureQueriesContext(connection) as asked:
        save_list(one, form, **{f"{row(form, card, 'form')}-votes": "3"})
    told = [query["sql"] for query in asked]
    locks = [n for n, sql in enumerate(told) if lock in sql]
    reads = [n for n, sql in enumerate(told) if '"votes"' in sql and '"boards_card"."id" IN' in sql]
    assert locks[0] < reads[0]


@pytest.mark.postgresql
def test_rows_are_locked_before_they_are_read(cells, one, card):
    assert_locked_first(one, card, "FOR UPDATE")


@pytest.mark.sqlite
def test_the_database_is_locked_before_rows_are_read(cells, one, card):
    assert_locked_first(one, card, 'UPDATE "django_sync_feed"')


# Deleting one


def seen(client: Client, card: Any) -> str:
    """What the page that asks whether to delete says that it shows."""
    sent: Any = client.get(f"/admin/boards/{card._meta.model_name}/{card.pk}/delete/")
    assert sent.status_code == 302
    return str(sent.url.partition("?")[2])


def delete(client: Client, card: Any, query: str) -> Any:
    url = f"/admin/boards/{card._meta.model_name}/{card.pk}/delete/?{query}"
    return client.post(url, {"post": "yes"}, follow=True)


def test_delete_is_done_and_noted(one, card):
    asked = one.get(f"{LIST}{card.pk}/delete/", follow=True)
    assert "Are you sure" in asked.text
    assert f"in revision {card.sync_revision}, " in asked.context["subtitle"]
    delete(one, card, seen(one, card))
    assert not Card.objects.filter(pk=card.pk).exists()
    made = MutationResult.objects.get(object_id=card.sync_id)
    assert (made.op, made.user.username) == ("delete", "root")


def test_w1_what_was_changed_since_the_page_was_shown_is_not_deleted(one, two, card):
    looked = seen(one, card)
    save(two, card, opened(two, page(card)), title="Theirs")
    refused = delete(one, card, looked)
    assert now(card).title == "Theirs"
    assert (
        "Nothing was deleted. Look again: since you looked, this was changed: title (by toor)"
        in refused.text
    )
    delete(one, card, refused.request["QUERY_STRING"])
    assert not Card.objects.filter(pk=card.pk).exists()


def test_what_goes_along_is_looked_at_too(people, one, card):
    looked = seen(one, card)
    Comment.objects.create(card=card, author=people.grace, text="Not yet!")
    refused = delete(one, card, looked)
    assert Card.objects.filter(pk=card.pk).exists()
    assert "deleted along with it has changed" in refused.text


def test_a_delete_that_says_no_revision_deletes_nothing(one, card):
    refused = delete(one, card, "")
    assert "Nothing was deleted" in refused.text
    assert Card.objects.filter(pk=card.pk).exists()


def test_who_may_not_delete_is_told_so(people, card):
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(f"{LIST}{card.pk}/delete/").status_code == 403


# Deleting many


def select(client: Client, form: Data, *cards: Card) -> Any:
    return client.post(LIST, {
        "action": "delete_selected", "index": "0", "sync_seen": form["sync_seen"],
        "_selected_action": [str(card.pk) for card in cards],
    })  # fmt: skip


def test_many_are_deleted_and_noted(one, card):
    asked = select(one, opened(one, LIST), *Card.objects.all())
    assert "Are you sure" in asked.text
    assert one.post(LIST, form_in(asked.text)).status_code == 302
    assert not Card.objects.exists()
    assert MutationResult.objects.filter(op="delete", user__username="root").count() == 3


def test_w1_what_changed_since_the_list_was_shown_is_named(one, two, card):
    shown = opened(one, LIST)
    save(two, card, opened(two, page(card)), title="Theirs")
    asked = select(one, shown, *Card.objects.all())
    assert "Theirs: since you looked, this was changed: title (by toor)." in asked.text
    # That was said, and a yes to it is a yes.
    assert one.post(LIST, form_in(asked.text)).status_code == 302
    assert not Card.objects.exists()


def test_w1_what_changed_since_it_was_confirmed_is_not_deleted(one, two, card):
    asked = select(one, opened(one, LIST), *Card.objects.all())
    save(two, card, opened(two, page(card)), title="Theirs")
    refused = one.post(LIST, form_in(asked.text))
    assert refused.status_code == 200
    assert "Theirs: since you looked, this was changed: title (by toor)." in refused.text
    assert Card.objects.count() == 3
    assert one.post(LIST, form_in(refused.text)).status_code == 302
    assert not Card.objects.exists()


def test_what_goes_along_with_many_is_looked_at_too(people, one, card):
    asked = select(one, opened(one, LIST), card)
    Comment.objects.create(card=card, author=people.grace, text="Not yet!")
    refused = one.post(LIST, form_in(asked.text))
    assert "What would be deleted is not what you were shown." in refused.text
    assert Card.objects.filter(pk=card.pk).exists()


def test_a_projects_own_delete_stays(one, monkeypatch):
    def delete_selected(modeladmin, request, queryset):
        return None

    monkeypatch.setattr(CardAdmin, "actions", [delete_selected])
    found = CardAdmin(Card, admin.site).get_actions(
        SimpleNamespace(GET={}, user=User.objects.get(username="root"))
    )
    entry = found["delete_selected"]
    assert getattr(entry, "func", None) is delete_selected or entry[0] is delete_selected


# An object that is gone


def test_what_was_typed_for_an_object_that_is_gone_is_shown_and_can_be_saved(one, two, card):
    mine = opened(one, page(card))
    delete(two, card, seen(two, card))
    shown = save(one, card, mine, title="Mine", votes="4")
    assert shown.status_code == 200
    assert "was deleted by toor" in shown.text
    told = {o.label: (o.base, o.yours) for o in shown.context["overlaps"]}
    assert told == {"Title": ("A card of Launch", "Mine"), "Votes": ("0", "4")}
    assert not Card.objects.filter(title="Mine").exists()
    assert one.post(page(card), with_values(form_in(shown.text), _saveasnew="1")).status_code == 302
    again = Card.objects.get(title="Mine")
    assert (again.votes, again.sync_id == card.sync_id) == (4, False)


def test_a_board_that_is_gone_can_be_saved_with_its_rows(one, people):
    board = people.launch
    url = page(board)
    mine = opened(one, url)
    board.delete()
    shown = one.post(url, with_values(mine, name="Mine"))
    assert one.post(url, with_values(form_in(shown.text), _saveasnew="1")).status_code == 302
    assert Membership.objects.filter(board__name="Mine").count() == 2


def test_who_may_not_add_is_not_offered_to(people, card):
    client = clerk("boards.change_card")
    url = page(card)
    mine = opened(client, url)
    card.delete()
    shown = client.post(url, with_values(mine, title="Mine"))
    assert "Mine" in shown.text
    assert "_saveasnew" not in shown.text

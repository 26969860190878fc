"""A pull that finds nothing asks the feed once, and says what the long way would say.

The short way is ``pull._visibility_if_nothing_new``. Where it does not apply the pull goes on in a
snapshot; with it switched off, each pull does.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from django_sync import errors
from django_sync.drf.caller import Caller
from django_sync.drf.registry import registry
from django_sync.feed import log as feed_log
from django_sync.feed import pull, sequencer
from django_sync.feed.cursor import Cursor, open_sealed, seal
from django_sync.maintenance import retention
from django_sync.models import Feed, Generation, ScopeSet
from example_project.boards.models import Board, Card, Membership
from tests.access_app import registered
from tests.access_app.models import Notice
from tests.integration.conftest import make_people
from tests.replica import Replica

SECRET = "for members"


@pytest.fixture
def replica(boards: SimpleNamespace) -> Replica:
    found = Replica(boards.alan)
    found.pull()
    return found


@contextlib.contextmanager
def told() -> Iterator[list[str]]:
    """The statements of a block, with what begins and ends transactions."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [query["sql"] for query in captured.captured_queries]


def before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], Any]) -> None:
    """Do something once, right before a function runs."""
    function, waiting = getattr(owner, name), [act]

    def late(*args: Any, **kwargs: Any) -> Any:
        while waiting:
            waiting.pop()()
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, late)


def opened(replica: Replica) -> Cursor:
    return pull.open_cursor(Caller.for_user(replica.user), str(replica.cursor))


def give(replica: Replica, cursor: Cursor) -> None:
    replica.cursor = pull.seal_cursor(Caller.for_user(replica.user), cursor)


# What it costs


def test_one_statement_and_the_projects_own(replica):
    """No transaction is begun. Four collections ask for their scopes by one query."""
    replica.page()
    with told() as statements:
        page = replica.page()
    assert (page.changes, page.has_more) == ((), False)
    assert len(statements) == 2
    asked = "django_sync_overview(" if connection.vendor == "postgresql" else "django_sync_outbox"
    assert asked in statements[0]
    assert "boards_membership" in statements[1]


def test_over_http_authentication_comes_on_top(boards):
    token = Token.objects.create(user=boards.alan)
    client = APIClient(headers={"authorization": f"Token {token.key}"})
    cursor = client.get("/sync/changes/").json()["cursor"]
    with told() as statements:
        answer = client.get("/sync/changes/", {"cursor": cursor}).json()
    assert answer == {
        "changes": [],
        "cursor": cursor,
        "has_more": False,
        "epoch": str(Feed.objects.get().epoch),
    }
    looked = [sql for sql in statements if "django_sync_order" not in sql]  # once a second
    assert len(looked) == 3
    assert "authtoken_token" in looked[0]


def test_a_query_for_scopes_that_has_parameters_of_its_own_is_run(boards, monkeypatch):
    """Collections whose queries differ only in a parameter are asked each."""
    from example_project.boards import api

    def scopes(self: Any) -> Any:
        mine = Board.objects.visible_to(self.request.user)
        if isinstance(self, api.CardViewSet):
            mine = mine.filter(name="Research")
        elif isinstance(self, api.LabelViewSet):
            mine = mine.filter(name="Launch")
        return mine.values_list("sync_id", flat=True)

    monkeypatch.setattr(api.BoardScoped, "get_scopes", scopes)
    caller = Caller.for_user(boards.ada)
    seen = pull.current_visibility(caller, None).scopes
    assert seen["cards"] == {str(boards.research.sync_id)}
    assert seen["labels"] == {str(boards.launch.sync_id)}
    assert seen["boards"] == seen["comments"] == seen["cards"] | seen["labels"]


def test_a_write_that_opens_a_scope_has_the_query_run_anew(boards):
    caller = Caller.for_user(boards.alan)
    cards, labels = (registry.get(name) for name in ("cards", "labels"))
    before = cards.scopes(caller)
    assert labels.scopes(caller) == before
    Membership.objects.create(board=boards.research, user=boards.alan, role="viewer")
    opened = str(boards.research.sync_id)
    assert cards.sees_scope(caller, opened)
    assert labels.sees_scope(caller, opened)


# Between the statement and the scopes


def test_a_change_in_between_comes_with_the_next_pull(boards, replica, monkeypatch):
    card = Card.objects.filter(board=boards.launch)
    before(monkeypatch, pull, "current_visibility", lambda: card.update(title="changed"))
    assert replica.page().changes == ()
    (change,) = replica.page().changes
    assert change.record.object["title"] == "changed"


def test_a_revocation_in_between_is_carried_out(boards, replica, monkeypatch):
    mine = Membership.objects.filter(user=boards.alan)
    before(monkeypatch, pull, "current_visibility", mine.delete)
    page = replica.page()
    assert {(change.op, change.collection) for change in page.changes} >= {("drop", "cards")}
    assert str(boards.launch.sync_id) not in {r.scope for r in replica.records.values()}


def test_g7_scopes_of_before_the_snapshot_are_not_used_in_it(boards, replica, monkeypatch):
    """Granted when it was looked at, revoked and written to before the snapshot."""
    granted = Membership.objects.create(board=boards.research, user=boards.alan, role="viewer")
    cards = Card.objects.filter(board=boards.research)

    def revoke() -> None:
        granted.delete()
        cards.update(title=SECRET)

    before(monkeypatch, feed_log, "snapshot", revoke)
    replica.pull()
    assert SECRET not in repr(replica.log)
    assert str(boards.research.sync_id) not in {r.scope for r in replica.records.values()}


def test_g7_nor_are_permissions_that_django_keeps_at_the_user(
    transactional_db, as_it_was, monkeypatch
):
    registered.register_all()
    ada, crew = User.objects.create_user("ada"), Group.objects.create(name="Crew")
    ada.groups.add(crew)
    notices = Notice.objects.filter(pk=Notice.objects.create(group=crew, text="for all").pk)
    replica = Replica(ada, ("notices",))
    replica.pull()
    crew.permissions.add(
        Permission.objects.get(
            codename="view_notice", content_type__app_label=Notice._meta.app_label
        )
    )

    def revoke() -> None:
        crew.permissions.clear()
        notices.update(text=SECRET)

    before(monkeypatch, feed_log, "snapshot", revoke)
    replica.user = User.objects.get(pk=ada.pk)
    replica.page()
    assert SECRET not in repr(replica.log)


# Where it does not apply


def test_a_cursor_of_a_former_epoch_expires(replica):
    give(replica, replace(opened(replica), epoch="01900000-0000-7000-8000-000000000000"))
    with pytest.raises(errors.CursorExpired):
        replica.page()


def test_a_cursor_of_another_history_begins_an_epoch(replica):
    place = opened(replica)
    give(replica, replace(place, mark=place.mark ^ 1))
    with pytest.raises(errors.CursorExpired):
        replica.page()
    assert str(Feed.objects.get().epoch) != place.epoch


def test_a_cursor_below_the_floor_expires(replica):
    Feed.objects.update(floor=opened(replica).position + 1)
    with pytest.raises(errors.CursorExpired):
        replica.page()


def test_a_gap_sends_the_collection_anew(replica):
    Generation.objects.update_or_create(model="boards.card", defaults={"value": 7})
    assert "begin" in {change.op for change in replica.page().changes}


def test_once_a_day_the_view_is_noted(replica):
    """Else it would be pruned while its cursors are in use."""
    yesterday = pull.today() - 1
    ScopeSet.objects.update(used_on=datetime.date.fromordinal(yesterday))
    give(replica, replace(opened(replica), noted=yesterday))
    assert replica.page().changes == ()
    assert opened(replica).noted == pull.today()
    used = ScopeSet.objects.get(digest=opened(replica).goal).used_on
    assert used.toordinal() == pull.today()


def test_a_place_that_was_held_is_let_go(replica):
    give(replica, replace(opened(replica), held=1))
    assert replica.page().changes == ()
    assert opened(replica).held == 0


def test_a_cursor_under_a_key_that_goes_is_sealed_anew(replica, settings):
    """Whoever only polls would else hold it until the key is gone, and begin again."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    place = opened(replica)
    assert replica.page().changes == ()
    settings.SECRET_KEY_FALLBACKS = []
    assert opened(replica) == place


def test_in_an_open_transaction_it_sees_what_that_wrote(boards, replica):
    with transaction.atomic():
        assert replica.page().changes == ()
        Card.objects.filter(board=boards.launch).update(title="written")
        assert [c.record.object["title"] for c in replica.page().changes] == ["written"]


def test_only_the_string_that_was_sealed_is_a_cursor():
    cursor = Cursor("e", 1, 1, "d", "d")
    text = seal(cursor, user="1", secret="s")
    assert open_sealed(text, user="1", secrets=["s"]) == cursor
    for other in (f"{text}=", f" {text}", text[:9] + "\n" + text[9:], text + "!"):
        with pytest.raises(errors.InvalidCursor):
            open_sealed(other, user="1", secrets=["s"])


# Both ways say the same

ACTS = ("write", "others", "grant", "revoke", "gap", "prune", "nothing", "nothing", "page")


def carry_out(act: str, people: SimpleNamespace) -> None:
    match act:
        case "write":
            Card.objects.create(board=people.launch, title="x")
        case "others":
            Card.objects.create(board=people.private, title="x")
        case "grant":
            Membership.objects.get_or_create(
                board=people.private, user=people.ada, defaults={"role": "viewer"}
            )
        case "revoke":
            Membership.objects.filter(user=people.ada).delete()
        case "gap":
            Generation.objects.create(model=f"boards.{len(Generation.objects.all())}")
        case "prune":
            sequencer.sequence()
            retention.prune(days=0)


@pytest.mark.django_db
@tried(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=8), limit=st.sampled_from([2, 99]))
def test_the_short_way_says_what_the_long_way_says(acts, limit):
    with transaction.atomic():
        people = make_people()
        short, long = (Replica(people.ada, limit=limit) for _ in range(2))
        for act in ("page", *acts):
            carry_out(act, people)
            assert step(short) == step_without(long)
            assert short.records == long.records
        transaction.set_rollback(True)


def step(replica: Replica) -> object:
    """What a page brings, and the place behind it; an error's code where it was refused."""
    try:
        page = replica.page()
    except errors.CursorExpired as error:
        replica.cursor = None
        return error.code
    return page.changes, page.has_more, page.epoch, replace(opened(replica), held=0)


def step_without(replica: Replica) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pull, "_visibility_if_nothing_new", lambda *args: None)
        return step(replica)

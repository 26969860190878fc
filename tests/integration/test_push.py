"""The dispatcher and its deliveries: who is woken, when, how often, and what is never lost."""

from __future__ import annotations

import datetime
import itertools
import json
import logging
import uuid
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_sync import engine
from django_sync.conf import SETTINGS
from django_sync.drf.caller import Caller
from django_sync.feed import log as feed_log
from django_sync.feed import notify, sequencer
from django_sync.maintenance import retention
from django_sync.models import Change, Endpoint, Feed, PushCursor, PushScope, PushUser, SyncSession
from django_sync.push import delivery, dispatcher, endpoints, locmem, visibility_refresh
from django_sync.push.delivery import Claim, Done, awake_until
from django_sync.push.sender import Outcome, Receipt
from django_sync.sessions import directives
from example_project.boards.models import Board, Card, Membership

LOCMEM = "django_sync.push.locmem.Locmem"
NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def memory(settings):
    settings.DJANGO_SYNC = {"PUSH_SENDERS": {"webhook": LOCMEM, "webpush": LOCMEM}}
    locmem.clear()
    yield
    locmem.clear()


@pytest.fixture
def clock(db):
    with time_machine.travel(NOW, tick=False) as travelled:
        yield travelled


def asleep(user: Any, kind: str = "webhook", **members: Any) -> SyncSession:
    """A session of a client that is in the background, with an endpoint."""
    body = {
        "client_id": str(uuid.uuid4()),
        "transports": ["poll"],
        "foreground": False,
        "push": {"kind": kind, "of": user.username},
        **members,
    }
    return engine.open_session(Caller.for_user(user), body).session


def endpoint(session: SyncSession) -> Endpoint:
    return Endpoint.objects.get(session=session)


def sent() -> list[tuple[uuid.UUID, list[str]]]:
    found = [(one.wake.session, sorted(one.wake.collections)) for one in locmem.sent]
    locmem.sent.clear()
    return found


def a_round(clock: Any = None, seconds: float = 2) -> list[tuple[uuid.UUID, list[str]]]:
    """Note what is new, let the window pass, send."""
    dispatcher.note_news()
    if clock is not None:
        clock.shift(seconds)
    delivery.send_all()
    return sent()


def write(board: Board, title: str = "New") -> Card:
    return Card.objects.create(board=board, title=title)


# Who


def test_who_sees_the_scope_is_woken_and_nobody_else(people, clock):
    ada, grace, alan = map(asleep, (people.ada, people.grace, people.alan))
    write(people.research)  # Ada's and Grace's
    assert sorted(a_round(clock)) == sorted([(ada.id, ["cards"]), (grace.id, ["cards"])])
    write(people.private)
    assert a_round(clock) == [(alan.id, ["cards"])]
    assert a_round(clock) == []


def test_a_wake_up_names_the_collections_that_changed_and_that_it_follows(people, clock):
    every = asleep(people.ada)
    some = asleep(people.ada, collections=["boards", "labels"])
    write(people.launch)
    assert a_round(clock) == [(every.id, ["cards"])]
    Board.objects.filter(pk=people.launch.pk).update(name="Lunch")
    write(people.launch)
    assert sorted(a_round(clock)) == sorted(
        [(every.id, ["boards", "cards"]), (some.id, ["boards"])]
    )


def test_what_no_orm_wrote_wakes_as_well(people, clock):
    session = asleep(people.ada)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE boards_card SET title = 'By hand' WHERE board_id = %s", [people.launch.pk]
        )
    assert a_round(clock) == [(session.id, ["cards"])]


def test_what_was_before_the_first_endpoint_wakes_nobody(people, clock):
    asleep(people.ada)
    assert a_round(clock) == []


def test_users_are_found_by_an_index_and_not_by_looking_at_all(people, clock):
    """As many queries for two hundred others as for one, and an index in the plan."""
    asleep(people.ada)
    a_round(clock)
    write(people.launch)
    with CaptureQueriesContext(
        connection,
    ) as few:
        dispatcher.note_news()
    a_round(clock)
    crowd(200)
    write(people.launch)
    with CaptureQueriesContext(connection) as many:
        dispatcher.note_news()
    assert len(many) == len(few)
    if connection.vendor == "sqlite":
        selects = [q["sql"] for q in many if q["sql"].startswith("SELECT")]
        (asked,) = [sql for sql in selects if "pushscope" in sql]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
            plan = [row[3] for row in cursor.fetchall()]
        assert not [line for line in plan if line.startswith("SCAN")], plan


def crowd(count: int) -> None:
    """Others with endpoints, each of whom sees a board of their own."""
    from django.contrib.auth.models import User

    from django_sync.models import Client

    users = User.objects.bulk_create(User(username=f"u{n}") for n in range(count))
    now = timezone.now()
    PushUser.objects.bulk_create(PushUser(user=user, looked_at=now) for user in users)
    PushScope.objects.bulk_create(
        PushScope(user_id=u.pk, scope=str(uuid.uuid4()), collections="cards") for u in users
    )
    clients = Client.objects.bulk_create(Client(id=uuid.uuid4(), user=user) for user in users)
    sessions = SyncSession.objects.bulk_create(
        SyncSession(
            id=uuid.uuid4(),
            user=c.user,
            client=c,
            transport="poll",
            foreground=False,
            opened_at=now,
            seen_at=now,
        )
        for c in clients
    )
    Endpoint.objects.bulk_create(
        Endpoint(session=s, user_id=s.user_id, kind="webhook", target={}, created_at=now)
        for s in sessions
    )


# When


def test_fifty_writes_in_a_window_are_one_wake_up(people, clock):
    session = asleep(people.ada)
    for number in range(50):
        write(people.launch, str(number))
        clock.shift(0.03)
        dispatcher.note_news()
        delivery.send_all()
    clock.shift(0.6)
    assert a_round() == [(session.id, ["cards"])]
    assert a_round(clock, 60) == []


def test_no_two_within_a_window(people, clock):
    asleep(people.ada)
    times = []
    for _ in range(70):
        write(people.launch)
        dispatcher.note_news()
        delivery.send_all()
        times += [timezone.now() for _ in sent()]
        clock.shift(0.3)
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
    assert len(gaps) >= 5
    assert min(gaps) >= 2


def test_what_is_noted_while_one_is_under_way_is_sent_after_it(people, clock, monkeypatch):
    session = asleep(people.ada)
    write(people.launch)
    dispatcher.note_news()
    clock.shift(2)
    said = []

    def meanwhile(self, target, wake):
        said.append(wake)
        return Receipt(Outcome.SENT)

    claimed = delivery._claimed()
    write(people.launch)
    dispatcher.note_news()
    monkeypatch.setattr(delivery, "_claimed", lambda: claimed)
    delivery.deliver()
    monkeypatch.undo()
    assert len(sent()) == 1
    delivery.send_all()
    assert sent() == [], "a window lies between"
    clock.shift(2)
    delivery.send_all()
    assert [id for id, _ in sent()] == [session.id]


def test_clocks_of_two_machines_differ(people, clock):
    """The dispatcher takes the window for open still, and a worker has the row already."""
    session = asleep(people.ada)
    write(people.launch)
    dispatcher.note_news()
    clock.shift(2)
    delivery._claimed()
    clock.shift(-0.5)
    write(people.launch)
    dispatcher.note_news()
    row = endpoint(session)
    assert row.asked > row.taken


def test_news_for_one_that_is_due_is_not_written_again(people, clock):
    asleep(people.ada)
    write(people.launch)
    dispatcher.note_news()
    write(people.launch)
    with CaptureQueriesContext(connection) as asked:
        dispatcher.note_news()
    assert not [q for q in asked if q["sql"].startswith('UPDATE "django_sync_endpoint"')]


# Live sessions


def live(user: Any, clock: Any) -> SyncSession:
    session = asleep(user, foreground=True)
    SyncSession.objects.filter(id=session.id).update(transport="websocket")
    return session


def heard_of(session: SyncSession) -> None:
    SyncSession.objects.filter(id=session.id).update(seen_at=timezone.now())


def test_a_live_session_is_not_woken(people, clock):
    session = live(people.ada, clock)
    write(people.launch)
    assert a_round(clock) == []
    clock.shift(100)
    heard_of(session)
    clock.shift(78)
    delivery.send_all()
    assert (sent(), endpoint(session).due_at) == ([], None), "it was heard of after the change"


def test_one_that_died_unnoticed_is_woken_when_it_counts_as_idle(people, clock):
    session = live(people.ada, clock)
    clock.shift(1)
    write(people.launch)
    assert a_round(clock) == []
    clock.shift(176)
    delivery.send_all()
    assert sent() == []
    clock.shift(1)
    delivery.send_all()
    assert [id for id, _ in sent()] == [session.id]


def test_g1_a_change_while_it_is_waited_for_is_not_taken_for_heard(people, clock):
    """Heard of after the first change, not after the second: it is woken."""
    session = live(people.ada, clock)
    write(people.launch)
    a_round(clock)
    clock.shift(20)
    heard_of(session)
    clock.shift(1)
    write(people.launch)
    dispatcher.note_news()
    clock.shift(180)
    delivery.send_all()
    assert [id for id, _ in sent()] == [session.id]


@pytest.mark.parametrize(
    ("transport", "idle"), [("websocket", 180), ("sse", 180), ("long-poll", 240), ("poll", 900)]
)
def test_what_counts_as_live(people, clock, transport, idle):
    """As everybody is told: nobody is idle on one page and live on another."""
    session = SyncSession(transport=transport, seen_at=NOW, foreground=True)
    assert awake_until(session) == NOW + idle * SECOND
    session.foreground = False
    assert awake_until(session) is None


def test_a_session_that_is_pushed_to_is_never_live():
    assert awake_until(SyncSession(transport="push", seen_at=NOW, foreground=True)) is None


def test_a_socket_that_is_noted_as_seldom_as_may_be_is_not_woken():
    """What is noted of a connection that lives comes once in ``SEEN_SECONDS``, not at each beat."""
    shortest = min(SETTINGS["IDLE_SECONDS"].default.values())
    assert shortest > SETTINGS["SEEN_SECONDS"].default + 2 * SETTINGS["HEARTBEAT"].default


@pytest.mark.parametrize("whole", [True, False])
def test_who_is_blocked_is_not_woken_and_keeps_their_endpoint(people, clock, whole):
    session, other = asleep(people.ada), asleep(people.ada)
    directives.block(**({"user": people.ada} if whole else {"client": session.client_id}))
    write(people.launch)
    assert [id for id, _ in a_round(clock)] == ([] if whole else [other.id])
    assert endpoint(session).due_at is None
    directives.unblock(**({"user": people.ada} if whole else {"client": session.client_id}))
    write(people.launch)
    assert sorted(id for id, _ in a_round(clock)) == sorted([session.id, other.id])


# Failure


def test_failures_are_tried_again_after_growing_pauses_and_parked_then(people, clock, settings):
    settings.DJANGO_SYNC = settings.DJANGO_SYNC | {"PUSH_ATTEMPTS": 4}
    session = asleep(people.ada)
    locmem.answers.extend([Receipt(Outcome.RETRY, 503, "503 busy")] * 9)
    write(people.launch)
    a_round(clock)
    for failures, most in ((1, 5), (2, 10), (3, 20)):
        row = endpoint(session)
        assert (row.failures, row.problem, row.parked_at) == (failures, "503 busy", None)
        assert timezone.now() <= row.due_at <= timezone.now() + most * SECOND
        clock.move_to(row.due_at)
        delivery.send_all()
        assert len(sent()) == 1
    row = endpoint(session)
    assert (row.parked_at, row.failures) == (timezone.now(), 4)
    write(people.launch)
    clock.shift(datetime.timedelta(days=1))
    assert a_round(clock) == []


def test_what_comes_while_it_pauses_waits_with_it(people, clock):
    session = asleep(people.ada)
    locmem.answers.append(Receipt(Outcome.RETRY, 429, "429", retry_after=100))
    write(people.launch)
    a_round(clock)
    due = endpoint(session).due_at
    assert 100 <= (due - timezone.now()).total_seconds() <= 105
    Board.objects.filter(pk=people.launch.pk).update(name="Lunch")
    assert a_round(clock, 50) == []
    assert endpoint(session).due_at == due
    clock.move_to(due)
    delivery.send_all()
    assert sent() == [(session.id, ["boards", "cards"])]
    row = endpoint(session)
    assert (row.failures, row.problem, row.due_at) == (0, "", None)


def test_a_service_that_asks_for_a_year_gets_an_hour(people, clock):
    session = asleep(people.ada)
    locmem.answers.append(Receipt(Outcome.RETRY, 503, "503", retry_after=3.2e7))
    write(people.launch)
    a_round(clock)
    assert 3600 <= (endpoint(session).due_at - timezone.now()).total_seconds() <= 3605


def test_a_refusal_is_parked_at_once(people, clock):
    session = asleep(people.ada)
    locmem.answers.append(Receipt(Outcome.REFUSED, 403, "403 no\0"))
    write(people.launch)
    a_round(clock)
    row = endpoint(session)
    assert row.parked_at is not None
    assert row.problem == "403 no\ufffd"


def test_what_is_gone_is_dropped_and_its_session_stays(people, clock):
    session = asleep(people.ada)
    locmem.answers.append(Receipt(Outcome.GONE, 410, "410"))
    write(people.launch)
    a_round(clock)
    assert not Endpoint.objects.exists()
    assert SyncSession.objects.filter(id=session.id, ended_at=None).exists()


def test_a_sender_that_raises_holds_up_nobody(people, clock, monkeypatch, caplog):
    ada, grace = asleep(people.ada, kind="webpush"), asleep(people.grace)

    class Faulty(locmem.Locmem):
        def send(self, target, wake):
            if self.kind == "webpush":
                raise ZeroDivisionError("secret")
            return super().send(target, wake)

    monkeypatch.setattr(locmem, "Locmem", Faulty)
    endpoints._made.cache_clear()
    write(people.launch)
    with caplog.at_level(logging.CRITICAL, "django_sync.push"):
        found = a_round(clock)
    endpoints._made.cache_clear()
    assert [id for id, _ in found] == [grace.id]
    row = endpoint(ada)
    assert (row.failures, row.problem) == (1, "ZeroDivisionError in the sender")


def test_a_kind_that_nobody_sends_any_more_is_parked(people, clock, settings):
    session = asleep(people.ada, kind="webpush")
    write(people.launch)
    settings.DJANGO_SYNC = {"PUSH_SENDERS": {"webhook": LOCMEM}}
    assert a_round(clock) == []
    assert "webpush" in endpoint(session).problem


def test_an_inactive_user_gets_none(people, clock):
    asleep(people.ada)
    write(people.launch)
    type(people.ada).objects.filter(pk=people.ada.pk).update(is_active=False)
    assert a_round(clock) == []
    assert not Endpoint.objects.exists()


def test_each_attempt_is_logged_with_its_session_and_no_secret(people, clock, caplog):
    session = asleep(people.ada, push={"kind": "webhook", "secret": "hush hush"})
    locmem.answers.append(Receipt(Outcome.RETRY, 503, "503 busy"))
    write(people.launch)
    with caplog.at_level(logging.INFO, "django_sync.push"):
        a_round(clock)
        clock.shift(10)
        delivery.send_all()
    failed, done = (r for r in caplog.records if hasattr(r, "outcome"))
    for record, outcome, status, attempt in ((failed, "retry", 503, 1), (done, "sent", None, 2)):
        assert (record.session, record.kind, record.outcome) == (
            str(session.id),
            "webhook",
            outcome,
        )
        assert (record.status, record.attempt) == (status, attempt)
        assert record.seconds >= 0
        assert "hush" not in str(vars(record))


# Workers that die, and several at a time


def test_a_claim_that_nobody_settles_expires(people, clock):
    session = asleep(people.ada)
    write(people.launch)
    dispatcher.note_news()
    clock.shift(2)
    assert len(delivery._claimed()[1]) == 1  # and dies
    clock.shift(60)
    delivery.send_all()
    assert sent() == []
    clock.shift(1)
    delivery.send_all()
    assert [id for id, _ in sent()] == [session.id]


def test_who_lost_the_claim_settles_nothing(people, clock):
    session = asleep(people.ada)
    write(people.launch)
    dispatcher.note_news()
    clock.shift(2)
    late, rows = delivery._claimed()
    clock.shift(61)
    delivery._claimed()
    before = Endpoint.objects.values().get()
    claim = Claim(late, 0.0)
    for outcome in Outcome:
        claim.settle([Done(rows[0], Receipt(outcome, 500), 0.1)])
    claim.release(rows)
    claim.postpone(rows[0], timezone.now())
    assert Endpoint.objects.values().get() == before
    assert endpoint(session).claim != late


def test_no_attempt_begins_that_could_outlast_the_claim(people, clock, settings):
    settings.DJANGO_SYNC = settings.DJANGO_SYNC | {"PUSH_LEASE": 15, "PUSH_TIMEOUT": 10}
    session = asleep(people.ada)
    write(people.launch)
    dispatcher.note_news()
    clock.shift(2)
    delivery.deliver()
    assert sent() == []
    row = endpoint(session)
    assert (row.claim, row.claimed_until) == (None, None)
    assert row.due_at <= timezone.now()


def test_the_cursor_moves_with_what_it_notes(people, clock, monkeypatch):
    session = asleep(people.ada)
    write(people.launch)
    before = PushCursor.objects.get().position

    def dies(*args: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(dispatcher, "_move", dies)
    with pytest.raises(SystemExit):
        dispatcher.dispatch()
    assert endpoint(session).due_at is None
    assert PushCursor.objects.get().position == before
    monkeypatch.undo()
    assert [id for id, _ in a_round(clock)] == [session.id]


def test_page_by_page(people, clock, settings):
    settings.DJANGO_SYNC = settings.DJANGO_SYNC | {"SEQUENCE_BATCH": 3}
    ada, grace = asleep(people.ada), asleep(people.grace)
    for number in range(10):
        write(people.launch if number % 2 else people.research, str(number))
    assert dispatcher.note_news() == 8, "two endpoints in each of four pages"
    assert PushCursor.objects.get().position == feed_log.state()[0].head
    clock.shift(2)
    delivery.send_all()
    assert sorted(sent()) == sorted([(ada.id, ["cards"]), (grace.id, ["cards"])])


@pytest.mark.parametrize("how", ["pruned", "restored", "another epoch"])
def test_where_its_place_is_gone_all_are_woken(people, clock, caplog, how):
    session = asleep(people.ada)
    alan = asleep(people.alan)
    cursor = PushCursor.objects.filter(id=1)
    write(people.private)
    sequencer.sequence()
    if how == "pruned":
        cursor.update(position=0, mark=0)
        with time_machine.travel(NOW + datetime.timedelta(days=20)):
            retention.prune(days=1)
        assert Feed.objects.get().floor > 0
    elif how == "restored":
        cursor.update(mark=12345)
    else:
        cursor.update(epoch=uuid.uuid4())
    with caplog.at_level(logging.CRITICAL):
        dispatcher.note_news()
    clock.shift(2)
    delivery.send_all()
    assert {id for id, _ in sent()} == {session.id, alan.id}
    assert a_round(clock) == []


# What users see by now


def test_a_new_member_is_woken_when_it_is_looked_at_again(people, clock):
    session = asleep(people.ada)
    a_round(clock)
    Membership.objects.create(board=people.private, user=people.ada, role="viewer")
    write(people.private)
    assert a_round(clock) == []
    clock.shift(900)
    assert [id for id, _ in a_round(clock)] == [session.id]
    write(people.private)
    assert [id for id, _ in a_round(clock)] == [session.id]


def test_invalidate_has_it_looked_at_at_once(people, clock, django_capture_on_commit_callbacks):
    notify.listen(endpoints.refresh_soon)
    session = asleep(people.ada)
    Membership.objects.filter(board=people.research, user=people.ada).delete()
    with django_capture_on_commit_callbacks(execute=True):
        notify.invalidate(people.ada)
    assert [id for id, _ in a_round(clock)] == [session.id], "the scope leaves its replica"
    write(people.research)
    assert a_round(clock) == [], "what goes on there is none of theirs any more"


def test_project_code_that_fails_holds_up_nobody(people, clock, monkeypatch, caplog):
    asleep(people.ada)
    grace = asleep(people.grace)
    PushUser.objects.update(looked_at=None)
    current_visibility = visibility_refresh.current_visibility

    def failing(caller: Caller, collections: Any) -> Any:
        if caller.user == people.ada:
            raise ZeroDivisionError
        return current_visibility(caller, collections)

    monkeypatch.setattr(visibility_refresh, "current_visibility", failing)
    Membership.objects.create(board=people.private, user=people.grace, role="viewer")
    with caplog.at_level(logging.CRITICAL, "django_sync.push"):
        assert [id for id, _ in a_round(clock)] == [grace.id]
    PushScope.objects.filter(user_id=people.ada.pk).delete()
    monkeypatch.undo()
    assert visibility_refresh.refresh() == 0
    clock.shift(61)
    assert visibility_refresh.refresh() == 1, "it is tried again in a minute"


def test_users_without_endpoints_cost_nothing_more(people, clock):
    session = asleep(people.ada)
    endpoints.forget(session.id)
    clock.shift(1000)
    assert visibility_refresh.refresh() == 0
    assert not PushScope.objects.exists()


def test_a_user_who_sees_much(people, clock, django_assert_max_num_queries):
    """Scopes are compared and written in a few statements, whatever their number."""
    many = {str(uuid.UUID(int=n)): "cards" for n in range(3000)}
    session = asleep(people.ada)
    with django_assert_max_num_queries(16):
        assert endpoints.save_scopes(people.ada.pk, many)
    with django_assert_max_num_queries(4):
        assert not endpoints.save_scopes(people.ada.pk, many)
    with django_assert_max_num_queries(16):
        assert endpoints.save_scopes(people.ada.pk, {})
    assert endpoint(session).user.scopes.count() == 0


def test_changes_without_a_scope_wake_nobody(people, clock):
    asleep(people.ada)
    sequencer.sequence()
    head = feed_log.state()[0].head
    Change.objects.filter(position=head).update(scope=None)
    PushCursor.objects.update(position=head - 1, mark=feed_log.state(head - 1)[1])
    assert a_round(clock) == []


def test_a_long_transaction_of_another_is_not_waited_for(people, clock):
    """What is not committed has no position; it is noted when it has one."""
    session = asleep(people.ada)
    with transaction.atomic():
        write(people.launch)
    assert [id for id, _ in a_round(clock)] == [session.id]


# What monitoring is told


def told_by_status(*options: str) -> str:
    out = StringIO()
    call_command("sync_status", *options, stdout=out)
    return out.getvalue()


def test_sync_status_tells_what_push_has_to_do(people, clock):
    assert "push" not in told_by_status().split(), "nobody is to be woken"
    session = asleep(people.ada)
    asleep(people.grace)
    (kept,) = PushCursor.objects.values()
    PushCursor.objects.all().delete()
    assert "nobody looks through the feed" in told_by_status()
    PushCursor.objects.create(**kept)
    dispatcher.note_news()
    write(people.launch)
    sequencer.sequence()
    told = json.loads(told_by_status("--json"))["push"]
    assert (told["endpoints"], told["due"]) == (2, 0)
    assert told["unseen"] > 0
    dispatcher.note_news()
    clock.shift(62)
    Endpoint.objects.filter(session=session).update(failures=3)
    told = json.loads(told_by_status("--json"))["push"]
    assert told == {
        "endpoints": 2, "due": 2, "overdue": 60.0, "failing": 1, "parked": 0, "unseen": 0,
    }  # fmt: skip
    locmem.answers.extend([Receipt(Outcome.REFUSED, 403, "403 not you")] * 2)
    delivery.send_all()
    assert "0 due, the oldest for 0 s; 0 failing, 2 parked" in told_by_status()

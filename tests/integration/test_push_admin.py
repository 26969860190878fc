"""The admin's page of endpoints, and the system checks of push."""

from __future__ import annotations

import uuid
from io import StringIO

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_sync.checks import check_push
from django_sync.models import Endpoint, SyncSession
from django_sync.push import locmem
from django_sync.push.sender import Outcome, Receipt
from tests.integration.test_admin_pages import clerk, listed, shown
from tests.integration.test_push import a_round, asleep, clock, crowd, memory, sent, write  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db
URL = "/admin/django_sync/endpoint/"
EVERY = ("django_sync.view_endpoint", "django_sync.change_endpoint", "django_sync.delete_endpoint")


def asked(client, action, *endpoints, **more):
    chosen = {"action": action, "_selected_action": [one.pk for one in endpoints]}
    return client.post(URL, chosen | more, follow=True)


def act(client, action, *endpoints, **more):
    response = asked(client, action, *endpoints, **more)
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def parked(people, clock):  # noqa: F811  # imported fixtures are arguments
    session = asleep(people.ada, push={"kind": "webhook", "secret": "hush hush"})
    locmem.answers.append(Receipt(Outcome.REFUSED, 403, "403 not you"))
    write(people.launch)
    a_round(clock)
    return Endpoint.objects.get(session=session)


def test_parked_ones_are_shown_with_their_problem_and_no_secret(parked):
    staff = clerk(*EVERY)
    for page in (listed(staff, "endpoint"), listed(staff, "endpoint", state="parked")):
        assert shown(page) == [parked]
        assert "403 not you" in page.text
        assert "hush" not in page.text
    assert shown(listed(staff, "endpoint", state="due")) == []
    page = staff.get(f"{URL}{parked.pk}/change/")
    assert page.status_code == 200
    assert "403 not you" in page.text
    assert "hush" not in page.text
    assert "token" not in page.text.replace("csrfmiddlewaretoken", "")


def test_it_is_found_by_session_and_by_user(people, parked):
    staff = clerk(*EVERY)
    other = Endpoint.objects.get(session=asleep(people.grace))
    assert shown(listed(staff, "endpoint", q=str(parked.session.id))) == [parked]
    assert shown(listed(staff, "endpoint", q="grace")) == [other]
    for nobody in ("nobody", str(uuid.uuid4())):
        assert shown(listed(staff, "endpoint", q=nobody)) == []


def test_unpark_wakes(people, parked, clock):  # noqa: F811  # imported fixtures are arguments
    assert act(clerk(*EVERY), "unpark", parked) == ["Unparked 1."]
    assert a_round(clock) == [(parked.session.id, ["cards"])]
    parked.refresh_from_db()
    assert (parked.parked_at, parked.problem, parked.failures, parked.due_at) == (None, "", 0, None)


def test_a_test_push_says_what_came_of_it_and_changes_nothing(parked):
    before = Endpoint.objects.values().get()
    staff = clerk(*EVERY)
    assert act(staff, "send_test", parked) == [f"{parked.pk}: sent."]
    assert [id for id, _ in sent()] == [parked.session.id]
    locmem.answers.append(Receipt(Outcome.RETRY, 503, "503 busy"))
    assert act(staff, "send_test", parked) == [f"{parked.pk}: retry. 503 busy"]
    assert Endpoint.objects.values().get() == before


def test_many_test_pushes_at_a_time_are_refused(people):
    crowd(6)
    told = act(clerk(*EVERY), "send_test", *Endpoint.objects.all())
    assert told == ["Choose 5 at most: each may take a while."]
    assert sent() == []


def test_remove_leaves_the_session(parked):
    assert act(clerk(*EVERY), "remove", parked, confirmed="yes") == ["Removed 1."]
    assert LogEntry.objects.get().action_flag == DELETION
    assert not Endpoint.objects.exists()
    assert SyncSession.objects.filter(id=parked.session.id).exists()


def test_what_removing_would_do_is_told_before_it_is_done(parked):
    page = asked(clerk(*EVERY), "remove", parked)
    assert "This will happen" in page.text
    assert f"is not woken at {parked.host} any more" in page.text
    assert "hush" not in page.text
    assert Endpoint.objects.filter(pk=parked.pk).exists()


def test_no_more_are_removed_at_once_than_a_page_can_tell(parked, monkeypatch):
    monkeypatch.setattr("django_sync.admin.endpoints.MOST", 0)
    for confirmed in ("no", "yes"):
        told = act(clerk(*EVERY), "remove", parked, confirmed=confirmed)
        assert told == ["Choose 0 endpoints at most."]
    assert Endpoint.objects.filter(pk=parked.pk).exists()


@pytest.mark.parametrize("confirmed", ["no", "yes"])
@pytest.mark.parametrize("action", ["send_test", "unpark", "remove", "delete_selected"])
def test_who_may_only_look_changes_nothing(parked, action, confirmed):
    before = Endpoint.objects.values().get()
    staff = clerk("django_sync.view_endpoint")
    act(staff, action, parked, confirmed=confirmed)
    assert Endpoint.objects.values().get() == before
    assert sent() == []
    page = listed(staff, "endpoint")
    assert f'value="{action}"' not in page.text


def test_a_long_list_costs_as_much_as_a_short_one(people, parked):
    """And nothing is counted to its end."""
    staff = clerk(*EVERY)
    listed(staff, "endpoint")
    with CaptureQueriesContext(connection) as few:
        listed(staff, "endpoint")
    crowd(150)
    for query in ({}, {"state": "parked"}, {"state": "due"}):
        with CaptureQueriesContext(connection) as many:
            listed(staff, "endpoint", **query)
        assert len(many) <= len(few)
        counts = [q["sql"] for q in many if "COUNT(" in q["sql"]]
        assert counts
        assert all("LIMIT" in sql for sql in counts)


# Checks


def ids(settings, **given):
    settings.DJANGO_SYNC = given
    return [message.id.removeprefix("django_sync.") for message in check_push()]


def test_checks(settings):
    locmem_path, web = "django_sync.push.locmem.Locmem", "django_sync.push.webpush.WebPush"
    assert ids(settings) == []
    assert ids(settings, PUSH_SENDERS={"fcm": locmem_path}) == []
    assert ids(settings, PUSH_SENDERS={"fcm": "nowhere.Sender"}) == ["E020"]
    assert ids(settings, PUSH_SENDERS={"fcm": "pathlib.Path"}) == ["E020"]
    assert ids(settings, PUSH_SENDERS={"webpush": web}) == ["E021"]
    key = {"PUSH_VAPID_KEY": "3ehMbJb1mQ3wmK3eNMQZ0kjCkYUfxHNTNsBIv8gB1pA"}
    told = {"PUSH_SENDERS": {"webpush": web}, **key}
    assert ids(settings, **told) == ["E021"]
    assert ids(settings, **told, PUSH_VAPID_SUBJECT="mailto:a@example.org") == []
    assert ids(settings, PUSH_SENDERS={"fcm": locmem_path}, PUSH_LEASE=19) == ["E022"]
    assert ids(settings, PUSH_SENDERS={"fcm": locmem_path}, PUSH_ALLOW_PRIVATE=True) == ["W020"]


# The command


def test_sync_push_once(people, settings):
    settings.DJANGO_SYNC = settings.DJANGO_SYNC | {"PUSH_WINDOW": 1}
    session = asleep(people.ada)
    write(people.launch)
    out = StringIO()
    call_command("sync_push", "--once", stdout=out)
    assert out.getvalue() == "News for 1 endpoints; 0 due ones handled.\n"
    Endpoint.objects.update(due_at=timezone.now())
    call_command("sync_push", "--once", "--json", stdout=(told := StringIO()))
    assert '"sent": 1' in told.getvalue()
    assert sent() == [(session.id, ["cards"])]


def test_sync_push_says_where_nobody_could_send(settings):
    settings.DJANGO_SYNC = {}
    with pytest.raises(CommandError, match="PUSH_SENDERS"):
        call_command("sync_push", "--once")
    settings.DJANGO_SYNC = {"PUSH_SENDERS": {"fcm": "django_sync.push.locmem.Locmem"}}
    with pytest.raises(CommandError, match="interval"):
        call_command("sync_push", "--interval", "0")


# From the admin's sessions

SESSIONS = "/admin/django_sync/syncsession/"


def of_sessions(client, *sessions):
    chosen = {"action": "test_push", "_selected_action": [one.pk for one in sessions]}
    response = client.post(SESSIONS, chosen, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_a_session_is_sent_a_test_push(people, parked):
    staff = clerk("django_sync.view_syncsession", *EVERY)
    assert of_sessions(staff, parked.session) == [f"{parked.pk}: sent."]
    assert [id for id, _ in sent()] == [parked.session.id]
    page = staff.get(f"{SESSIONS}{parked.session.pk}/change/").text
    assert "parked since" in page
    assert 'value="test_push"' in page
    assert "hush" not in page


def test_sessions_that_cannot_be_woken_say_so(people, parked):
    staff = clerk("django_sync.view_syncsession", *EVERY)
    Endpoint.objects.all().delete()
    told = of_sessions(staff, parked.session)
    assert told == ["None of these can be woken: none has an endpoint."]
    assert 'value="test_push"' not in staff.get(f"{SESSIONS}{parked.session.pk}/change/").text


def test_who_may_not_change_endpoints_sends_no_test(people, parked):
    staff = clerk("django_sync.view_syncsession", "django_sync.view_endpoint")
    of_sessions(staff, parked.session)
    assert sent() == []
    page = staff.get(f"{SESSIONS}{parked.session.pk}/change/").text
    assert "Woken by" not in page
    assert 'value="test_push"' not in page

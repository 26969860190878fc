"""From an edit in the admin to a client that slept: every part is the real one but the vendor's."""

from __future__ import annotations

import json
import time

import pytest
from rest_framework.authtoken.models import Token

from django_sync.client import SyncClient, TokenAuth
from django_sync.models import Endpoint
from django_sync.push import rounds
from django_sync.push.http import HttpSender
from django_sync.testing.receiver import receiver
from example_project.boards.models import Card
from tests.fixtures import staff
from tests.forms import opened
from tests.integration.push_service import Browser, PushService
from tests.integration.test_admin_forms import page, save
from tests.integration.test_push_senders import KEY, SUBJECT

SETTINGS = {
    "PUSH_SENDERS": {"webpush": "django_sync.push.webpush.WebPush"},
    "PUSH_VAPID_KEY": KEY,
    "PUSH_VAPID_SUBJECT": SUBJECT,
    "PUSH_ALLOW_PRIVATE": True,
    "PUSH_WINDOW": 1,
    "TRANSPORTS": ["poll"],
}


def until(condition, what):
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.02)
    return found


@pytest.fixture
def service():
    with receiver() as listening:
        judge = PushService(f"http://127.0.0.1:{listening.port}", SUBJECT)
        listening.judge = judge.judge
        yield listening
        HttpSender.outbound.close()
    assert judge.problems == []


def test_an_edit_in_the_admin_wakes_a_client_that_sleeps(
    processes, boards, settings, service, tmp_path
):
    settings.DJANGO_SYNC = SETTINGS
    processes.server(**SETTINGS)
    browser, token = Browser(), Token.objects.create(user=boards.ada).key
    subscription = browser.subscription(service.url("/push/ada"))

    def started(**options):
        return SyncClient(
            processes.url,
            store=tmp_path / "phone.db",
            auth=TokenAuth(token),
            collections=["boards", "labels", "cards"],
            **options,
        )

    card = Card.objects.get(board=boards.launch)
    with started(push={"kind": "webpush", "subscription": subscription}) as phone:
        phone.network(foreground=False)
        phone.start()
        phone.wait_until_synced(30)
        endpoint = until(lambda: Endpoint.objects.select_related("session").first(), "it is kept")
        assert endpoint.session.foreground is False

    browser = staff("staff")
    form = opened(browser, page(card))
    assert save(browser, card, form, title="From the admin").status_code == 302

    def woken():
        rounds.note_news()
        rounds.send_all()
        return service.received

    (request,) = until(woken, "a wake-up comes")
    payload = browser.opened(request.body)
    told = {"type": "sync", "session": str(endpoint.session.id), "collections": ["cards"]}
    assert json.loads(payload) == told, "and carries no data"

    with started() as phone:  # as the phone's system starts it for a push
        cards = phone.collection("cards")
        assert cards.get(str(card.sync_id))["title"] != "From the admin"
        assert phone.wake(payload)
        phone.sync()
        assert cards.get(str(card.sync_id))["title"] == "From the admin"
        assert phone.wake(payload), "once more, late: harmless"
        assert phone.sync().changes == 0
    for _ in range(3):
        woken()
    assert len(service.received) == 1

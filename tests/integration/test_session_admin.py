"""Sessions in the admin: what is shown to whom, at what price, and what staff may order."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_sync import sync
from django_sync.admin import read_only
from django_sync.feed import sequencer
from django_sync.models import Order, SyncSession
from django_sync.sessions import presence
from tests.integration.test_admin_pages import clerk, listed, shown
from tests.integration.test_directives import BLOCKED, ENDED, Device, code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_noted")]
LIST = "/admin/django_sync/syncsession/"
ALL = ("end", "block_user", "block_client", "unblock", "refresh")
PERMISSION = {
    "end": "end",
    "block_user": "block",
    "block_client": "block",
    "unblock": "block",
    "refresh": "refresh",
}


@pytest.fixture
def device(people: SimpleNamespace) -> Device:
    told = {"name": "Ada’s phone", "platform": "ios", "version": "1.2", "collections": ["cards"]}
    device = Device(people.ada, transports=["poll"], **told)
    cursor = device.pull().json()["cursor"]
    presence.forget()
    device.pull(cursor)
    return device


def page(device: Device) -> str:
    return f"{LIST}{device.session}/change/"


def order(client: Client, name: str, *devices: Device, **more: Any) -> Any:
    chosen = [str(device.session) for device in devices]
    return client.post(LIST, {"action": name, "_selected_action": chosen, "index": 0, **more})


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# What is shown


def test_the_list_and_the_page_of_one(root, device):
    told = listed(root, "syncsession").text
    for word in ("Ada’s phone", "ios · 1.2", "poll", "live", "none"):
        assert word in told, word
    one = root.get(page(device)).text
    for word in (device.id, "cards", "version 1.2", "Open conflicts", "Order a fresh snapshot"):
        assert word in one, word
    assert device.ticket is None
    within = one[one.index('id="content"') :]
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", within)


def test_what_a_client_says_of_itself_is_text(root, people):
    device = Device(people.ada, name="<script>alert(1)</script>", platform="<b>x", version="<i>")
    for url in (LIST, page(device)):
        told = root.get(url).text
        assert "<script>alert(1)" not in told
        assert "<b>x" not in told


@pytest.mark.parametrize("state", ["live", "idle", "ended", "blocked"])
def test_by_state(root, people, state):
    devices = {name: Device(people.ada) for name in ("live", "idle", "ended")}
    devices["blocked"] = Device(people.grace)
    idle = SyncSession.objects.filter(id=devices["idle"].session)
    idle.update(seen_at=timezone.now() - timedelta(hours=1))
    sync.end(uuid.UUID(devices["ended"].session))
    sync.block(user=people.grace)
    found = listed(root, "syncsession", state=state)
    assert [str(s.id) for s in shown(found)] == [devices[state].session]
    assert f'data-state="{state}"' in found.text


def test_by_transport_platform_user_and_search(root, people, device):
    other = Device(people.grace, transports=["sse", "poll"], platform="android")
    for query in (
        {"transport": "poll"},
        {"platform": "ios"},
        {"user__exact": people.ada.pk},
        {"q": "ada"},
        {"q": device.session},
        {"q": device.id},
    ):
        assert [str(s.id) for s in shown(listed(root, "syncsession", **query))] == [device.session]
    assert len(shown(listed(root, "syncsession"))) == 2
    assert shown(listed(root, "syncsession", q="nobody")) == []
    assert other.session
    for nonsense in ({"state": "?"}, {"name__contains": "a"}):
        assert root.get(LIST, nonsense).status_code in (200, 302, 400)


def test_the_list_costs_the_same_for_few_and_many(root, people, monkeypatch):
    counts = []
    for number in (2, 60):
        for _ in range(number):
            Device(people.ada)
        SyncSession.objects.update(position=1)
        sequencer.sequence()
        with CaptureQueriesContext(connection) as captured:
            assert len(shown(listed(root, "syncsession"))) >= number
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[0] <= 12
    monkeypatch.setattr(read_only, "MOST", 10)
    with CaptureQueriesContext(connection) as captured:
        listed(root, "syncsession")
    counting = [q["sql"] for q in captured if "COUNT(" in q["sql"] and "syncsession" in q["sql"]]
    assert counting
    assert all("LIMIT 10" in sql for sql in counting), "nobody counts to the end"


def test_it_is_read_by_its_index(root, people):
    Device(people.ada)
    with CaptureQueriesContext(connection) as captured:
        listed(root, "syncsession")
    (rows,) = [q["sql"] for q in captured if "ORDER BY" in q["sql"] and "LIMIT 100" in q["sql"]][:1]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {rows}")
            plan = " ".join(str(line) for line in cursor.fetchall())
        assert "seen_at" in plan
        assert "USE TEMP B-TREE" not in plan


# Who may


def test_each_needs_its_permission(people, device):
    assert clerk().get(LIST).status_code == 403
    viewer = clerk("django_sync.view_syncsession")
    assert viewer.get(LIST).status_code == 200
    assert "Order a fresh snapshot" not in viewer.get(page(device)).text
    for name in ALL:
        order(viewer, name, device, confirmed="yes")
    assert not Order.objects.exists()
    assert SyncSession.objects.get(id=device.session).ended_at is None


@pytest.mark.parametrize("name", ALL)
def test_one_permission_opens_its_orders_alone(people, device, name):
    sync.block(client=uuid.UUID(device.id))
    one = clerk("django_sync.view_syncsession", f"django_sync.{PERMISSION[name]}_syncsession")
    text = listed(one, "syncsession").text
    offered = set(re.findall(r'<option value="(\w+)"', text))
    assert offered == {n for n in ALL if PERMISSION[n] == PERMISSION[name]}


def test_nothing_is_added_changed_or_deleted(root, device):
    assert root.get(f"{LIST}add/").status_code == 403
    assert root.post(page(device), {"name": "x"}).status_code in (200, 403)
    assert root.post(page(device).replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert SyncSession.objects.get(id=device.session).name == "Ada’s phone"


def test_a_user_who_goes_takes_their_sessions_along(root, people, device):
    sync.block(user=people.alan)
    Device(people.alan)
    path = f"/admin/auth/user/{people.alan.pk}/delete/"
    from example_project.boards.models import Board, Comment, Membership

    Comment.objects.filter(author=people.alan).delete()
    Membership.objects.filter(user=people.alan).delete()
    Board.objects.filter(owner=people.alan).delete()
    assert root.post(path, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=people.alan.pk).exists()


# What is ordered


@pytest.mark.parametrize("name", ALL)
def test_first_it_is_said_and_nothing_is_done(root, people, device, name):
    if name == "unblock":
        sync.block(user=people.ada)
    before = list(Order.objects.values_list("kind"))
    response = order(root, name, device)
    assert response.status_code == 200
    assert "This will happen" in response.text
    assert "Ada’s phone" in response.text
    assert list(Order.objects.values_list("kind")) == before
    assert SyncSession.objects.get(id=device.session).ended_at is None


def test_end(root, device):
    cursor = device.pull().json()["cursor"]
    response = order(root, "end", device, confirmed="yes")
    assert response.status_code == 302
    assert code(device.pull(cursor)) == ENDED
    assert Order.objects.get().by.username == "root"
    assert LogEntry.objects.get().object_id == device.session
    again = order(root, "end", device, confirmed="yes")
    assert again.status_code == 302
    assert "already" in said(root.get(LIST))


def test_block_and_unblock(root, people, device):
    other = Device(people.ada)
    order(root, "block_client", device, confirmed="yes")
    assert (code(device.pull()), other.pull().status_code) == (BLOCKED, 200)
    order(root, "block_user", device, other, confirmed="yes")
    assert Order.objects.filter(client__isnull=True).count() == 1, "of two sessions of one, once"
    assert code(other.pull()) == BLOCKED
    assert "is blocked since" in root.get(page(device)).text
    told = order(root, "unblock", device).text
    assert "is unblocked; client" in told
    order(root, "unblock", device, confirmed="yes")
    assert (device.pull().status_code, other.pull().status_code) == (200, 200)
    assert "nothing changes" in order(root, "unblock", device).text


def test_a_fresh_snapshot(root, device):
    cursor = device.pull().json()["cursor"]
    order(root, "refresh", device, confirmed="yes")
    assert code(device.pull(cursor)) == (410, "cursor_expired")
    assert "a fresh snapshot is ordered" in root.get(page(device)).text


def test_too_many_at_once_are_refused(root, people, monkeypatch):
    from django_sync.admin import directives

    monkeypatch.setattr(directives, "MOST", 1)
    devices = [Device(people.ada) for _ in range(2)]
    order(root, "end", *devices, confirmed="yes")
    assert not SyncSession.objects.filter(ending="server").exists()

"""What a run tries again is bounded, whatever is odd about its mutations."""

from __future__ import annotations

import pytest

from django_sync import sync
from django_sync.writes import runs
from tests.app.models import Event
from tests.integration.phone import Phone
from tests.integration.run_cases import viewset_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_it_was")]


@pytest.fixture
def tried(monkeypatch):
    """How many mutations each try of a run had."""
    sizes = []
    original = runs.Runs._carry_out_as_set

    def together(run, some):
        sizes.append(len(some))
        return original(run, some)

    monkeypatch.setattr(runs.Runs, "_carry_out_as_set", together)
    return sizes


def statuses(results):
    return [str(result.status) for result in results]


@pytest.fixture
def phone(people):
    sync.register("events", viewset_with(may_write_scope=lambda self, scope: scope != "attic"))
    return Phone(people.ada)


def test_creates_that_all_land_where_one_may_not_write_are_tried_together_once(phone, tried):
    batch = [phone.create("events", name=f"e{n}", room="attic") for n in range(30)]
    assert statuses(phone.send(*batch)) == ["rejected"] * 30
    assert tried == [30]
    assert not Event.objects.exists()


def test_moves_that_all_lead_where_one_may_not_write_are_tried_together_once(phone, tried):
    rows = [Event.objects.create(name=f"e{n}") for n in range(30)]
    rows = list(Event.objects.order_by("name"))
    batch = [
        phone.mutation("update", "events", r.pk, r.sync_revision, fields={"room": "attic"})
        for r in rows
    ]
    assert statuses(phone.send(*batch)) == ["rejected"] * 30
    assert tried == [30]
    assert set(Event.objects.values_list("room", flat=True)) == {"hall"}


def test_a_few_that_land_elsewhere_go_alone_and_the_others_together(phone, tried):
    rooms = ["attic" if n in (7, 20) else "hall" for n in range(30)]
    batch = [phone.create("events", name=f"e{n}", room=room) for n, room in enumerate(rooms)]
    wanted = ["rejected" if room == "attic" else "applied" for room in rooms]
    assert statuses(phone.send(*batch)) == wanted
    assert tried == [30, 7, 12, 9]


def test_runs_that_find_something_odd_each_time_come_to_an_end(phone, tried, monkeypatch):
    def odd(run, some):
        tried.append(len(some))
        raise runs.RunOneByOne([some[0].object_id])

    monkeypatch.setattr(runs.Runs, "_carry_out_as_set", odd)
    batch = [phone.create("events", name=f"e{n}") for n in range(30)]
    assert statuses(phone.send(*batch)) == ["applied"] * 30
    assert tried == [30, 29, 28, 27]

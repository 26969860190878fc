"""Pulls that are answered together: the same answers, from one look for all who ask."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token

from django_sync.feed import log as feed_log
from django_sync.feed import recent, sequencer, visibility
from django_sync.maintenance import retention
from django_sync.models import Feed, Hold
from django_sync.protocol import Page
from django_sync.realtime import shared_pulls
from django_sync.sessions import directives
from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests.integration.pollers import (
    Got,
    Poller,
    Site,
    change,
    create,
    holder,
    site,
    whole,
)
from tests.integration.test_long_poll import PATIENCE
from tests.replica import Replica, truth

__all__ = ["site"]


def write_of_each_kind(boards: Any) -> None:
    card = Card.objects.get(board=boards.launch)
    Card.objects.create(board=boards.launch, title="New \u2028 “ü”")
    card.labels.clear()
    Comment.objects.filter(card=card).delete()
    Label.objects.create(board=boards.research, name="later")
    gone = Card.objects.create(board=boards.launch, title="Gone")
    gone.board = boards.private
    gone.save()
    Card.objects.create(board=boards.private, title="Hidden")
    Board.objects.filter(pk=boards.launch.pk).update(name="Renamed")


@pytest.mark.parametrize("query", ["", "&collections=cards,comments", "&limit=2", "&limit=1000"])
@pytest.mark.parametrize("path", ["changes/", "live/changes/"])
def test_an_answer_is_byte_for_byte_what_the_view_says(site, ada, boards, query, path):
    async def story() -> None:
        poller = await site.poller(ada, query=query, path=path)
        await change(write_of_each_kind, boards)
        pages = 0
        more = True
        while more:
            with whole(site, 0):
                remembered = await poller.peek()
            site.forget()
            with whole(site, 1):
                said = await poller.peek()
            assert sorted_changes(remembered) == sorted_changes(said)
            assert remembered.headers == said.headers
            assert (remembered.status, len(remembered.body)) == (said.status, len(said.body))
            poller.cursor, more = said.page["cursor"], said.page["has_more"]
            pages += 1
        assert (pages > 1) == ("limit=2" in query)
        assert b"Hidden" not in remembered.body

    asyncio.run(story())


def sorted_changes(got: Got) -> Any:
    """A page, whose changes within a collection are in no certain order."""
    page = got.page
    return page | {"changes": sorted(page["changes"], key=json.dumps)}


def test_an_idle_pull_moves_past_what_concerns_others(site, ada, boards):
    async def story() -> None:
        poller = await site.poller(ada)
        before = poller.cursor
        await change(write_private, boards)
        with whole(site, 0):
            remembered = await poller.peek()
        site.forget()
        assert (await poller.peek()).body == remembered.body
        assert remembered.page["changes"] == []
        assert remembered.page["cursor"] != before

    asyncio.run(story())


def write_private(boards: Any) -> None:
    Card.objects.create(board=boards.private, title="Hidden")


def test_who_stands_further_back_is_answered_by_the_view(site, ada, boards, monkeypatch):
    monkeypatch.setattr(recent, "MOST", 3)

    async def story() -> None:
        poller, old = await site.poller(ada), await site.poller(ada, query="&collections=cards")
        site.application.pulls._reader._recent = recent.Recent(3)
        await poller.pull()
        for number in range(5):
            await change(create, boards.launch, f"{number}")
            with whole(site, 0):
                assert len((await poller.pull()).ids) == 1
        with whole(site, 1):
            assert len((await old.pull()).ids) == 5

    asyncio.run(story())


def test_many_changes_at_once_are_read_by_each_for_itself(site, ada, boards):
    async def story() -> None:
        poller = await site.poller(ada)
        site.application.pulls._reader._recent = recent.Recent(3)
        await poller.pull()
        await change(lambda: [create(boards.launch, f"{n}") for n in range(9)])
        with whole(site, 1):
            assert len((await poller.pull()).ids) == 9
        await change(create, boards.launch)
        with whole(site, 0):
            assert len((await poller.pull()).ids) == 1

    asyncio.run(story())


def test_a_restored_database_is_noticed(site, ada, boards):
    """The log goes on as another one: what is kept of the old one is worth nothing."""

    def restored() -> None:
        from django_sync.models import Change

        last = Change.objects.order_by("-position").first()
        assert last is not None
        Change.objects.filter(position=last.position).update(mark=last.mark + 1)

    async def story() -> None:
        poller = await site.poller(ada)
        await change(create, boards.launch)
        await poller.pull()
        await change(restored)
        got = await poller.pull()
        assert (got.status, got.page["code"]) == (410, "cursor_expired")

    asyncio.run(story())


def test_a_new_epoch_ends_all_cursors(site, ada):
    async def story() -> None:
        poller = await site.poller(ada)
        await change(lambda: Feed.objects.update(epoch=uuid.uuid4()))
        assert (await poller.pull()).status == 410

    asyncio.run(story())


def test_what_was_pruned_is_not_answered_from_memory(site, ada, boards):
    async def story() -> None:
        poller = await site.poller(ada)
        await change(create, boards.launch)
        await change(create, boards.launch)
        late = await site.poller(ada, query="&collections=cards")
        await change(lambda: sequencer.sequence() or retention.prune(days=0, keep=0))
        assert (await poller.pull()).status == 410
        assert (await late.pull()).status in (200, 410)

    asyncio.run(story())


def test_anothers_cursor_is_none(site, ada, grace):
    async def story() -> None:
        mine, theirs = await site.poller(ada), await site.poller(grace)
        mine.cursor = theirs.cursor
        got = await mine.pull()
        assert (got.status, got.page["code"]) == (400, "invalid_cursor")

    asyncio.run(story())


@pytest.mark.parametrize(
    "query", ["&limit=0", "&unknown=1", "&collections=nothing", "&limit=2&limit=3"]
)
def test_what_is_asked_oddly_is_answered_by_the_view(site, ada, query):
    async def story() -> None:
        poller = await site.poller(ada)
        odd = Poller(site, (ada,), query, "changes/")
        odd.cursor = poller.cursor
        for _ in range(2):
            with whole(site, 1):
                await odd.pull()

    asyncio.run(story())


class Looks:
    """Counts how often it was asked what somebody sees; while ``gate`` is shut the asker waits."""

    def __init__(self, monkeypatch: Any) -> None:
        self.count, self.gate, self.came = 0, threading.Event(), threading.Event()
        self.gate.set()
        look = visibility.current_visibility

        def counted(*args: Any) -> Any:
            self.count += 1
            self.came.set()
            assert self.gate.wait(PATIENCE)
            return look(*args)

        monkeypatch.setattr(shared_pulls, "current_visibility", counted)


@pytest.fixture
def looks(monkeypatch) -> Looks:
    return Looks(monkeypatch)


def test_one_look_serves_all_who_asked_before_it_and_none_who_asked_later(site, ada, boards, looks):
    async def story() -> None:
        poller = await site.poller(ada)
        looks.came.clear()
        looks.gate.clear()
        looks.count = 0
        first = asyncio.create_task(poller.peek())
        await asyncio.to_thread(looks.came.wait, PATIENCE)
        later = [asyncio.create_task(poller.peek()) for _ in range(50)]
        await asyncio.sleep(0)
        card = await change(create, boards.launch)
        looks.gate.set()
        with whole(site, 0):
            pages = await asyncio.gather(*later)
            await first
        assert {tuple(page.ids) for page in pages} == {(card,)}
        assert looks.count == 2

    asyncio.run(story())


def test_g7_a_look_from_before_a_membership_ended_serves_nobody_who_asks_after(
    site, boards, grace, looks
):
    async def story() -> None:
        poller = await site.poller(grace)
        looks.came.clear()
        looks.gate.clear()
        first = asyncio.create_task(poller.peek())
        await asyncio.to_thread(looks.came.wait, PATIENCE)
        await change(lambda: Membership.objects.filter(user=boards.grace).delete())
        later = asyncio.create_task(poller.peek())
        await asyncio.sleep(0)
        looks.gate.set()
        await first
        assert {change["op"] for change in (await later).page["changes"]} == {"drop"}

    asyncio.run(story())


def test_when_a_heartbeat_ends_one_request_runs_whole(site, ada):
    async def story() -> None:
        poller = await site.poller(ada)
        for moment in ("renew_at", "until"):
            (identity,) = site.application.pulls.identities._known.values()
            setattr(identity, moment, time.monotonic())
            with whole(site, 1):
                got = await asyncio.gather(*(poller.peek() for _ in range(30)))
            assert {one.status for one in got} == {200}

    asyncio.run(story())


def test_held_pulls_are_woken_together(site, ada, boards, looks):
    async def story() -> None:
        poller = await holder(site, ada)
        held = [asyncio.create_task(poller.peek()) for _ in range(40)]
        await until_waiting(site, 40)
        looks.count = 0
        with whole(site, 0):
            card = await change(create, boards.launch)
            pages = await asyncio.gather(*held)
        assert {tuple(page.ids) for page in pages} == {(card,)}
        assert looks.count <= 2, "one look, two where the outbox grew meanwhile"

    asyncio.run(story())


def test_a_project_s_own_page_is_waited_for_by_nobody(site, ada):
    """Whatever its address ends with: it may be a stream without an end."""
    came: list[str] = []
    both = asyncio.Event()

    async def own(scope: Any, receive: Any, send: Any) -> None:
        came.append(scope["path"])
        if len(came) == 2:
            both.set()
        await both.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def story() -> None:
        await site.poller(ada)
        site.application.runner.application = own
        page = [site.get("cursor=1", ada, path="/wiki/changes/") for _ in range(2)]
        await asyncio.gather(*page)

    asyncio.run(story())
    assert came == ["/wiki/changes/"] * 2


async def until_waiting(site: Site, number: int) -> None:
    async def settled() -> None:
        while len([w for w in site.application.watch._waiters if w._scopes is not None]) < number:
            await asyncio.sleep(0.005)

    await asyncio.wait_for(settled(), PATIENCE)


def test_g7_a_held_pull_that_is_woken_shows_what_its_user_sees_then(site, boards, grace):
    async def story() -> None:
        poller = await holder(site, grace)
        held = asyncio.create_task(poller.pull())
        await until_waiting(site, 1)

        def leave_and_write() -> None:
            with transaction.atomic():
                Membership.objects.filter(user=boards.grace).delete()
                create(boards.launch, "Not for Grace")

        await change(leave_and_write)
        got = await held
        assert {change["op"] for change in got.page["changes"]} == {"drop"}

    asyncio.run(story())


def test_held_by_a_token_that_is_deleted(site, ada, boards):
    async def story() -> None:
        poller = await holder(site, ada)
        held = asyncio.create_task(poller.pull())
        await until_waiting(site, 1)
        await change(lambda: Token.objects.filter(user=boards.ada).delete())
        await change(create, boards.launch)
        assert (await held).status == 401

    asyncio.run(story())


def test_many_pulls_of_one_user_cost_as_many_statements_as_one(site, ada, boards):
    async def story() -> list[int]:
        poller = await site.poller(ada, query="&collections=cards")
        costs: list[int] = []
        reader = site.application.pulls._reader.answers
        site.application.pulls._reader.answers = lambda served: counted(reader, served, costs)
        for number in (1, 100):
            await change(create, boards.launch)
            with whole(site, 0):
                await asyncio.gather(*(poller.peek() for _ in range(number)))
            await poller.pull()
        return costs

    one, idle, *many = asyncio.run(story())
    assert many == [one, idle]
    most = (18, 11) if connection.vendor == "postgresql" else (11, 9)
    assert one <= most[0], "with the sequencer's, and those that begin and end transactions"
    assert idle <= most[1]


def counted(reader: Any, served: Any, costs: list[int]) -> Any:
    directives.forget()  # they are read once a second
    with CaptureQueriesContext(connections["default"]) as captured:
        found = reader(served)
    costs.append(len(captured))
    return found


def test_where_something_has_no_position_yet_it_is_looked_at_again(site, ada, boards, monkeypatch):
    """As long as that lasts the page says that there is more, and its place is held."""
    answers: list[bool] = []
    monkeypatch.setattr(feed_log, "unsequenced", lambda scopes: bool(answers and answers.pop(0)))

    async def story() -> None:
        poller = await site.poller(ada)
        await change(create, boards.launch)
        answers[:] = [True, False]
        with whole(site, 0):
            got = await poller.peek()
        assert (len(got.ids), got.page["has_more"], answers) == (1, False, [])
        answers[:] = [True] * 3
        with whole(site, 0):
            got = await poller.peek()
        assert (len(got.ids), got.page["has_more"], answers) == (1, True, [])
        assert await change(Hold.objects.count) == 1

    asyncio.run(story())


def test_nothing_is_answered_from_within_a_transaction(boards):
    """What it shows may be undone."""
    with transaction.atomic():
        pull = shared_pulls.Pull(None, None, "", 1)
        with pytest.MonkeyPatch.context() as patch:
            cursor = object()
            patch.setattr(shared_pulls, "_open_cursor", lambda pull: cursor)
            assert shared_pulls.answers([pull], recent.Recent()) == [None]


# Replicas that are kept by such answers


async def follow(replica: Replica, poller: Poller) -> None:
    """Pull all there is, as ``Replica.pull`` does through the engine."""
    while True:
        got = await poller.pull()
        if got.status == 410:
            poller.cursor, replica.unseen = "", set(replica.records)
            continue
        page = Page.from_json(got.page)
        for one in page.changes:
            replica.apply(one, same_epoch=page.epoch == replica.epoch)
        replica.epoch = page.epoch
        if not page.has_more:
            for key in replica.unseen:
                replica.records.pop(key, None)
            replica.unseen.clear()
            return


def act(boards: Any, chance: random.Random) -> None:
    """Something that happens to the boards; now and then several things in one transaction."""
    with transaction.atomic():
        for _ in range(chance.choice((1, 1, 1, 4))):
            board = chance.choice((boards.launch, boards.research, boards.private))
            card = Card.objects.order_by("?").first()
            match chance.randrange(9):
                case 0 | 1:
                    create(board, f"{chance.random()}")
                case 2 if card:
                    Card.objects.filter(pk=card.pk).update(title=f"{chance.random()}")
                case 3 if card:
                    card.delete()
                case 4 if card:
                    card.labels.clear()
                    card.board = board
                    card.save()
                case 5 if card:
                    Comment.objects.create(card=card, author=boards.ada, text="Mine")
                case 6:
                    Membership.objects.filter(user=boards.grace, board=board).delete()
                case 7:
                    Membership.objects.get_or_create(user=boards.grace, board=board)
                case _:
                    Board.objects.filter(pk=board.pk).update(name=f"{chance.random()}")


TWO = "&collections=cards,boards"
COLLECTIONS = {TWO: ("cards", "boards")}


@settings_of_hypothesis(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_replicas_converge(site, boards, ada, grace, seed):
    """Whatever happens, and whoever pulls when: each ends with what the tables say (G1, G7)."""
    chance = random.Random(seed)
    kinds = [
        ("changes/", ""),
        ("changes/", "&limit=3"),
        ("live/changes/", "&collections=cards,boards"),
    ]

    async def story() -> Any:
        some = [
            (Replica(user, COLLECTIONS.get(query)), Poller(site, (header,), query, path))
            for user, header in ((boards.ada, ada), (boards.grace, grace))
            for path, query in kinds
        ]
        for one in some:
            await follow(*one)
        before = site.whole
        for _ in range(15):
            await change(act, boards, chance)
            await asyncio.gather(*(follow(*one) for one in some if chance.random() < 0.5))
        await asyncio.gather(*(follow(*one) for one in some))
        for replica, _ in some:
            assert replica.held() == await change(truth, replica.user, replica.collections)
        return site.whole - before

    runs = asyncio.run(story())
    assert runs < 6 * 15 / 2, "most were answered from memory"


# Processes


def revoke_token(user: str) -> None:
    Token.objects.filter(user__username=user).delete()


def end_membership(user: str) -> None:
    Membership.objects.filter(user__username=user).delete()


@pytest.mark.parametrize("revoked", [revoke_token, end_membership])
def test_g7_what_another_process_revokes_counts_at_the_next_answer(
    boards, grace, processes, revoked
):
    """It is revoked while an answer is under way that was begun before."""
    server, worker = processes.server("shared", 2), processes.worker()
    with httpx2.Client(base_url=processes.url, headers=[grace], timeout=60) as http:
        cursor, more = "", True
        while more:
            page = http.get("changes/", params={"cursor": cursor}).raise_for_status().json()
            cursor, more = page["cursor"], page["has_more"]
        http.get("changes/", params={"cursor": cursor}).raise_for_status()
        worker.call(create_card, boards.launch.pk, "Seen")
        with ThreadPoolExecutor(1) as beside:
            first = beside.submit(http.get, "changes/", params={"cursor": cursor})
            server.reaches("shared")
            worker.call(create_card, boards.launch.pk, "Not for Grace")
            worker.call(revoked, "grace")
            server.go()
            page = first.result().raise_for_status().json()
        assert [change["object"]["title"] for change in page["changes"]] == ["Seen"]
        after = http.get("changes/", params={"cursor": page["cursor"]})
    if revoked is revoke_token:
        assert after.status_code == 401
    else:
        assert {change["op"] for change in after.json()["changes"]} == {"drop"}
    assert "Not for Grace" not in after.text


def create_card(board: int, title: str) -> None:
    Card.objects.create(board_id=board, title=title)

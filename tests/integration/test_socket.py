"""Sockets: what is new reaches all who may see it, once read and once rendered (R4 to R7)."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import uuid
from types import SimpleNamespace

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from django_sync.conf import conf
from django_sync.drf.collection import Collection
from django_sync.feed import fanout, notify, sequencer
from django_sync.feed import log as feed_log
from django_sync.models import Feed, SyncSession
from django_sync.realtime.connection import WINDOW
from example_project.boards import api
from example_project.boards.models import Board, Card, Comment, Membership
from tests.integration.wire import bearer, in_a_thread, until


def cookie_of(user):
    """The header of a browser in which the user has logged in."""
    browser = Client()
    browser.force_login(user)
    return ("Cookie", f"sessionid={browser.cookies['sessionid'].value}")


def write(board, title="New"):
    return in_a_thread(Card.objects.create, board=board, title=title)


def titles(changes):
    return [c["object"]["title"] for c in changes if c["op"] == "put" and "title" in c["object"]]


# What comes down


def test_a_socket_begins_with_a_snapshot_and_goes_on_with_what_is_new(site, ada, boards):
    async def story():
        async with site.socket(ada) as wire:
            welcome = await wire.hello()
            assert (welcome["heartbeat"], bool(welcome["epoch"])) == (25, True)
            found = await wire.caught_up()
            assert "A card of Launch" in titles(found)
            assert "A card of Private" not in titles(found)
            card = await write(boards.launch)
            (change,) = await wire.changes()
            assert (change["op"], change["id"]) == ("put", str(card.sync_id))

    asyncio.run(story())


def test_what_is_new_does_not_queue_behind_a_crowd_that_comes(site, ada, boards):
    """Handshakes and first pulls have threads of their own to wait for."""
    let_in = threading.Event()

    async def story():
        async with site.following(ada) as wire:
            await site.joined(1)
            pool = site.application.request_pool
            crowd = [pool.submit(let_in.wait) for _ in range(2 * conf.LIVE_THREADS)]
            try:
                await write(boards.launch, "Meanwhile")
                assert titles(await wire.changes()) == ["Meanwhile"]
                assert not any(one.done() for one in crowd)
            finally:
                let_in.set()

    asyncio.run(story())


def test_its_cursor_resumes_elsewhere(site, ada, boards):
    async def story():
        async with site.following(ada) as wire:
            await write(boards.launch, "Before")
            await wire.changes()
            await wire.frame("cursor")
        await write(boards.launch, "Between")
        async with site.socket(ada) as again:
            await again.hello(cursor=wire.cursor)
            assert titles(await again.caught_up()) == ["Between"]

    asyncio.run(story())


def test_r4_one_write_is_read_once_and_rendered_once_for_all(site, ada, grace, boards, monkeypatch):
    reads, renders = [], []
    between, seen = feed_log.between, Collection.seen

    def reading(*args):
        found = between(*args)
        reads.extend([len(found)] if found else [])
        return found

    def rendering(self, caller, ids):
        renders.append(len(ids))
        return seen(self, caller, ids)

    async def story():
        async with asyncio.TaskGroup() as group:
            done = asyncio.Event()
            ready: list[object] = []
            settled: list[object] = []
            texts: list[str] = []

            async def one(who):
                async with site.following(who) as wire:
                    ready.append(wire)
                    assert titles(await wire.changes()) == ["All are there"]
                    settled.append(wire)
                    await wire.changes()
                    texts.append(wire.last)
                    await done.wait()

            for who in [ada, grace] * 10:
                group.create_task(one(who))
            await site.joined(20)
            await until(lambda: len(ready) == 20)
            await write(boards.launch, "All are there")
            await until(lambda: len(settled) == 20)
            monkeypatch.setattr(feed_log, "between", reading)
            monkeypatch.setattr(Collection, "seen", rendering)
            await write(boards.launch)
            await until(lambda: len(texts) == 20)
            done.set()
            assert len(set(texts)) == 1

    asyncio.run(story())
    assert (reads, renders) == ([1], [1])


def test_r4_what_depends_on_the_user_is_rendered_for_each(site, ada, grace, boards, monkeypatch):
    """Without ``shared_rendering``: here a serializer that looks at the user."""

    class Personal(api.CardSerializer):
        def to_representation(self, instance):
            name = self.context["request"].user.username
            return {**super().to_representation(instance), "title": f"for {name}"}

    monkeypatch.setattr(api.CardViewSet, "serializer_class", Personal)
    monkeypatch.setattr(api.CardViewSet, "shared_rendering", False)

    async def story():
        async with site.following(ada) as hers, site.following(grace) as other:
            await write(boards.launch)
            assert titles(await hers.changes()) == ["for ada"]
            assert titles(await other.changes()) == ["for grace"]

    asyncio.run(story())


def test_g7_what_is_elsewhere_is_not_heard_of(site, alan, ada, boards):
    async def story():
        async with site.following(alan) as his, site.following(ada) as hers:
            await write(boards.private, "His own")
            assert titles(await his.changes()) == ["His own"]
            await write(boards.launch, "Of both")
            assert titles(await hers.changes()) == ["Of both"]

    asyncio.run(story())


def test_a_card_that_moves_is_told_to_each_as_they_see_it(site, ada, grace, alan, boards):
    """Ada sees both boards; Alan sees only the first, and Grace only the second of the two."""
    other = Board.objects.create(name="Other", owner=boards.ada)
    Membership.objects.create(board=other, user=boards.grace, role="viewer")
    Membership.objects.filter(board=boards.launch, user=boards.grace).delete()
    card = Card.objects.get(board=boards.launch)
    Comment.objects.all().delete()

    def move():
        card.board = other
        card.save()

    async def story():
        async with (
            site.following(ada) as hers,
            site.following(alan) as his,
            site.following(grace) as theirs,
        ):
            await in_a_thread(move)
            ops = [
                [(c["op"], c["id"]) for c in await wire.changes() if c["collection"] == "cards"]
                for wire in (hers, his, theirs)
            ]
            id = str(card.sync_id)
            assert ops == [[("put", id)], [("remove", id)], [("put", id)]]

    asyncio.run(story())


def test_a_delete_is_a_tombstone(site, ada, boards):
    card = Card.objects.create(board=boards.launch, title="Short-lived")
    id = str(card.sync_id)

    async def story():
        async with site.following(ada) as wire:
            await in_a_thread(card.delete)
            (change,) = await wire.changes()
            assert (change["op"], change["id"], change["revision"] > 1) == ("delete", id, True)

    asyncio.run(story())


def test_what_the_queryset_hides_is_removed(site, ada, boards, monkeypatch):
    queryset = api.CardViewSet.get_queryset
    monkeypatch.setattr(
        api.CardViewSet, "get_queryset", lambda self: queryset(self).exclude(title="Draft")
    )
    card = Card.objects.create(board=boards.launch, title="Shown")

    def hide():
        card.title = "Draft"
        card.save()

    async def story():
        async with site.following(ada) as wire:
            await in_a_thread(hide)
            (change,) = await wire.changes()
            assert (change["op"], change["id"]) == ("remove", str(card.sync_id))

    asyncio.run(story())


def test_only_the_collections_asked_for_come(site, ada, boards):
    async def story():
        async with site.following(ada, collections=["boards"]) as wire:
            await write(boards.launch)
            await in_a_thread(Board.objects.filter(pk=boards.launch.pk).update, name="Renamed")
            (change,) = await wire.changes()
            assert (change["collection"], change["object"]["name"]) == ("boards", "Renamed")

    asyncio.run(story())


def test_more_than_a_page_comes_in_frames(site, ada, boards, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "PAGE_SIZE": 4}

    def many():
        Card.objects.bulk_create(Card(board=boards.launch, title=f"{n}") for n in range(10))

    async def story():
        async with site.following(ada) as wire:
            await in_a_thread(many)
            frames = []
            while True:
                event = await wire.event()
                frame = json.loads(event["text"])
                if frame["type"] == "changes":
                    frames.append((len(frame["changes"]), frame["has_more"]))
                    if not frame["has_more"]:
                        break
            assert frames == [(4, True), (4, True), (2, False)]

    asyncio.run(story())


def test_r5_what_is_written_between_pull_and_joining_is_not_missed(site, ada, boards):
    """The hub begins where the pull ended, whatever has been written and sequenced meanwhile."""
    respond = site.application.runner.respond
    written = []

    def writing_behind_it(scope, body, subrequest=None, run=1):
        response = respond(scope, body, subrequest, run)
        if (
            subrequest is not None
            and subrequest.follows
            and scope["path"].endswith("changes/")
            and not written
        ):
            written.append(Card.objects.create(board=boards.launch, title="Between"))
            sequencer.sequence()
            connection.close()
        return response

    async def story():
        async with site.following(ada) as other:  # the hub has a place of its own by then
            site.application.runner.respond = writing_behind_it
            async with site.following(ada) as wire:
                assert titles(await wire.changes()) == ["Between"]
                assert titles(await other.changes()) == ["Between"]

    asyncio.run(story())


def test_a_tick_that_fails_is_repeated(site, ada, boards, monkeypatch, caplog):
    tick, failures = fanout.tick, []

    def failing(subscriptions):
        if not failures:
            failures.append(subscriptions)
            raise OSError("gone")
        return tick(subscriptions)

    async def story():
        monkeypatch.setattr(fanout, "tick", failing)
        async with site.following(ada) as wire:
            await write(boards.launch)
            assert titles(await wire.changes()) == ["New"]

    with caplog.at_level("CRITICAL", logger="django_sync.realtime"):
        asyncio.run(story())
    assert failures


def test_a_fault_of_ours_closes_and_is_logged(site, ada, monkeypatch, caplog):
    """A client that hears nothing more must know it, so that it comes again."""
    monkeypatch.setattr(fanout.Subscription, "at", lambda *args: 1 / 0)

    async def story():
        async with site.socket(ada) as wire:
            await wire.hello()
            assert await wire.ended() == (1011, None)

    with caplog.at_level("CRITICAL", logger="django.request"):
        asyncio.run(story())


def test_r7_a_write_that_nobody_announces_comes_all_the_same(site, ada, boards, monkeypatch):
    monkeypatch.setattr(notify, "_notifiers", [])

    async def story():
        async with site.following(ada) as wire:
            await write(boards.launch)
            assert titles(await wire.changes()) == ["New"]

    asyncio.run(story())


def test_a_write_is_announced_at_its_commit(site, ada, boards, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 3_600_000}

    async def story():
        async with site.following(ada) as wire:
            await write(boards.launch)
            assert titles(await wire.changes()) == ["New"]

    asyncio.run(story())


# Slow ones


def test_who_acknowledges_nothing_gets_no_more_than_a_window_and_loses_nothing(site, ada, boards):
    async def story():
        async with site.following(ada) as slow, site.following(ada) as quick:
            for number in range(WINDOW + 5):
                await write(boards.launch, str(number))
                assert titles(await quick.changes()) == [str(number)]
            frames = []
            while not slow.out.empty():
                frames.append(json.loads(slow.out.get_nowait()["text"]))
            told = [t for f in frames if f["type"] == "changes" for t in titles(f["changes"])]
            assert told == [str(number) for number in range(WINDOW)]
            slow.say(type="ack", frames=slow.frames + WINDOW)
            slow.frames += WINDOW
            assert sorted(titles(await slow.changes())) == [str(WINDOW + n) for n in range(5)]

    asyncio.run(story())


def test_who_is_stuck_is_cut_and_others_notice_nothing(site, ada, grace, boards, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "HEARTBEAT": 1}

    async def story():
        async with site.following(ada) as stuck, site.following(grace) as other:
            await write(boards.launch, "One")
            assert titles(await other.changes()) == ["One"]
            while len(site.application.hub) == 2:
                stuck.say(type="ping")
                other.say(type="ping")
                await asyncio.sleep(0.1)
            assert await stuck.ended() == (4429, "throttled")

    asyncio.run(story())


def test_who_says_nothing_is_cut(site, ada, boards, settings):
    async def story():
        async with site.following(ada) as wire:
            await site.joined(1)
            settings.DJANGO_SYNC = {"HEARTBEAT": 0.001}
            site.application.loop_state.notify_on_loop(str(boards.ada.pk))
            assert await wire.ended() == (4408, None)
        async with site.socket(ada) as wire:
            assert await wire.ended() == (4408, None)

    asyncio.run(story())


# Access that changes, as R6 has it


def test_r6_a_membership_that_ends_is_felt(site, grace, boards):
    def leave():
        Membership.objects.filter(user=boards.grace, board=boards.launch).delete()
        notify.invalidate(boards.grace)

    async def story():
        async with site.following(grace) as wire:
            await in_a_thread(leave)
            dropped = {(c["op"], c["scope"]) for c in await wire.changes()}
            assert dropped == {("drop", str(boards.launch.sync_id))}
            await site.joined(1)
            await write(boards.launch, "No longer hers")
            await write(boards.research, "Hers")
            assert titles(await wire.changes()) == ["Hers"]

    asyncio.run(story())


def test_r6_it_is_felt_within_a_heartbeat_without_being_told(site, grace, boards, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "HEARTBEAT": 0.2}

    async def story():
        async with site.following(grace) as wire:
            await in_a_thread(Membership.objects.filter(user=boards.grace).delete)
            wire.say(type="ping")
            await wire.frame("pong")
            assert {c["op"] for c in await wire.changes()} == {"drop"}

    asyncio.run(story())


def test_r6_a_membership_that_begins_brings_the_board(site, grace, boards):
    def join():
        Membership.objects.create(user=boards.grace, board=boards.private, role="viewer")
        notify.invalidate(boards.grace)

    async def story():
        async with site.following(grace) as wire:
            await in_a_thread(join)
            assert "A card of Private" in titles(await wire.changes())

    asyncio.run(story())


def test_who_lost_access_a_moment_ago_does_not_hide_changes_from_others(site, grace, alan, boards):
    """Whoever is asked for all may have lost the right, unheard of: another is asked then."""

    async def story():
        async with site.following(grace) as gone, site.following(alan) as his:
            await in_a_thread(Membership.objects.filter(user=boards.grace).delete)
            await write(boards.launch, "For Alan")
            assert titles(await his.changes()) == ["For Alan"]
            del gone

    asyncio.run(story())


def test_where_all_of_a_class_lost_access_they_pull_and_see_it(site, grace, boards):
    async def story():
        async with site.following(grace) as wire:
            await in_a_thread(Membership.objects.filter(user=boards.grace).delete)
            await write(boards.launch, "Not for her")
            changes = await wire.changes()
            assert {c["op"] for c in changes} == {"drop"}

    asyncio.run(story())


@pytest.mark.parametrize("how", ["inactive", "token"])
def test_who_may_not_sign_in_any_more_is_closed(site, ada, boards, how):
    def end():
        if how == "inactive":
            boards.ada.is_active = False
            boards.ada.save()
        else:
            Token.objects.all().delete()
        notify.invalidate(boards.ada)

    async def story():
        async with site.following(ada) as wire:
            await in_a_thread(end)
            assert await wire.ended() == (4401, "not_authenticated")

    asyncio.run(story())


def test_an_epoch_that_moves_closes(site, ada, boards):
    def move():
        Feed.objects.update(epoch=uuid.uuid4())
        Card.objects.create(board=boards.launch, title="In another history")

    async def story():
        async with site.following(ada) as wire:
            await in_a_thread(move)
            assert await wire.ended() == (4410, "cursor_expired")

    asyncio.run(story())


# The handshake


def test_who_is_not_signed_in_is_closed(site):
    async def story():
        async with site.socket() as wire:
            assert await wire.ended() == (4401, "not_authenticated")
        async with site.socket(("Authorization", "Token no")) as wire:
            assert await wire.ended() == (4401, "not_authenticated")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("origin", "ends"),
    [
        ("http://localhost", None),
        ("http://trusted.example", None),
        ("http://evil.example", (4403, "permission_denied")),
        ("http://localhost.evil.example", (4403, "permission_denied")),
        ("http://localhost:8000", (4403, "permission_denied")),
        ("https://localhost", (4403, "permission_denied")),
        ("null", (4403, "permission_denied")),
        (None, (4403, "permission_denied")),
    ],
)
def test_a_cookie_counts_from_our_own_pages_only(site, boards, settings, origin, ends):
    settings.CSRF_TRUSTED_ORIGINS = ["http://trusted.example"]
    cookie = cookie_of(boards.ada)
    headers = [cookie] if origin is None else [cookie, ("Origin", origin)]

    async def story():
        async with site.socket(*headers) as wire:
            if ends is None:
                await wire.hello()
            else:
                assert await wire.ended() == ends

    asyncio.run(story())


def test_a_password_that_a_browser_remembers_counts_from_our_own_pages_only(site, boards):
    told = base64.b64encode(b"ada:ada-demo").decode()
    headers = [("Authorization", f"Basic {told}"), ("Origin", "http://evil.example")]

    async def story():
        async with site.socket(*headers) as wire:
            assert await wire.ended() == (4403, "permission_denied")
        async with site.socket(headers[0]) as wire:
            await wire.hello()

    asyncio.run(story())


def test_too_many_sockets_of_one_user(site, ada, grace, settings):
    settings.DJANGO_SYNC = {"CONNECTIONS_PER_USER": 2}

    async def story():
        async with site.socket(ada), site.socket(ada):
            async with site.socket(ada) as third:
                assert await third.ended() == (4429, "throttled")
            async with site.socket(grace) as other:
                await other.hello()
        async with site.socket(ada) as again:
            await again.hello()
        assert not site.application.loop_state.open

    asyncio.run(story())


# What goes up


def batch(card, title, **more):
    mutation = {
        "id": str(uuid.uuid4()),
        "seq": 1,
        "op": "update",
        "collection": "cards",
        "object_id": str(card.sync_id),
        "base_revision": card.sync_revision,
        "fields": {"title": title},
    }
    return {"client_id": str(uuid.uuid4()), "mutations": [mutation], **more}


def test_a_mutation_goes_up_and_its_change_comes_down(site, ada, grace, boards):
    card = Card.objects.get(board=boards.launch)

    async def story():
        async with site.following(ada) as hers, site.following(grace) as other:
            hers.say(type="mutate", ref="a", **batch(card, "From Ada"))
            results = await hers.frame("results")
            assert results["ref"] == "a"
            assert [r["status"] for r in results["results"]] == ["applied"]
            assert titles(await hers.changes()) == ["From Ada"]
            assert titles(await other.changes()) == ["From Ada"]

    asyncio.run(story())


def test_by_a_cookie_no_csrf_token_is_asked_for_behind_the_handshake(site, boards):
    card = Card.objects.get(board=boards.launch)
    cookie = cookie_of(boards.ada)

    async def story():
        async with site.following(cookie, ("Origin", "http://localhost")) as wire:
            wire.say(type="mutate", ref=1, **batch(card, "From a page"))
            results = await wire.frame("results")
            assert [r["status"] for r in results["results"]] == ["applied"]

    asyncio.run(story())


def test_a_malformed_batch_is_told_and_the_socket_lives(site, ada):
    async def story():
        async with site.following(ada) as wire:
            wire.say(type="mutate", ref=1, mutations="none")
            told = await wire.frame("error")
            assert (told["ref"], told["problem"]["code"]) == (1, "invalid")
            wire.say(type="ping")
            await wire.frame("pong")

    asyncio.run(story())


HELLO = {"type": "hello", "protocol": 1}


@pytest.mark.parametrize(
    ("texts", "ends"),
    [
        (["nonsense"], (4400, "invalid")),
        (["[" * 5000], (4400, "invalid")),
        (["[]"], (4400, "invalid")),
        (['{"type": 1}'], (4400, "invalid")),
        (['{"type": "hello"}'], (4400, "unsupported_protocol")),
        ([{**HELLO, "protocol": 2}], (4400, "unsupported_protocol")),
        ([{**HELLO, "protocol": True}], (4400, "unsupported_protocol")),
        ([{**HELLO, "cursor": 5}], (4400, "invalid")),
        ([{**HELLO, "cursor": "made up"}], (4400, "invalid_cursor")),
        ([{**HELLO, "collections": "cards"}], (4400, "invalid")),
        ([{**HELLO, "collections": ["ghosts"]}], (4400, "unknown_collection")),
        ([{**HELLO, "session": "x"}], (4400, "invalid")),
        ([{**HELLO, "more": 1}], (4400, "invalid")),
        ([HELLO, HELLO], (4400, "invalid")),
        ([{"type": "ack", "frames": 0}], (4400, "invalid")),
        ([{"type": "mutate"}], (4400, "invalid")),
        ([HELLO, {"type": "ack", "frames": 99}], (4400, "invalid")),
        ([HELLO, {"type": "ack", "frames": -1}], (4400, "invalid")),
        ([HELLO, {"type": "ack", "frames": "1"}], (4400, "invalid")),
        ([HELLO, {"type": "mutate", "ref": {}}], (4400, "invalid")),
        ([HELLO, {"type": "dance"}], (4400, "invalid")),
        ([HELLO, *[{"type": "ping"}] * 200], (4429, "throttled")),
        ([HELLO, *[{"type": "mutate"}] * 20], (4429, "throttled")),
    ],
)
def test_a_bad_frame_ends_with_its_code(site, ada, grace, boards, texts, ends):
    async def story():
        async with site.following(grace) as other:
            async with site.socket(ada) as wire:
                for text in texts:
                    wire.text(text if isinstance(text, str) else json.dumps(text))
                assert await wire.ended() == ends
            await write(boards.launch)
            assert titles(await other.changes()) == ["New"]

    asyncio.run(story())


def test_bytes_and_too_much_text(site, ada, settings):
    settings.DJANGO_SYNC = {"BODY_BYTES": 1000}

    async def story():
        async with site.socket(ada) as wire:
            wire.come({"type": "websocket.receive", "bytes": b"\0"})
            assert await wire.ended() == (4400, "invalid")
        async with site.socket(ada) as wire:
            wire.text(json.dumps({"type": "ping", "x": "y" * 1000}))
            assert await wire.ended() == (4400, "too_large")

    asyncio.run(story())


def test_anothers_cursor_opens_nothing(site, ada, grace):
    async def story():
        async with site.following(ada) as wire:
            pass
        async with site.socket(grace) as other:
            await other.hello(cursor=wire.cursor)
            assert await other.ended() == (4400, "invalid_cursor")

    asyncio.run(story())


def test_r8_open_sockets_hold_no_connection_and_no_thread(site, ada, boards):
    held = []
    respond = site.application.runner.respond

    def noting(*args):
        response = respond(*args)
        held.append(connection.connection)
        return response

    site.application.runner.respond = noting

    async def story():
        async with asyncio.TaskGroup() as group:
            done = asyncio.Event()

            async def one():
                async with site.following(ada):
                    await done.wait()

            for _ in range(15):
                group.create_task(one())
            await site.joined(15)
            assert all(found is None for found in held)
            done.set()

    asyncio.run(story())


# By a ticket


@pytest.fixture
def opened(boards):
    """Opens a session of a user's client; its answer."""

    def open_session(user):
        client = Client(headers={"Authorization": bearer(user)[1]})
        told = {"client_id": str(uuid.uuid4()), "transports": ["websocket", "poll"]}
        answer = client.post("/sync/sessions/", told, content_type="application/json")
        assert answer.status_code == 201, answer.content
        return answer.json()

    return open_session


def test_a_ticket_opens_one_socket_once_from_any_page(site, boards, opened):
    session = opened(boards.ada)
    card = Card.objects.get(board=boards.launch)

    async def story():
        query, evil = f"ticket={session['ticket']}", ("Origin", "http://elsewhere.example")
        async with site.socket(evil, query=query) as wire:
            await wire.hello(session=session["id"])
            await wire.caught_up()
            wire.say(type="mutate", ref=1, **batch(card, "By ticket"))
            results = await wire.frame("results")
            assert [r["status"] for r in results["results"]] == ["applied"]
            assert titles(await wire.changes()) == ["By ticket"]
            async with site.socket(query=query) as again:
                assert await again.ended() == (4401, "not_authenticated")

    asyncio.run(story())


def test_a_made_up_ticket_opens_nothing_whoever_brings_it(site, ada):
    async def story():
        async with site.socket(ada, query="ticket=made-up") as wire:
            assert await wire.ended() == (4401, "not_authenticated")
        async with site.socket(ada, query="ticket=") as wire:
            assert await wire.ended() == (4401, "not_authenticated")

    asyncio.run(story())


def test_anothers_session_is_refused(site, ada, boards, opened):
    session = opened(boards.grace)

    async def story():
        async with site.socket(ada) as wire:
            wire.say(**HELLO, session=session["id"])
            assert await wire.ended() == (4403, "permission_denied")

    asyncio.run(story())


@pytest.mark.parametrize("by", ["ticket", "header"])
def test_a_session_that_ends_closes_its_socket(site, ada, boards, opened, by):
    session = opened(boards.ada)

    def end():
        SyncSession.objects.update(ended_at=timezone.now())
        notify.invalidate(boards.ada)

    async def story():
        headers, query = ([], f"ticket={session['ticket']}") if by == "ticket" else ([ada], "")
        async with site.socket(*headers, query=query) as wire:
            await wire.hello(session=session["id"])
            await wire.caught_up()
            await site.joined(1)
            await in_a_thread(end)
            expected = (
                (4401, "not_authenticated") if by == "ticket" else (4403, "permission_denied")
            )
            assert await wire.ended() == expected

    asyncio.run(story())


@pytest.mark.parametrize("next_user", [None, "grace"])
def test_r6_a_log_out_closes_the_socket_of_its_page(site, boards, opened, next_user):
    """The ticket says who it is; the page's cookies were theirs, and are not any more."""
    ticket, cookie = f"ticket={opened(boards.ada)['ticket']}", cookie_of(boards.ada)

    def log_out():
        stored = SessionStore(cookie[1].removeprefix("sessionid="))
        if next_user is None:
            stored.delete()
        else:  # somebody else, under the same key
            user = getattr(boards, next_user)
            stored[SESSION_KEY], stored[HASH_SESSION_KEY] = user.pk, user.get_session_auth_hash()
            stored.save()
        notify.invalidate(boards.ada)

    async def story():
        async with site.socket(cookie, query=ticket) as wire:
            await wire.hello()
            await wire.caught_up()
            await site.joined(1)
            await in_a_thread(log_out)
            assert await wire.ended() == (4401, "not_authenticated")

    asyncio.run(story())


def test_a_ticket_counts_from_a_page_of_somebody_else_and_does_not_end_with_them(
    site, boards, opened
):
    ticket, cookie = f"ticket={opened(boards.ada)['ticket']}", cookie_of(boards.grace)

    def log_out():
        SessionStore(cookie[1].removeprefix("sessionid=")).delete()
        notify.invalidate(boards.ada)

    async def story():
        async with site.socket(cookie, query=ticket) as wire:
            await wire.hello()
            await wire.caught_up()
            await site.joined(1)
            await in_a_thread(log_out)
            await write(boards.launch, "Still hers")
            assert titles(await wire.changes()) == ["Still hers"]

    asyncio.run(story())


@pytest.mark.parametrize("how", ["inactive", "gone"])
def test_the_user_of_a_ticket_is_looked_at_again(site, boards, opened, how):
    session = opened(boards.grace)

    def end():
        if how == "inactive":
            boards.grace.is_active = False
            boards.grace.save()
        else:
            boards.grace.delete()
        notify.invalidate(SimpleNamespace(pk=key))

    key = boards.grace.pk

    async def story():
        async with site.socket(query=f"ticket={session['ticket']}") as wire:
            await wire.hello()
            await wire.caught_up()
            await site.joined(1)
            await in_a_thread(end)
            assert await wire.ended() == (4401, "not_authenticated")

    asyncio.run(story())

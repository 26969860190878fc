"""Sockets and streams in an enemy's hands: each meets its code, and others notice nothing.

Frames of every wrong kind, floods, those who take nothing, borrowed tickets. A bystander's
socket is open all the while and gets its changes; nothing is logged as a fault.
"""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from contextlib import asynccontextmanager, contextmanager

import pytest
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from rest_framework.test import APIClient

from django_sync.realtime import connection, loop_state, throttle
from example_project.boards.models import Card
from tests.integration.test_socket import HELLO, batch, opened, titles, write
from tests.integration.wire import Site, in_a_thread, until

assert opened  # a fixture

CODES = {4400, 4401, 4403, 4410, 4429, 1013}


@pytest.fixture(autouse=True)
def no_fault(caplog):
    """Nothing is logged as a fault, unless the test says that it is to be."""
    expected = []
    yield expected
    found = [
        r.getMessage() for r in caplog.get_records("call") if r.levelname in ("ERROR", "CRITICAL")
    ]
    assert found == expected


def connection_of(site, user):
    """A user's only connection in the hub."""
    (own,) = [
        n
        for n in site.application.hub._connections
        if n.subscription.audience.caller.key == str(user.pk)
    ]
    return own


@asynccontextmanager
async def bystander(site, who, boards):
    """Somebody else, who gets a change afterwards."""
    async with site.following(who) as other:
        yield other
        await write(boards.launch, "Seen by others")
        assert "Seen by others" in titles(await other.changes())


async def answered(wire):
    """Until the socket is closed, or has answered a ping that was sent last; the last problem."""
    while True:
        event = await wire.event()
        if event["type"] == "websocket.close":
            return event["code"]
        frame = json.loads(event["text"], parse_constant=pytest.fail)
        if frame["type"] == "pong":
            return None


# Frames of every wrong kind

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**300, -1, 2**53, 1e308, float("nan"), float("inf"), -0.0])
    | st.sampled_from(["", "\0", "\ud800", "a,b", "hello", "cards", "x" * 5000, "﷽\u202e"])
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
MUTATION = {
    "id": str(uuid.uuid4()),
    "seq": 1,
    "op": "update",
    "collection": "cards",
    "object_id": str(uuid.uuid4()),
    "base_revision": 1,
    "fields": {"title": "x"},
}
VALID = (
    {**HELLO, "cursor": None, "collections": ["cards"], "session": None},
    {"type": "ack", "frames": 1},
    {"type": "ping"},
    {"type": "mutate", "ref": 1, "client_id": str(uuid.uuid4()), "mutations": [MUTATION]},
)


@st.composite
def bent(draw):
    """A frame that was sound, with something wrong somewhere."""
    frame = json.loads(json.dumps(draw(st.sampled_from(VALID))))
    place = frame
    if frame["type"] == "mutate" and draw(st.booleans()):
        place = frame["mutations"][0]
    name = draw(st.sampled_from(sorted(place)) | st.text(max_size=5))
    if draw(st.integers(0, 3)):
        place[name] = draw(JUNK)
    else:
        place.pop(name, None)
    return json.dumps(frame, ensure_ascii=draw(st.booleans()))


@st.composite
def torn(draw):
    """The text of a sound frame, cut, doubled or with something put in."""
    text = json.dumps(draw(st.sampled_from(VALID)))
    at = draw(st.integers(0, len(text)))
    rest = at + draw(st.integers(0, 5))
    return text[:at] + draw(st.text(max_size=5) | st.just(text)) + text[rest:]


FRAMES = st.lists(bent() | torn() | JUNK.map(json.dumps) | st.binary(max_size=9), max_size=5)


@pytest.mark.parametrize(
    "examples", [12, pytest.param(5000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_whatever_is_sent_is_answered_or_closed(site, ada, grace, boards, examples):
    async def one(frames, greets):
        async with site.socket(ada) as wire:
            if greets:
                await wire.hello(collections=["cards"])
            for sent in frames:
                if isinstance(sent, str):
                    wire.text(sent)
                else:
                    wire.come({"type": "websocket.receive", "bytes": sent})
            wire.say(type="ping")
            assert await answered(wire) in {None, *CODES}

    with asyncio.Runner() as runner:

        @how(
            max_examples=examples,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(FRAMES, st.booleans())
        def send(frames, greets):
            runner.run(one(frames, greets))

        other = bystander(site, grace, boards)
        runner.run(other.__aenter__())
        send()
        runner.run(other.__aexit__(None, None, None))


def nested(levels):
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ('{"type":"hello","protocol":1,"cursor":"\\ud800"}', (4400, "invalid_cursor")),
        (json.dumps({**HELLO, "cursor": "x" * 9000}), (4400, "invalid_cursor")),
        ('{"type":"hello","protocol":1,"collections":["\\ud800"]}', (4400, "unknown_collection")),
        ('{"type":"hello","protocol":1,"collections":["a,b"]}', (4400, "unknown_collection")),
        ('{"type":"hello","protocol":1,"collections":["\\u0000"]}', (4400, "unknown_collection")),
        ('{"type":"hello","protocol":1,"collections":[""]}', (4400, "unknown_collection")),
        ('{"type":"hello","protocol":NaN}', (4400, "invalid")),
        ('{"type":"ping","x":1%s}' % ("0" * 5000), (4400, "invalid")),
        ('{"type":"ack","frames":1' + "0" * 4000 + "}", (4400, "invalid")),
        ('{"type":"ack","frames":1.0}', (4400, "invalid")),
        ('{"type":"mutate","ref":true}', (4400, "invalid")),
        ('{"type":"mutate","ref":"' + "x" * 9000 + '"}', (4400, "invalid")),
        ('{"type":"mutate","ref":1' + "0" * 400 + "}", (4400, "invalid")),
        ('{"type":"mutate","mutations":[Infinity]}', (4400, "invalid")),
        ('{"type":"mutate","mutations":' + nested(100_000) + "}", (4400, "invalid")),
        ("\ud800", (4400, "invalid")),
        ("", (4400, "invalid")),
    ],
)
def test_what_is_wrong_in_one_member_has_its_code(site, ada, text, ends):
    async def story():
        async with site.socket(ada) as wire:
            if "hello" not in text:
                await wire.hello(collections=["cards"])
            wire.text(text)
            assert await wire.ended() == ends

    asyncio.run(story())


def test_a_great_many_names_are_one_or_none(site, ada, grace):
    async def story():
        async with site.socket(ada) as wire:
            wire.say(**HELLO, collections=["cards"] * 90_000)
            await wire.frame("welcome")
            assert titles(await wire.caught_up())
        async with site.socket(grace) as wire:
            wire.say(**HELLO, collections=[str(n) for n in range(100_000)])
            assert await wire.ended() == (4400, "invalid")

    asyncio.run(story())


@pytest.mark.parametrize(
    "body",
    [
        f'"mutations":{nested(900)}',
        '"client_id":"\\ud800","mutations":[]',
        '"client_id":"\\u0000","mutations":[]',
        '"mutations":[1e999]',
        '"mutations":{}',
        '"mutations":[],"mutations":null',
        '"sync_session":"x","sync_live":1',
    ],
)
def test_a_wrong_batch_is_told_by_its_ref_and_the_socket_lives(site, ada, body):
    async def story():
        async with site.following(ada, collections=["cards"]) as wire:
            wire.text('{"type":"mutate","ref":"\\ud800",' + body + "}")
            result = await wire.frame("error")
            assert (result["ref"], result["problem"]["code"]) == ("\ud800", "invalid")
            wire.say(type="ping")
            await wire.frame("pong")

    asyncio.run(story())


def test_a_batch_may_be_as_long_as_over_http(site, ada, boards, settings):
    """Whatever alphabet it is written in: escapes would make it longer than it was sent."""
    sent = batch(Card.objects.get(board=boards.launch), "ж" * 200)
    text = json.dumps({"type": "mutate", **sent}, ensure_ascii=False)
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "BODY_BYTES": len(text.encode())}

    async def story():
        async with site.following(ada) as wire:
            wire.text(text)
            assert [r["status"] for r in (await wire.frame("results"))["results"]] == ["applied"]
            wire.text(text.replace("ж", "жж", 1))
            assert await wire.ended() == (4400, "too_large")

    asyncio.run(story())


# Floods


def test_large_frames_are_read_in_their_time(site, ada, grace, boards, monkeypatch):
    """However many sockets they come over; other users do not wait."""
    monkeypatch.setattr(loop_state, "BYTES_PER_SECOND", 2 * loop_state.LARGE)
    large = json.dumps({"type": "mutate", "ref": 1, "mutations": "x" * loop_state.LARGE})
    waits, seconds = [], throttle.Pace.seconds

    def waiting(self, who, size, most):
        waits.append((who, seconds(self, who, size, most)))
        return waits[-1][1]

    monkeypatch.setattr(throttle.Pace, "seconds", waiting)

    async def story():
        async with (
            bystander(site, grace, boards) as other,
            site.following(ada) as first,
            site.following(ada) as second,
        ):
            for number, wire in enumerate((first, second, other)):
                wire.text(large)
                await until(lambda number=number: len(waits) > number)
            for wire in (first, second, other):
                assert (await wire.frame("error"))["problem"]["code"] == "invalid"
        hers, again, others = waits
        assert (hers, others) == ((str(boards.ada.pk), 0), (str(boards.grace.pk), 0))
        assert 0 < again[1] < 1

    asyncio.run(story())


@contextmanager
def held(site, of):
    """Requests of some scopes stay in their threads; yields how many do."""
    respond, go, running = site.application.runner.respond, threading.Event(), []

    def holding(scope, *args):
        if of(scope):
            running.append(scope)
            go.wait(20)
        return respond(scope, *args)

    site.application.runner.respond = holding
    try:
        yield running
    finally:
        go.set()
        site.application.runner.respond = respond


def test_a_flood_of_handshakes_holds_up_nobody_elsewhere(site, ada, grace, boards, monkeypatch):
    monkeypatch.setattr("django_sync.realtime.asgi.MOST_HANDSHAKES", 5)
    evil, good = ("10.6.6.6", 1), ("10.0.0.1", 1)

    async def one(ends):
        async with site.socket(query="ticket=made-up", client=evil) as wire:
            ends.append(await wire.ended())

    async def story():
        ends = []
        async with bystander(site, grace, boards), asyncio.TaskGroup() as group:
            with held(site, lambda scope: scope["client"] == evil) as running:
                for _ in range(20):
                    group.create_task(one(ends))
                await until(lambda: len(ends) == 12)
                assert set(ends) == {(1013, "unavailable")}
                assert len(running) == site.application.threads - 1
                async with site.socket(ada, client=good) as wire:
                    await wire.hello()
                    assert await wire.caught_up()
        assert len(ends) == 20
        assert set(ends[12:]) == {(4401, "not_authenticated")}

    asyncio.run(story())


def test_one_users_batches_hold_up_no_other_user(site, ada, grace, boards):
    def mutating(scope):
        return (
            scope["path"].endswith("mutations/")
            and dict(scope["headers"])[b"authorization"] == ada[1].encode()
        )

    async def story():
        async with site.following(grace) as other, asyncio.TaskGroup() as group:
            ready, done = [], asyncio.Event()

            async def one():
                async with site.socket(ada) as wire:
                    await wire.hello(collections=["cards"])
                    wire.say(type="mutate", mutations=[])
                    ready.append(wire)
                    await done.wait()

            with held(site, mutating) as running:
                for _ in range(10):
                    group.create_task(one())
                await until(lambda: len(running) == site.application.threads - 1)
                card = await write(boards.launch, "Meanwhile")
                assert titles(await other.changes()) == ["Meanwhile"]
                other.say(type="mutate", ref=1, **await in_a_thread(batch, card, "Her own"))
                while json.loads((await other.event())["text"])["type"] != "results":
                    pass
            await until(lambda: len(ready) == 10)
            done.set()

    asyncio.run(story())


# Who takes nothing


@pytest.fixture
def hasty(monkeypatch, settings):
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "SOCKET_FRAMES": 1000}
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.05)


def test_who_only_pings_and_takes_nothing_is_cut(site, ada, grace, boards, hasty):
    async def story():
        async with bystander(site, grace, boards), site.following(ada) as deaf:
            await site.joined(2)
            own = connection_of(site, boards.ada)
            deaf.takes.clear()
            for _ in range(500):
                deaf.say(type="ping")
            await until(lambda: own.finished and len(own._events) == 1)
            assert own._events[0][0]["type"] == "websocket.close"
            deaf.takes.set()
            assert (await deaf.ended())[0] == 4429

    asyncio.run(story())


def test_results_wait_for_whoever_takes_them(site, ada, hasty):
    async def story():
        async with site.following(ada) as deaf:
            deaf.takes.clear()
            with held(site, lambda scope: False):
                respond, asked = site.application.runner.respond, []
                site.application.runner.respond = lambda scope, *args: (
                    asked.append(scope["path"]),
                    respond(scope, *args),
                )[1]
                for number in range(5):
                    deaf.say(type="mutate", ref=number, mutations=[])
                await until(lambda: asked.count("/sync/mutations/") == 1)
                async with site.following(ada):  # time passes, and threads are free
                    pass
                assert asked.count("/sync/mutations/") == 1
                deaf.takes.set()
                assert [(await deaf.frame("error"))["ref"] for _ in range(5)] == [0, 1, 2, 3, 4]

    asyncio.run(story())


def test_frames_that_were_not_sent_cannot_be_acknowledged(site, ada, grace, boards, hasty):
    async def story():
        async with site.following(ada) as liar, site.following(grace) as other:
            await site.joined(2)
            own = connection_of(site, boards.ada)
            liar.takes.clear()
            for number in range(4):
                await write(boards.launch, str(number))
                assert titles(await other.changes()) == [str(number)]
            liar.say(type="ack", frames=liar.frames + 4)
            await until(lambda: own.finished)
            liar.takes.set()
            assert (await liar.ended())[0] == 4400

    asyncio.run(story())


# Borrowed, replayed, made up


def test_a_ticket_that_is_sent_to_two_at_once_opens_one(site, boards, opened):
    query = f"ticket={opened(boards.ada)['ticket']}"
    second = Site()

    async def one(of, ends):
        async with of.socket(query=query) as wire:
            wire.say(**HELLO)
            event = json.loads((await wire.event())["text"])
            ends.append(event["type"])

    async def story():
        ends = []
        async with asyncio.TaskGroup() as group:
            for of in (site, second) * 3:
                group.create_task(one(of, ends))
        assert sorted(ends) == ["error"] * 5 + ["welcome"]

    asyncio.run(story())
    second.application.close()


def test_a_ticket_counts_whatever_else_is_brought(site, ada, grace, boards, opened):
    """Ada's page with Grace's ticket is Grace's; Ada's session is none of hers."""
    session, hers = opened(boards.grace), opened(boards.ada)

    async def story():
        async with site.socket(ada, query=f"ticket={session['ticket']}") as wire:
            await wire.hello()
            seen = {t for t in titles(await wire.caught_up()) if t.startswith("A card")}
            assert seen == {"A card of Launch", "A card of Research"}
            await in_a_thread(Card.objects.create, board=boards.private, title="Alan's")
        fresh = await in_a_thread(opened, boards.grace)
        async with site.socket(ada, query=f"ticket={fresh['ticket']}") as wire:
            wire.say(**HELLO, session=hers["id"])
            assert await wire.ended() == (4403, "permission_denied")
        async with site.socket(query=f"ticket={hers['ticket']}&ticket=second") as wire:
            await wire.hello(session=hers["id"])

    asyncio.run(story())


def test_a_tickets_users_password_in_the_address_opens_no_stream(site, boards, opened):
    async def story():
        session = await in_a_thread(opened, boards.ada)
        async with site.stream(query=f"ticket={session['ticket']}") as wire:
            assert wire.start["status"] == 401
        async with site.socket(query=f"ticket={session['ticket']}") as wire:
            await wire.hello()

    asyncio.run(story())


async def problem(site, who, **hello):
    """The whole problem with which a hello is refused, and the code."""
    async with site.socket(who) as wire:
        wire.say(**HELLO, **hello)
        result = []
        while (event := await wire.event())["type"] != "websocket.close":
            result.append(event["text"])
        return [t for t in result if '"welcome"' not in t], event["code"]


def test_what_is_anothers_is_refused_as_what_never_was(site, ada, grace, boards, opened):
    anothers = opened(boards.ada)["id"]

    async def story():
        async with site.following(ada) as wire:
            cursor = wire.cursor
        assert await problem(site, grace, session=anothers) == await problem(
            site, grace, session=str(uuid.uuid4())
        )
        made_up = await problem(site, grace, cursor="A" * len(cursor))
        assert await problem(site, grace, cursor=cursor) == made_up

    asyncio.run(story())


@pytest.mark.parametrize("refused", [["http://localhost", "http://evil.example"], [""], ["*"]])
def test_an_origin_that_is_not_one_of_ours_is_none(site, boards, refused):
    browser = Client()
    browser.force_login(boards.ada)
    cookie = ("Cookie", f"sessionid={browser.cookies['sessionid'].value}")

    async def story():
        headers = [cookie, *(("Origin", origin) for origin in refused)]
        async with site.socket(*headers) as wire:
            assert await wire.ended() == (4403, "permission_denied")

    asyncio.run(story())


def test_a_name_of_another_host_is_served_nothing(site, ada, settings, no_fault):
    settings.ALLOWED_HOSTS = ["elsewhere.example"]
    no_fault += [
        "Invalid HTTP_HOST header: 'localhost'. You may need to add 'localhost' to ALLOWED_HOSTS."
    ]

    async def story():
        async with site.socket(ada) as wire:
            code, result = await wire.ended()
            assert (code, result) == (1011, None)

    asyncio.run(story())


# What the project itself answers, or breaks


@pytest.mark.parametrize("status", [200, 302, 403, 500])
@pytest.mark.parametrize("path", ["live/ws/", "changes/", "mutations/"])
def test_a_page_of_the_projects_is_passed_on_to_nobody(site, ada, monkeypatch, status, path):
    respond = site.application.runner.respond

    def paged(scope, *args):
        if scope["path"].endswith(path):
            return HttpResponse("<h1>secret</h1>", status=status)
        return respond(scope, *args)

    async def story():
        site.application.runner.respond = paged
        async with site.socket(ada) as wire:
            wire.say(**HELLO)
            if path == "mutations/":
                wire.say(type="mutate", ref=7, mutations=[])
                while (frame := json.loads((await wire.event())["text"]))["type"] != "error":
                    pass
                assert (frame["ref"], frame["problem"]["code"]) == (7, "unavailable")
                return
            code, result = await wire.ended()
            assert code == (4403 if status == 403 else 1011)
            assert result in (None, "unavailable")

    asyncio.run(story())


@pytest.mark.parametrize("path", ["changes/", "mutations/"])
def test_a_fault_closes_the_socket_and_is_logged(site, ada, grace, boards, no_fault, path):
    """A connection without its task would be silent, or not see that a right was lost."""
    respond = site.application.runner.respond
    no_fault += ["a connection is closed for a fault"]

    def breaking(scope, *args):
        if scope["path"].endswith(path) and (b"x-evil", b"1") in scope["headers"]:
            raise OSError("secret")
        return respond(scope, *args)

    async def story():
        site.application.runner.respond = breaking
        async with bystander(site, grace, boards), site.socket(ada, ("X-Evil", "1")) as wire:
            wire.say(**HELLO)
            if path == "mutations/":
                wire.say(type="mutate", ref=7, mutations=[])
            assert await wire.ended() == (1011, None)

    asyncio.run(story())


def test_a_stream_whose_looking_breaks_ends(site, ada, boards, settings, no_fault):
    respond = site.application.runner.respond
    settings.DJANGO_SYNC = {"WATCH_MS": 50, "HEARTBEAT": 0.05}
    no_fault += ["a connection is closed for a fault"]

    def breaking(scope, *args):
        if scope["path"].endswith("live/stream/"):
            raise OSError("secret")
        return respond(scope, *args)

    async def story():
        async with site.stream(ada) as wire:
            site.application.runner.respond = breaking
            await until(lambda: not site.application.loop_state.open)
            assert wire.start["status"] == 200

    asyncio.run(story())


def test_what_ends_amiss_leaves_nothing_behind(site, ada):
    """A server that breaks off in the middle, without a word that the client is gone."""

    async def story():
        async with site.following(ada) as wire:
            await site.joined(1)
            wire.come({"type": "websocket.nonsense"})
            with pytest.raises(AttributeError):
                await asyncio.wait_for(asyncio.shield(wire.served), 10)
            assert not site.application.loop_state.open
            assert not len(site.application.hub)
            wire.served = None

    asyncio.run(story())


# Streams


@pytest.mark.parametrize(
    ("last", "query", "status"),
    [
        ("x" * 100_000, "", 400),
        ("a\r\nevent: changes", "", 400),
        ("\0", "", 400),
        ("é\xff", "", 400),
        ("", "cursor=%ff%00", 400),
        ("", "cursor=" + "x" * 100_000, 400),
        ("", "collections=" + "cards," * 10_000, 200),
        ("", "collections=%00", 400),
        ("", "wait=99999&limit=-1&session=x", 200),
    ],
)
def test_whatever_a_stream_is_asked_for_has_its_status(site, ada, last, query, status):
    async def story():
        more = [("Range", "bytes=0-5"), ("If-None-Match", "*"), ("Accept-Encoding", "gzip")]
        headers = [ada, *more, *([("Last-Event-ID", last)] if last else [])]
        async with site.stream(*headers, query=query) as wire:
            assert wire.start["status"] == status
            names = [name.lower() for name, _ in wire.start["headers"]]
            assert b"content-encoding" not in names
            assert names.count(b"content-type") == 1

    asyncio.run(story())


def test_what_no_socket_or_stream_is_asked_is_a_problem(boards):
    api = APIClient(raise_request_exception=False)
    api.force_authenticate(boards.ada)
    for path in ("/sync/live/ws/", "/sync/live/stream/"):
        for method, status in (("get", 426), ("head", 426), ("post", 405), ("put", 405)):
            answer = getattr(api, method)(path)
            assert answer.status_code == status, (method, path)
    assert APIClient().get("/sync/live/ws/").status_code == 401

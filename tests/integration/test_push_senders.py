"""Each sender passes one suite, and each meets a service that speaks the real protocol."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command

from django_sync.protocol.signing import Forged, sign, verify
from django_sync.push import locmem, webpush
from django_sync.push.console import Console
from django_sync.push.delivery import pause
from django_sync.push.http import HttpSender, receipt, retry_after
from django_sync.push.locmem import Locmem
from django_sync.push.outbound import Answer
from django_sync.push.sender import Outcome, Wake
from django_sync.push.webhook import Webhook
from django_sync.push.webpush import WebPush
from django_sync.testing.receiver import Reply, receiver
from django_sync.testing.senders import WAKE, SenderContract
from tests.integration.push_cases import BODY, FORGERIES, GOOD, NOW, SECRET
from tests.integration.push_service import Browser, PushService, b64, unb64

SUBJECT = "mailto:ops@example.org"
OPENSSL = "91b5374b153842ad05b2c4eab9349b8321b14703165bd3fb8b034dfb8be98ae5"
KEY = "3ehMbJb1mQ3wmK3eNMQZ0kjCkYUfxHNTNsBIv8gB1pA"


@pytest.fixture(autouse=True)
def here(settings):
    settings.DJANGO_SYNC = {
        "PUSH_ALLOW_PRIVATE": True,
        "PUSH_TIMEOUT": 5,
        "PUSH_VAPID_KEY": KEY,
        "PUSH_VAPID_SUBJECT": SUBJECT,
    }


@pytest.fixture(scope="module")
def listening():
    with receiver() as service:
        yield service
        HttpSender.outbound.close()


@pytest.fixture
def service(listening):
    listening.received.clear()
    listening.replies.clear()
    listening.judge = None
    return listening


class OverHttp(SenderContract):
    @pytest.fixture(autouse=True)
    def its_service(self, service):
        self.service = service

    def answer(self, status: int, headers: Mapping[str, str]) -> None:
        self.service.replies.append(Reply(status, dict(headers)))


class TestWebhook(OverHttp):
    malformed = (
        {},
        {"url": "https://example.org/"},
        {"secret": SECRET},
        {"url": "https://example.org/", "secret": "short"},
        {"url": "https://example.org/", "secret": "x" * 201},
        {"url": "https://example.org/", "secret": None},
        {"url": "https://example.org/", "secret": SECRET + "\0"},
        {"url": "https://example.org/", "secret": SECRET, "method": "PUT"},
        {"url": 5, "secret": SECRET},
        {"url": "ftp://example.org/", "secret": SECRET},
        {"url": "https://ada@example.org/", "secret": SECRET},
    )

    def sender(self):
        return Webhook("webhook")

    def target(self):
        return {"url": self.service.url("/hook?a=b"), "secret": SECRET}

    def messages(self):
        for request in self.service.received:
            assert request.path == "/hook?a=b"
            assert request.headers["content-type"] == "application/json"
            verify(
                SECRET,
                request.body,
                timestamp=request.headers["sync-timestamp"],
                signature=request.headers["sync-signature"],
            )
        return [request.body for request in self.service.received]


class TestWebPush(OverHttp):
    malformed = (
        {},
        {"subscription": None},
        {"subscription": {}},
        {"subscription": Browser().subscription("https://push.example/"), "more": 1},
        {"subscription": Browser().subscription("http://[::1")},
        {"subscription": Browser().subscription("https://push.example/") | {"keys": {}}},
        *(
            {
                "subscription": Browser().subscription("https://push.example/")
                | {"keys": {"p256dh": key, "auth": auth}}
            }
            for key, auth in (
                (b64(b"\x04" + b"\x01" * 64), b64(b"a" * 16)),
                (Browser().subscription("")["keys"]["p256dh"], b64(b"short")),
                (Browser().subscription("")["keys"]["p256dh"], "not base64!"),
                (Browser().subscription("")["keys"]["p256dh"], None),
                (5, b64(b"a" * 16)),
            )
        ),
    )
    browser = Browser()

    @pytest.fixture(autouse=True)
    def its_judge(self, service):
        self.judge = PushService(f"http://127.0.0.1:{service.port}", SUBJECT)
        service.judge = self.judge.judge
        yield
        assert self.judge.problems == []

    def sender(self):
        return WebPush("webpush")

    def target(self):
        return {"subscription": self.browser.subscription(self.service.url("/push/abc"))}

    def messages(self):
        return [self.browser.opened(request.body) for request in self.service.received]

    def test_the_length_of_a_message_tells_no_collection(self):
        self.send()
        self.sender().send(self.target(), Wake(WAKE.session, ("x",)))
        assert len({len(request.body) for request in self.service.received}) == 1

    @pytest.mark.parametrize(("more", "named"), [(0, True), (1, False)])
    def test_the_longest_message_is_sent_whole(self, more, named):
        bare = len(Wake(WAKE.session, ("",)).body)
        names = ("x" * (webpush.MOST - bare + more),)
        assert self.sender().send(self.target(), Wake(WAKE.session, names)).status == 201
        (body,) = self.messages()
        assert json.loads(body)["collections"] == ([*names] if named else [])
        assert (len(self.service.received[0].body) == 4096) is named

    def test_no_two_are_encrypted_alike(self):
        self.send()
        self.send()
        heads = {request.body[:86] for request in self.service.received}
        assert len(heads) == 2, "another salt and another key"

    def test_without_a_key_of_its_own_it_is_refused(self, settings):
        for key, subject in (("", SUBJECT), ("AAAA", SUBJECT), (KEY, ""), (KEY, "me")):
            settings.DJANGO_SYNC = settings.DJANGO_SYNC | {
                "PUSH_VAPID_KEY": key,
                "PUSH_VAPID_SUBJECT": subject,
            }
            receipt = self.send()
            assert (receipt.outcome, receipt.status) == (Outcome.REFUSED, None)
            assert "VAPID" in receipt.problem
            assert key == "" or key not in receipt.problem
        assert self.service.received == []


class TestLocmem(SenderContract):
    malformed = ({},)

    @pytest.fixture(autouse=True)
    def emptied(self):
        locmem.clear()
        yield
        locmem.clear()

    def sender(self):
        return Locmem("webhook")

    def target(self):
        return {"token": "t"}

    def messages(self):
        return [one.wake.body for one in locmem.sent]

    def answer(self, status, headers):
        named = {name.lower(): value for name, value in headers.items()}
        now = datetime.datetime.now(datetime.UTC)
        locmem.answers.append(receipt(Answer(status, named, ""), now))


class TestConsole(SenderContract):
    can_fail = False

    @pytest.fixture(autouse=True)
    def terminal(self, capsys):
        self.capsys = capsys

    def sender(self):
        return Console("fcm")

    def target(self):
        return {"token": "t"}

    def messages(self):
        lines = self.capsys.readouterr().out.splitlines()
        return [line.removeprefix("push fcm: ").encode() for line in lines]


def test_the_example_of_rfc_8291_is_read():
    """Our own other side reads what the RFC's appendix has."""
    private = int.from_bytes(unb64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big")
    key = ec.derive_private_key(private, ec.SECP256R1())
    browser = Browser(key, unb64("BTBZMqHH6r4Tts7J_aSIgg"))
    body = (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
        "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
        "lcy4a-fN"
    )
    assert browser.opened(unb64(body)) == b"When I grow up, I want to be a watermelon"


# Signatures


@pytest.mark.parametrize(
    ("headers", "body", "now"), [f[1:] for f in FORGERIES], ids=[f[0] for f in FORGERIES]
)
def test_a_forged_webhook_is_refused(headers, body, now):
    verify(SECRET, BODY, now=NOW, **GOOD)
    with pytest.raises(Forged):
        verify(SECRET, body, now=now, **headers)


@pytest.mark.parametrize("late", [-300, 0, 300])
def test_a_clock_that_differs_a_little(late):
    verify(SECRET, BODY, now=NOW + late, **GOOD)


def test_the_signature_is_what_the_protocol_says():
    """Reckoned by `printf 1.body | openssl dgst -sha256 -hmac key`."""
    assert sign("key", 1, b"body") == OPENSSL


# Pauses


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30.0),
        ("Mon, 99 Nov 2026", None),
        ("٣", None),
    ],
)
def test_retry_after(text, seconds):
    now = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
    assert retry_after(text, now) == seconds


def test_pauses_grow_and_are_spread():
    for failures, most in ((1, 5), (2, 10), (3, 20), (20, 3600), (10_000, 3600)):
        rolled = [pause(failures, None, first=5, most=3600) for _ in range(400)]
        assert all(0 <= one <= most for one in rolled)
        assert min(rolled) < most * 0.1, "full jitter begins at nothing"
        assert max(rolled) > most * 0.9
    asked = [pause(1, 60, first=5, most=3600) for _ in range(100)]
    assert all(60 <= one <= 65 for one in asked)
    assert len(set(asked)) > 50, "who was told the same time does not come back together"


# The key


def test_sync_vapid_makes_a_key_that_works(settings):
    settings.DJANGO_SYNC = {}
    out = StringIO()
    call_command("sync_vapid", SUBJECT, "--json", stdout=out)
    told = json.loads(out.getvalue())
    key = webpush.private_key(told["PUSH_VAPID_KEY"])
    numbers = key.public_key.public_numbers()
    assert unb64(told["public_key"])[1:33] == numbers.x.to_bytes(32, "big")
    out = StringIO()
    call_command("sync_vapid", SUBJECT, stdout=out)
    assert told["PUSH_VAPID_KEY"] not in out.getvalue(), "another one each time"
    made: dict[str, object] = {}
    exec(out.getvalue(), made)
    settings.DJANGO_SYNC = made["DJANGO_SYNC"]
    with pytest.raises(CommandError, match="already"):
        call_command("sync_vapid", SUBJECT)


def test_sync_vapid_wants_to_know_whom_to_write_to(settings):
    settings.DJANGO_SYNC = {}
    with pytest.raises(CommandError, match="mailto"):
        call_command("sync_vapid", "ops@example.org")

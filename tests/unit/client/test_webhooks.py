"""Webhooks: what is the server's own is taken, once it is remembered; nothing else is."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from django_sync.client.webhooks import MOST, Forged, Receiver, verify

SECRET = "a secret that is long enough"
BODY = json.dumps({"type": "sync", "session": "s", "collections": ["cards"]}).encode()
NOW = 1_795_000_000


def signature(timestamp: str = str(NOW), body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed(**changes: Any) -> dict[str, str]:
    headers = {"Sync-Timestamp": str(NOW), "Sync-Signature": signature(), **changes}
    return {name: value for name, value in headers.items() if value is not None}


@pytest.fixture
def woken() -> list[bytes]:
    return []


@pytest.fixture
def receiver(woken: list[bytes]) -> Receiver:
    def wake(body: bytes) -> bool:
        woken.append(body)
        return True

    return Receiver(SECRET, wake, now=lambda: NOW)


def test_the_servers_own_is_taken(receiver: Receiver, woken: list[bytes]) -> None:
    assert receiver.receive(signed(), BODY) == 204
    assert woken == [BODY]


def test_a_signature_that_openssl_made() -> None:
    """printf '1700000000.{"type":"sync"}' | openssl dgst -sha256 -hmac 'sixteen letters!'"""
    signature = "db712f1026b2298a7561a50aa6fd6dd649d36d09750c0cab09340fb09e579062"
    headers = {"sync-timestamp": "1700000000", "SYNC-SIGNATURE": signature}
    verify("sixteen letters!", headers, b'{"type":"sync"}', now=1_700_000_000)
    with pytest.raises(Forged, match="does not fit"):
        verify("sixteen letters!", headers, b'{"type": "sync"}', now=1_700_000_000)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(**{"Sync-Signature": None}),
        signed(**{"Sync-Timestamp": None}),
        signed(**{"Sync-Signature": ""}),
        signed(**{"Sync-Signature": signature(secret="another")}),
        signed(**{"Sync-Signature": signature(body=b"{}")}),
        signed(**{"Sync-Timestamp": str(NOW + 1)}),
        signed(**{"Sync-Signature": "é" * 64}),
        signed(**{"Sync-Timestamp": "-1", "Sync-Signature": signature("-1")}),
        signed(**{"Sync-Timestamp": "١", "Sync-Signature": signature("١")}),
        signed(**{"Sync-Timestamp": "9" * 5000, "Sync-Signature": signature("9" * 5000)}),
    ],
)
def test_what_is_forged_wakes_nobody(
    headers: dict[str, str], receiver: Receiver, woken: list[bytes]
) -> None:
    assert receiver.receive(headers, BODY) == 401
    assert woken == []


@pytest.mark.parametrize(("off", "status"), [(-301, 401), (-300, 204), (300, 204), (301, 401)])
def test_a_replay_is_taken_within_the_window_alone(off: int, status: int) -> None:
    receiver = Receiver(SECRET, lambda body: True, now=lambda: NOW + off)
    assert receiver.receive(signed(), BODY) == status


def test_one_that_cannot_be_remembered_is_not_acknowledged() -> None:
    def full(body: bytes) -> bool:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        Receiver(SECRET, full, now=lambda: NOW).receive(signed(), BODY)


def call(receiver: Receiver, body: bytes = BODY, **environ: Any) -> str:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), **environ}
    environ |= {"HTTP_SYNC_TIMESTAMP": str(NOW), "HTTP_SYNC_SIGNATURE": signature(body=body)}
    environ["wsgi.input"] = io.BytesIO(body + b"more")
    setup_testing_defaults(environ)
    answers: list[str] = []
    assert list(receiver(environ, lambda status, headers: answers.append(status))) == []
    [status] = answers
    return status


def test_it_is_a_wsgi_application(receiver: Receiver, woken: list[bytes]) -> None:
    assert call(receiver) == "204 No Content"
    assert woken == [BODY]
    assert call(receiver, REQUEST_METHOD="GET").startswith("405")
    assert call(receiver, CONTENT_LENGTH="").startswith("411")
    assert call(receiver, CONTENT_LENGTH="-1").startswith("411")
    assert call(receiver, CONTENT_LENGTH=str(MOST + 1)).startswith("413")
    assert call(receiver, CONTENT_LENGTH="9" * 5000).startswith("413")
    assert len(woken) == 1

"""A real server and raw TCP: what no client library would send. Others notice nothing."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import struct
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from example_project.boards.models import Card
from tests import processes as p
from tests.integration.wire import bearer

HELLO = {"type": "hello", "protocol": 1, "collections": ["cards"]}


@pytest.fixture
def place(boards, processes):
    processes.server(HEARTBEAT=2, WATCH_MS=50, SOCKET_FRAMES=100_000)
    return urlsplit(processes.url)


def upgraded(place, token, *, complete=True):
    """A connection that asked for a WebSocket, and says nothing more."""
    tcp = socket.create_connection((place.hostname, place.port), 20)
    key = base64.b64encode(os.urandom(16)).decode()
    asked = (
        f"GET /sync/live/ws/ HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Authorization: {token}\r\n"
    )
    tcp.sendall(asked.encode() + (b"\r\n" if complete else b""))
    return tcp


def ws(opcode, payload, *, final=True):
    """One masked frame of WebSocket's."""
    size = len(payload)
    head = bytes([(0x80 if final else 0) | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 2**16:
        head += b"\xfe" + struct.pack("!H", size)
    else:
        head += b"\xff" + struct.pack("!Q", size)
    return head + b"\0\0\0\0" + payload  # a mask of zeros changes nothing


def closing(tcp, *codes):
    """Read on until the close with one of these codes; what was sent before it."""
    found, sought = b"", [struct.pack("!H", code) for code in codes]
    tcp.settimeout(p.DEADLINE)
    while not any(code in found[-300:] for code in sought):
        part = tcp.recv(65536)
        assert part, f"it ended without {codes}"
        found += part
    tcp.close()
    return found


def test_what_comes_over_raw_tcp_ends_and_others_notice_nothing(place, boards, processes, capfd):
    evil, good = bearer(boards.ada)[1], bearer(boards.grace)[1]
    url = f"ws://{place.netloc}/sync/live/ws/"
    with connect(url, additional_headers={"Authorization": good}) as other:
        other.send(json.dumps(HELLO))
        said = 0

        def hears(title):
            nonlocal said
            Card.objects.create(board=boards.launch, title=title)
            while True:
                frame = json.loads(other.recv(20))
                if frame["type"] == "changes":
                    said += 1
                    other.send(json.dumps({"type": "ack", "frames": said}))
                    if title in json.dumps(frame):
                        return

        hears("at first")
        half = upgraded(place, evil, complete=False)
        silent = upgraded(place, evil)
        for _ in range(5):  # gone in the middle of a frame
            reset = upgraded(place, evil)
            reset.sendall(ws(1, json.dumps(HELLO).encode())[:9])
            reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reset.close()
        endless = upgraded(place, evil)
        endless.sendall(ws(1, b'{"type":"', final=False))
        part = ws(0, b"x" * 2**20, final=False)
        for _ in range(17):  # uvicorn takes 16 MiB
            with contextlib.suppress(ConnectionError):
                endless.sendall(part)
        endless.close()
        deaf = upgraded(place, evil)
        deaf.sendall(ws(1, json.dumps(HELLO).encode()))
        hears("meanwhile")
        deaf.settimeout(0.3)
        with contextlib.suppress(TimeoutError, ConnectionError):  # until it is read no more
            for _ in range(20):
                deaf.sendall(ws(1, b'{"type":"ping"}') * 1000)
        hears("afterwards")
        closing(silent, 4408)
        hears("later")
        closing(deaf, 4408, 4429)  # what two kernels' buffers held, or more than that
        hears("at last")
        half.close()
    assert "django_sync" not in capfd.readouterr().err

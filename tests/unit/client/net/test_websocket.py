"""Sockets and streams over TCP: read, written, cut, and closed from another thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Pong, Request, TextMessage

from django_sync import errors
from django_sync.client import Backoff, TokenAuth
from django_sync.client.net import websocket
from django_sync.client.net.http import Network
from django_sync.client.net.sse import EventStream
from django_sync.client.waker import Waker
from django_sync.testing.clocks import DEADLINE, Clock, until

Talk = Callable[[socket.socket, WSConnection], None]


class Server:
    """Accepts one connection after the other, and gives each to what the test says."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.talk: Callable[[socket.socket], None] = lambda connection: None
        self.heads: list[bytes] = []
        self.received: list[Any] = []
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            with contextlib.suppress(OSError):  # It may be closed in the middle of a word.
                self.talk(connection)

    def upgrade(self, *frames: Any, accept: bool = True) -> Callable[[socket.socket], None]:
        """Take the upgrade, say the frames in the same packet, then hear what comes."""

        def talk(connection: socket.socket) -> None:
            wire = WSConnection(ConnectionType.SERVER)
            while data := connection.recv(65_536):
                wire.receive_data(data)
                for event in wire.events():
                    self.received.append(event)
                    if isinstance(event, Request):
                        self.heads.append(data)
                        answer = wire.send(AcceptConnection())
                        if not accept:
                            answer = answer.replace(b"sec-websocket-accept: ", b"x-accept: ")
                            answer = answer.replace(b"Sec-WebSocket-Accept: ", b"x-accept: ")
                        connection.sendall(answer + b"".join(wire.send(f) for f in frames))

        return talk

    def answer(self, text: bytes) -> Callable[[socket.socket], None]:
        def talk(connection: socket.socket) -> None:
            self.heads.append(connection.recv(65_536))
            connection.sendall(text)

        return talk

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(10)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def network(server: Server) -> Iterator[Network]:
    network = Network(
        f"http://127.0.0.1:{server.port}/sync/",
        TokenAuth("secret"),
        backoff=Backoff(attempts=1),
        sleep=lambda seconds: None,
        now=Clock().now,
    )
    yield network
    network.close()


def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/sync/live/ws/?ticket=t"


def after(connection: Any) -> list[Any]:
    """All that arrived, and why it ended."""
    found: list[Any] = []

    def drain() -> bool:
        try:
            while (frame := connection.queue.next()) is not None:
                found.append(frame)
        except errors.SyncError as error:
            found.append(error)
            return True
        return False

    until(drain, "the connection ends")
    return found


def test_frames_come_and_go(server: Server, network: Network) -> None:
    """Those that came in one packet with the answer to the upgrade, too."""
    parts = [TextMessage('{"type": "po', message_finished=False), TextMessage('ng"}')]
    server.talk = server.upgrade(TextMessage('{"type": "welcome"}'), *parts, Ping(b"x"))
    connection = websocket.connect(network, url(server), Waker())
    found: list[Any] = []

    def both() -> bool:
        found.extend(frame for frame in [connection.queue.next()] if frame)
        return len(found) == 2

    until(both, "both are there")
    assert [frame["type"] for frame in found] == ["welcome", "pong"]
    connection.send('{"type": "hello"}')
    until(lambda: len(server.received) == 3, "it hears")
    assert {type(event) for event in server.received} == {Request, Pong, TextMessage}
    connection.close()
    until(lambda: isinstance(server.received[-1], CloseConnection), "it hears goodbye")
    assert server.received[-1].code == 1000
    assert not connection._thread.is_alive()
    assert b"secret" not in server.heads[0]
    assert b"GET /sync/live/ws/?ticket=t " in server.heads[0]


@pytest.mark.parametrize("code", [1000, 4401, 4410, 4429])
def test_a_close_says_why(server: Server, network: Network, code: int) -> None:
    server.talk = server.upgrade(TextMessage('{"type": "pong"}'), CloseConnection(code, "so"))
    found = after(websocket.connect(network, url(server), Waker()))
    assert found[0] == {"type": "pong"}
    kinds = {
        4401: errors.NotAuthenticated,
        4410: errors.CursorExpired,
        4429: errors.Throttled,
    }
    assert type(found[1]) is kinds.get(code, errors.Offline)
    assert f"({code}: so)" in found[1].detail


def test_it_is_cut_while_it_waits(server: Server, network: Network) -> None:
    """As ``stop()`` does, whose thread waits for nobody."""
    server.talk = server.upgrade()
    connection = websocket.connect(network, url(server), Waker())
    network.cutter.cut()
    assert isinstance(after(connection)[-1], errors.Offline)
    connection.close()
    assert not connection._thread.is_alive()
    with pytest.raises(errors.Offline):
        connection.send("{}")


def test_a_reader_that_nobody_empties_ends_when_it_is_closed(
    server: Server, network: Network
) -> None:
    server.talk = server.upgrade(*[TextMessage('{"type": "pong"}')] * 40)
    connection = websocket.connect(network, url(server), Waker())
    until(lambda: len(connection.queue._frames) == 16, "it is full")
    connection.close()
    assert not connection._thread.is_alive()


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"HTTP/1.1 404 Not Found", errors.NotFound),
        (b"HTTP/1.1 403 Forbidden", errors.PermissionDenied),
        (b"HTTP/1.1 503 Busy", errors.Unavailable),
        (b"HTTP/1.1 200 OK", errors.Offline),
    ],
)
def test_no_upgrade(server: Server, network: Network, head: bytes, error: Any) -> None:
    server.talk = server.answer(head + b"\r\nContent-Length: 2\r\n\r\nno")
    with pytest.raises(error):
        websocket.connect(network, url(server), Waker())


def test_another_kind_of_upgrade(server: Server, network: Network) -> None:
    server.talk = server.upgrade(accept=False)
    with pytest.raises(errors.NotFound):
        websocket.connect(network, url(server), Waker())


def test_events_come_until_they_are_silent_for_too_long(server: Server, network: Network) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    frame = b'event: cursor\nid: c\ndata: {"type": "cursor",\ndata: "cursor": "c"}\n\n'
    bare = b'event: error\ndata: {"type": "about:blank", "code": "cursor_expired"}\n\n'
    server.talk = server.answer(head + b": heartbeat\n\n" + frame + bare + b"event: cur")
    connection = EventStream(network.stream("live/stream/", {"cursor": "b"}, 0.05), Waker())
    connection.open()
    found = after(connection)
    assert found[0] == {"type": "cursor", "cursor": "c"}
    assert found[1]["problem"]["code"] == "cursor_expired"
    assert "ReadTimeout" in found[2].detail
    assert b"GET /sync/live/stream/?cursor=b " in server.heads[0]
    assert b"Token secret" in server.heads[0]
    connection.close()


def test_a_stream_is_closed_while_it_waits(server: Server, network: Network) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    server.talk = server.answer(head)
    connection = EventStream(network.stream("live/stream/", {}, DEADLINE), Waker())
    connection.open()
    connection.close()
    assert not connection._thread.is_alive()


def test_what_is_no_stream_is_none(server: Server, network: Network) -> None:
    server.talk = server.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    connection = EventStream(network.stream("live/stream/", {}, 1), Waker())
    connection.open()
    (end,) = after(connection)
    assert isinstance(end, errors.Offline)
    connection.close()

"""Requests over real sockets, cut in the middle by another thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from django_sync import errors
from django_sync.client import Backoff
from django_sync.client.net.cancel import Interrupted
from django_sync.client.net.http import Network
from django_sync.testing.clocks import Clock, until


class Silent:
    """A server that takes requests and answers only the first ``answers`` of them."""

    def __init__(self, answers: int) -> None:
        self.received = 0
        self._answers = answers
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
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
            while connection.recv(65536):
                self.received += 1
                if self.received <= self._answers:
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    connection.sendall(head + b"Content-Length: 2\r\n\r\n{}")

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)
        for connection in self._open:
            connection.close()


@pytest.fixture(params=[0, 1], ids=["new connection", "kept connection"])
def silent(request: Any) -> Iterator[Silent]:
    server = Silent(request.param)
    yield server
    server.close()


def network(port: int) -> Network:
    return Network(
        f"http://127.0.0.1:{port}/",
        None,
        backoff=Backoff(attempts=1),
        sleep=lambda seconds: None,
        now=Clock().now,
    )


def hold(calls: Network, raised: list[type[Exception]]) -> None:
    try:
        calls.get_held("live/changes/", {}, 600)
    except (Interrupted, errors.SyncError) as error:
        raised.append(type(error))


def test_a_held_request_ends_when_it_is_cut(silent: Silent) -> None:
    calls = network(silent.port)
    for _ in range(silent._answers):
        calls.get("")
    for _ in range(2):
        before = silent.received
        calls.cutter.mend()
        raised: list[type[Exception]] = []
        thread = threading.Thread(target=hold, args=(calls, raised))
        thread.start()
        until(lambda n=before: silent.received > n, "the request has arrived")
        calls.cutter.cut()
        thread.join(10)
        assert not thread.is_alive()
        assert raised == [Interrupted]
    calls.close()


def test_what_is_cut_before_it_begins_does_not_begin(silent: Silent) -> None:
    calls = network(silent.port)
    for _ in range(silent._answers):
        calls.get("")
    received = silent.received
    calls.cutter.cut()
    with pytest.raises(Interrupted):
        calls.get_held("live/changes/", {}, 600)
    trace = calls.cutter.trace
    with pytest.raises(Interrupted):  # past the first look, and stopped at the next step
        calls._http.get("live/changes/", extensions={"trace": trace})
    assert silent.received == received
    calls.cutter.mend()
    if silent._answers:
        silent._answers += 1
        assert calls.get("") == {}
    calls.close()


def test_a_transport_that_was_handed_in_is_asked_to_cut() -> None:
    class Own(httpx2.BaseTransport):
        cuts = 0

        def cut(self) -> None:
            self.cuts += 1

    own = Own()
    calls = Network(
        "http://sync.test/",
        None,
        backoff=Backoff(),
        sleep=lambda seconds: None,
        now=Clock().now,
        transport=own,
    )
    calls.cutter.cut()
    assert own.cuts == 1
    calls.close()

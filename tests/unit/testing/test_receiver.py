"""The service that tests of push send to."""

import socket

import httpx2

from django_sync.testing.receiver import receiver


def test_a_request_whose_sender_dies_before_its_body_is_not_received() -> None:
    with receiver() as service:
        with socket.create_connection(("127.0.0.1", service.port), 10) as half:
            half.sendall(b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            half.shutdown(socket.SHUT_WR)
            assert half.recv(1) == b"", "it gets no answer"
        assert service.received == []
        assert httpx2.post(service.url("/hook"), content=b"{}").is_success
        assert [request.body for request in service.received] == [b"{}"]

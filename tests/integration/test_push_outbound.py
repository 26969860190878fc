"""The way out: no wake-up reaches what only this server can reach, however it is led there."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from django_sync.push import outbound as outbound_module
from django_sync.push.address import NEVER, Unsafe, parsed, why_not
from django_sync.push.outbound import MOST, Outbound, Unreachable
from django_sync.testing.receiver import Reply, receiver
from tests.integration.push_cases import URLS

PUBLIC = "93.184.215.14"


@pytest.fixture
def way_out():
    """Makes ways out whose connections end with the test."""
    made = []

    def make(*args):
        made.append(Outbound(*args))
        return made[-1]

    yield make
    for out in made:
        out.close()


@pytest.fixture(autouse=True)
def as_it_comes(settings):
    settings.DJANGO_SYNC = {"PUSH_TIMEOUT": 2}


@pytest.fixture
def private(settings):
    settings.DJANGO_SYNC = {"PUSH_TIMEOUT": 2, "PUSH_ALLOW_PRIVATE": True}


@pytest.fixture
def connects(monkeypatch):
    """Each connection that is tried; none is made."""
    tried = []

    def refuse(self, host, port, *args, **kwargs):
        tried.append((host, port))
        raise outbound_module.httpcore2.ConnectError("not here")

    monkeypatch.setattr(outbound_module.httpcore2.SyncBackend, "connect_tcp", refuse)
    return tried


@pytest.mark.parametrize(("url", "found"), [c[1:] for c in URLS], ids=[c[0] for c in URLS])
def test_nothing_is_sent_there(connects, url, found, way_out):
    asked = []

    def resolve(host, port):
        asked.append(host)
        return list(found)

    with pytest.raises(Unsafe):
        way_out(resolve).post(url, {}, b"x")
    assert connects == []
    assert bool(asked) == bool(found), "what can be seen in the URL is not looked up"


@pytest.mark.parametrize(
    "url", ["https://push.example/", "https://Push.Example./x?y=z", f"https://{PUBLIC}/"]
)
def test_a_public_address_is_connected_to(connects, url, way_out):
    with pytest.raises(Unreachable):
        way_out(lambda host, port: [PUBLIC]).post(url, {}, b"x")
    assert connects == [(PUBLIC, 443)]


@pytest.mark.parametrize("network", [network for network, _ in NEVER])
def test_both_ends_of_each_network_are_refused(network):
    found = ipaddress.ip_network(network)
    assert why_not(found[0])
    assert why_not(found[-1])


def test_what_python_calls_private_is_refused_too():
    """Two lists, made by others, that have to agree on a sample of all addresses."""
    import random

    roll = random.Random(7)
    for _ in range(5_000):
        v4 = ipaddress.IPv4Address(roll.getrandbits(32))
        v6 = ipaddress.IPv6Address(roll.getrandbits(128))
        for address in (v4, v6):
            if not address.is_global or address.is_multicast:
                assert why_not(address), address
    assert why_not(ipaddress.ip_address(PUBLIC)) is None
    assert why_not(ipaddress.ip_address("2606:4700::1111")) is None


def test_a_name_that_changes_between_the_look_and_the_connection(connects, way_out):
    """DNS rebinding: it is looked up once, and what was looked at is connected to."""
    answers = [[PUBLIC], ["127.0.0.1"]]
    with pytest.raises(Unreachable):
        way_out(lambda host, port: answers.pop(0)).post("https://rebind.example/", {}, b"x")
    assert connects == [(PUBLIC, 443)]
    assert answers == [["127.0.0.1"]], "it was asked once"


def test_ports_are_a_setting(connects, settings, way_out):
    settings.DJANGO_SYNC = {"PUSH_PORTS": [443, 8443]}
    with pytest.raises(Unreachable):
        way_out(lambda host, port: [PUBLIC]).post("https://push.example:8443/", {}, b"x")
    assert connects == [(PUBLIC, 8443)]


def test_proxies_of_the_environment_are_not_used(connects, monkeypatch, way_out):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    with pytest.raises(Unreachable):
        way_out(lambda host, port: [PUBLIC]).post("https://push.example/", {}, b"x")
    assert connects == [(PUBLIC, 443)]


def test_private_addresses_where_they_are_allowed(private, way_out):
    with receiver() as service:
        answer = way_out().post(service.url("/a?b"), {"X-Y": "z"}, b"body")
        (request,) = service.received
    assert answer.status == 201
    assert (request.path, request.body, request.headers["x-y"]) == ("/a?b", b"body", "z")
    assert request.headers["host"] == f"127.0.0.1:{service.port}"


def test_redirects_are_not_followed(private, way_out):
    with receiver() as service, receiver() as inner:
        service.replies.append(Reply(307, {"Location": inner.url("/secret")}))
        assert way_out().post(service.url(), {}, b"x").status == 307
        assert inner.received == []


def test_connections_are_used_again(private, way_out):
    asked = []

    def resolve(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    with receiver() as service:
        out = way_out(resolve)
        for _ in range(5):
            out.post(service.url(host="push.example"), {}, b"x")
        assert len(service.received) == 5
    assert asked == ["push.example"]


# Time and size


def test_a_long_answer_is_not_read(private, way_out):
    with receiver() as service:
        service.replies.append(Reply(500, body=b"x" * 50_000_000))
        assert len(way_out().post(service.url(), {}, b"x").text) == MOST


@pytest.mark.parametrize("body", [b"x" * 1000, b"\r\n" * 500])
def test_who_drips_is_cut_off(private, settings, body, way_out):
    """Each byte comes in time, the whole does not."""
    settings.DJANGO_SYNC = {"PUSH_TIMEOUT": 1, "PUSH_ALLOW_PRIVATE": True}
    with receiver() as service:
        service.replies.append(Reply(500, body=body, drip=0.02))
        began = time.monotonic()
        with pytest.raises(Unreachable):
            way_out().post(service.url(), {}, b"x")
        assert time.monotonic() - began < 3


def test_who_takes_the_connection_and_says_nothing(private, settings, way_out):
    settings.DJANGO_SYNC = {"PUSH_TIMEOUT": 1, "PUSH_ALLOW_PRIVATE": True}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for scheme in ("http", "https"):
            began = time.monotonic()
            with pytest.raises(Unreachable):
                way_out().post(f"{scheme}://127.0.0.1:{port}/", {}, b"x")
            assert time.monotonic() - began < 3


def test_a_name_server_that_says_nothing(settings, way_out):
    settings.DJANGO_SYNC = {"PUSH_TIMEOUT": 1}
    never = threading.Event()
    with pytest.raises(Unreachable, match="took too long"):
        way_out(lambda host, port: [PUBLIC] if never.wait(20) else []).post(
            "https://push.example/", {}, b"x"
        )
    never.set()


@pytest.mark.parametrize(
    "wrong", [socket.gaierror(-2, "unknown"), UnicodeError("label too long"), None], ids=repr
)
def test_a_name_that_is_not_to_be_found(wrong, way_out):
    def resolve(host, port):
        if wrong is not None:
            raise wrong
        return []

    with pytest.raises(Unreachable):
        way_out(resolve).post("https://push.example/", {}, b"x")


@pytest.mark.parametrize(
    "said",
    [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nA: " + b"x" * 300_000],
    ids=["nothing", "ssh", "half a line", "endless headers"],
)
def test_who_speaks_something_else(private, said, way_out):
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer():
            there, _ = other.accept()
            with there:
                there.recv(65536)
                there.sendall(said)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(Unreachable):
            way_out().post(f"http://127.0.0.1:{other.getsockname()[1]}/", {}, b"x")
        thread.join(10)


# TLS: the name is asked for, though an address is connected to


def certified(*names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS with a certificate of these names, and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(pem + secret)
        file.flush()
        server.load_cert_chain(file.name)
    return server, ssl.create_default_context(cadata=pem.decode())


def test_tls_asks_for_the_name_and_not_for_the_address(private, way_out):
    server, trust = certified("push.example")
    asked = []
    server.sni_callback = lambda sock, name, context: asked.append(name)
    with receiver(server) as service:
        out = way_out(lambda host, port: ["127.0.0.1"], trust)
        assert out.post(service.url("/x", host="push.example"), {}, b"x").status == 201
        assert asked == ["push.example"]
        assert service.received[0].headers["host"] == f"push.example:{service.port}"
        with pytest.raises(Unreachable, match=r"(?i)certificate|hostname"):
            out.post(service.url("/x", host="other.example"), {}, b"x")
        with pytest.raises(Unreachable, match=r"(?i)certificate"):
            way_out(lambda host, port: ["127.0.0.1"]).post(
                service.url("/x", host="push.example"), {}, b"x"
            )
        assert len(service.received) == 1


def test_an_origin_is_written_as_browsers_do():
    for url, origin in (
        ("https://Push.Example/a", "https://push.example"),
        ("https://push.example:443/a", "https://push.example"),
        ("https://push.example:8443/a", "https://push.example:8443"),
        ("http://[::1]:80/", "http://[::1]"),
        ("http://[::1]:81/", "http://[::1]:81"),
    ):
        assert parsed(url, ports=[443], private=True).origin == origin

"""Parties to which the JavaScript client comes beside the Python one, in Node and in Chromium."""

from __future__ import annotations

import functools
import importlib.util
import mimetypes
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from django_sync.client import Auth
from tests.javascript.test_javascript import flags, node

from .crowd import Crowd
from .guest import Guest
from .lively import STORMY, hold_lively_party, lively
from .party import Act, Party
from .remote import HERE
from .remote_guest import RemoteGuest
from .serving import PutIn

ROOT = Path(__file__).resolve().parents[2]
SERVED = ("/tests/party/javascript/", "/django_sync/static/django_sync/")
"""The files of a guest in a page: its own, and the client's."""

WAYS = {
    "ada": "websocket",
    "ada in Node": "websocket",
    "grace in Node": "sse",
    "alan in Node": "long-poll",
    "alan": "sse",
    "ada in Node again": "poll",
}
IN_CHROMIUM = "grace in Chromium"


def in_node(url: str) -> Sequence[str]:
    return _node()


@functools.cache
def _node() -> Sequence[str]:
    found = node()
    return [found, *flags(found), str(HERE / "terminal.js")]


def in_chromium(url: str) -> Sequence[str]:
    host = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    return [sys.executable, str(HERE / "chromium.py"), f"{host}{SERVED[0]}guest.html"]


def needs_chromium() -> None:
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("Playwright is not installed here")
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium")):
        pytest.skip("there is no chromium on the PATH, and CHROMIUM names none")


def serve_the_pages() -> None:
    """In the server's process: have it serve the files of guests in pages too."""
    from example_project import asgi

    application = asgi.application

    async def paged(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        file = ROOT / path.lstrip("/")
        if not path.startswith(SERVED) or not file.is_file():
            return await application(scope, receive, send)
        kind = mimetypes.guess_type(file.name)[0] or "text/plain"
        head = {"type": "http.response.start", "status": 200}
        await send(head | {"headers": [(b"content-type", kind.encode())]})
        await send({"type": "http.response.body", "body": file.read_bytes()})
        return None

    asgi.application = paged  # type: ignore[assignment]  # replaced for this run


class MixedCrowd(Crowd):
    """Guests by the Python client, and by the JavaScript one where the name says so."""

    def __init__(self, *args: Any, fault: str | None = None, **more: Any) -> None:
        self.fault = fault
        super().__init__(*args, **more)

    def invite(
        self, name: str, auth: Auth, path: Path, url: str, transport: httpx2.BaseTransport
    ) -> Guest:
        command = in_node if "Node" in name else in_chromium if "Chromium" in name else None
        if command is None:
            return super().invite(name, auth, path, url, transport)
        told = {
            "way": self.ways[name],
            "seed": self.seed,
            "fault": self.fault,
            "command": staticmethod(command),
            "vanishes": command is in_chromium,
        }
        kind: Callable[..., Guest] = type("Guest", (RemoteGuest,), told)
        return kind(name, auth, path, url, self.host.collections, None)


def network_goes(party: Party) -> None:
    """A guest's network is gone, and they know it; what is open breaks."""
    guest = party.anyone
    if isinstance(guest, RemoteGuest):
        guest.network.goes()


def network_comes(party: Party) -> None:
    for guest in party.guests.values():
        if isinstance(guest, RemoteGuest):
            guest.network.comes()


MIXED: Mapping[Act, float] = {**STORMY, lively(network_goes): 2, lively(network_comes): 2}


def hold_mixed_party(
    seed: int,
    processes: Any,
    folder: Path,
    *,
    ways: Mapping[str, str] = WAYS,
    put_in: PutIn = serve_the_pages,
    **more: Any,
) -> list[str]:
    """The lively party, with JavaScript at the table."""
    _node()
    return hold_lively_party(
        seed,
        processes,
        folder,
        ways=ways,
        kind=MixedCrowd,
        stormy=MIXED,
        put_in=put_in,
        **more,
    )

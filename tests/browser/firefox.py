"""Debian's Firefox by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): no driver is needed.

Playwright drives a Firefox of its own make alone, and other drivers are not on PyPI. Pages are
asked and acted upon by scripts, which is all that a story needs.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.docs.running import free_port

from .site import DEADLINE, until

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """One process; ``page`` opens tabs in profiles of their own."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.call("session.new", capabilities={})

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command's result."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._connection.recv(DEADLINE))
            if told.get("id") == number:
                assert told["type"] == "success", told
                return dict(told["result"])

    def profile(self) -> str:
        """Cookies and storage of its own."""
        return str(self.call("browser.createUserContext")["userContext"])

    def page(self, profile: str, url: str) -> FirefoxPage:
        """A tab there."""
        told = self.call("browsingContext.create", type="tab", userContext=profile)
        page = FirefoxPage(self, str(told["context"]))
        page.go(url)
        return page


class FirefoxPage:
    """A tab."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox = firefox
        self._context = context

    def go(self, url: str) -> None:
        """Load a page, whole."""
        told = {"context": self._context, "url": url, "wait": "complete"}
        self._firefox.call("browsingContext.navigate", **told)

    def reload(self) -> None:
        self._firefox.call("browsingContext.reload", context=self._context, wait="complete")

    def ask(self, function: str, *args: Any) -> Any:
        """What a function of the page's returns, or its promise brings; plain data both ways."""
        body = f"async () => JSON.stringify(await ({function})(...{json.dumps(args)}) ?? null)"
        told = self._firefox.call(
            "script.callFunction",
            functionDeclaration=body,
            target={"context": self._context},
            awaitPromise=True,
        )
        assert told["type"] == "success", told
        return json.loads(told["result"]["value"])


@contextmanager
def running(folder: Path) -> Iterator[Firefox]:
    """A Firefox without a screen, whose profile is in a folder."""
    assert FIREFOX is not None
    port = free_port()
    command = [FIREFOX, "--headless", "--no-remote", "--profile", str(folder)]
    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--remote-debugging-port={port}", "about:blank"], stdout=log, stderr=log
        )
    try:
        with _connected(process, port) as connection:
            yield Firefox(connection)
    finally:
        process.kill()
        process.wait()


def _connected(process: subprocess.Popen[bytes], port: int) -> ClientConnection:
    made: list[ClientConnection] = []

    def listens() -> bool:
        assert process.poll() is None, "Firefox has ended"
        with suppress(OSError, WebSocketException):
            made.append(connect(f"ws://127.0.0.1:{port}/session", max_size=None, proxy=None))
        return bool(made)

    until(listens, "Firefox listens")
    return made[0]

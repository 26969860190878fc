"""WebKit as Debian has it, which is what Safari is made of, by its own WebDriver
(https://www.w3.org/TR/webdriver2/). A driver has one session, so each profile has a driver.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.docs.running import free_port

from .site import DEADLINE, until

DRIVER = shutil.which("WebKitWebDriver")
SCREEN = shutil.which("Xvfb")
BROWSER = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"), None)


class WebKit:
    """Profiles, each a browser of its own; ``page`` opens tabs in them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self._log = stack.enter_context((folder / "webkit.log").open("wb"))
        self._display = self._screen()

    def _screen(self) -> str:
        assert SCREEN is not None
        read, write = os.pipe()
        command = [SCREEN, "-displayfd", str(write), "-screen", "0", "1300x900x24"]
        self._started(command, pass_fds=(write,))
        os.close(write)
        with os.fdopen(read) as told:
            return f":{told.readline().strip()}"

    def _started(self, command: list[str], **how: Any) -> None:
        process = subprocess.Popen(command, stdout=self._log, stderr=self._log, **how)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)

    def profile(self) -> Session:
        """Cookies and storage of its own."""
        assert DRIVER is not None
        port = free_port()
        # Within a container its sandbox cannot be made.
        surroundings = {"DISPLAY": self._display, "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        self._started([DRIVER, f"--port={port}"], env=os.environ | surroundings)
        made = Session(port)
        self._stack.callback(made.end)
        return made

    def page(self, profile: Session, url: str) -> WebKitPage:
        """A tab there."""
        told = profile.call("POST", "/window/new", {"type": "tab"})
        page = WebKitPage(profile, str(told["handle"]))
        page.go(url)
        return page


class Session:
    """One driver and its browser."""

    def __init__(self, port: int) -> None:
        self._at = f"http://127.0.0.1:{port}"
        until(self._is_ready, "WebKit's driver is ready")
        options = {"binary": str(BROWSER), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        told = self._call("POST", "/session", {"capabilities": wanted})
        self._at += f"/session/{told['sessionId']}"

    def _is_ready(self) -> bool:
        try:
            return bool(self._call("GET", "/status")["ready"])
        except OSError:
            return False

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A command's value."""
        return self._call(method, path, body)

    def end(self) -> None:
        self._call("DELETE", "")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._at + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.load(answer)["value"]


class WebKitPage:
    """A tab."""

    def __init__(self, session: Session, handle: str) -> None:
        self._session = session
        self._handle = handle

    def _call(self, path: str, body: dict[str, Any]) -> Any:
        self._session.call("POST", "/window", {"handle": self._handle})
        return self._session.call("POST", path, body)

    def go(self, url: str) -> None:
        """Load a page, whole."""
        self._call("/url", {"url": url})

    def reload(self) -> None:
        self._call("/refresh", {})

    def ask(self, function: str, *args: Any) -> Any:
        """What a function of the page's returns, or its promise brings; plain data both ways."""
        asked = f"Promise.resolve(({function})(...{json.dumps(args)}))"
        script = f"""const done = arguments[arguments.length - 1];
            {asked}.then((found) => done(JSON.stringify({{found: found ?? null}})),
                         (error) => done(JSON.stringify({{error: String(error)}})));"""
        told = json.loads(self._call("/execute/async", {"script": script, "args": []}))
        assert "error" not in told, told
        return told["found"]


@contextmanager
def running(folder: Path) -> Iterator[WebKit]:
    """WebKit on a screen that nobody sees."""
    with ExitStack() as stack:
        yield WebKit(folder, stack)

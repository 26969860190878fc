"""Requests to the benches' application within this process, by WSGI, as a server calls it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.core.wsgi import get_wsgi_application

CURSOR = re.compile(rb'"cursor":\s*"([^"]*)"')
NEXT = re.compile(rb'"next":\s*(?:"([^"]*)"|null)')
SERVER = "http://testserver"


class Browser:
    """Calls for one user, who has a token."""

    def __init__(self, token: str) -> None:
        self.application: Callable[..., Any] = get_wsgi_application()
        self.token = token

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The answer's content; anything but a success is an error."""
        sent = b"" if body is None else body
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(sent)),
            "HTTP_AUTHORIZATION": f"Token {self.token}",
            "wsgi.input": io.BytesIO(sent),
            "wsgi.url_scheme": "http",
        }
        answer = self.application(environ, lambda *_: None)
        try:
            content = b"".join(answer)
        finally:
            answer.close()
        if not 200 <= answer.status_code < 300:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {content[:300]!r}")
        return content

    def pull(self, cursor: str | None = None, collection: str = "notes") -> tuple[int, str]:
        """Records that came, page by page, and the cursor behind them."""
        count, more = 0, True
        while more:
            place = "" if cursor is None else f"&cursor={quote(cursor)}"
            page = self.call("GET", f"/sync/changes/?collections={collection}&limit=1000{place}")
            count += page.count(b'"title":')
            found = CURSOR.search(page)
            assert found, page[:300]
            cursor, more = found.group(1).decode(), b'"has_more":true' in page
        return count, str(cursor)

    def list(self, path: str, join: str) -> int:
        """Records of a list that names its next page, by an address or by a key."""
        count, place = 0, path
        while place:
            page = self.call("GET", place)
            count += page.count(b'"title":')
            found = NEXT.search(page)
            assert found, page[:300]
            place = (found.group(1) or b"").decode()
            if place:
                place = f"{path}{join}{place}" if join else place.removeprefix(SERVER)
        return count

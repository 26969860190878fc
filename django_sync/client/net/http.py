"""The calls to the server: one request, one decoded answer or one of ``errors``.

The network is not trusted: each call has its time-outs, redirects are not
followed (credentials go nowhere else), and an answer that is not the server's,
such as a captive portal's page, is ``Captive``. It knows nothing of the store.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import httpx2

from ... import errors
from ..auth import Auth
from ..backoff import Backoff
from .answers import error_of, json_of
from .cancel import Cutter, Interrupted
from .timing import Timed

_Answer = TypeVar("_Answer")

TIMEOUT = httpx2.Timeout(30.0, connect=10.0)


class Network:
    """One server, spoken to as one user.

    ``said`` are headers that tell who asks, and are no secret. ``heard`` is told of each call
    what it failed with, or ``None``, and ``took`` of a round trip's seconds. One thread's calls
    may be cut by another, through ``cutter``; they raise ``Interrupted`` then.
    """

    def __init__(
        self,
        url: str,
        auth: Auth | None,
        *,
        backoff: Backoff,
        sleep: Callable[[float], None],
        now: Callable[[], datetime.datetime],
        transport: httpx2.BaseTransport | None = None,
        timeout: httpx2.Timeout | float = TIMEOUT,
        heard: Callable[[errors.SyncError | None], None] = lambda error: None,
        took: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._auth = auth
        self._backoff = backoff
        self._sleep = sleep
        self._now = now
        self._heard = heard
        self._took = took
        self._timeout = httpx2.Timeout(timeout)
        self.cutter = Cutter(transport)
        self.retry_in: float | None = None
        self._latest: float | None = None
        self.said: dict[str, str] = {}
        self._http = httpx2.Client(
            base_url=url,
            transport=transport,
            timeout=self._timeout,
            follow_redirects=False,
            headers={"Accept": "application/json", "User-Agent": "django_sync"},
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        return self._call("GET", path, params=params)

    def held(self, path: str, params: Mapping[str, str], seconds: float) -> dict[str, Any]:
        """Get what the server may hold back for so long."""
        patience = self._patience(seconds + (self._timeout.read or 0.0))
        return self._call("GET", path, params=params, timeout=patience, trace=self.cutter.trace)

    def post(self, path: str, body: bytes) -> dict[str, Any]:
        return self._call("POST", path, content=body)

    def patch(self, path: str, body: bytes) -> dict[str, Any]:
        return self._call("PATCH", path, content=body)

    def stream(self, path: str, params: Mapping[str, str], silence: float) -> httpx2.Response:
        """Get what goes on for as long as the server likes, and is never silent for so long.

        The response is open: whoever reads it closes it.
        """
        headers = {"Accept": "text/event-stream"}
        request = {"params": params, "timeout": self._patience(silence), "headers": headers}
        request["trace"] = self.cutter.trace
        return self._renewed(lambda: self._opened("GET", path, request, auth=self._auth))

    def upgrade(self, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        """Ask for a socket. Its ticket lets in, so no credentials go to where ``url`` points.

        Where the server is spoken to over TLS the socket is too, whatever ``url`` says.
        """
        target = self._http.base_url.join(url)
        if self._http.base_url.scheme == "https":
            target = target.copy_with(scheme="wss")
        request = {"headers": dict(headers), "timeout": self._timeout, "trace": self.cutter.trace}
        return self._opened("GET", target, request, auth=None, status=101)

    def quick(self) -> None:
        """The last call was one for which the server had little to do: a round trip."""
        if self._latest is not None:
            self._took(self._latest)
            self._latest = None

    def _timed(self, seconds: float) -> None:
        self._latest = seconds

    def _patience(self, read: float) -> httpx2.Timeout:
        told = self._timeout
        return httpx2.Timeout(connect=told.connect, read=read, write=told.write, pool=told.pool)

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Call, and call again after a passing failure, as often as the policy allows."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._renewed(partial(self._once, method, path, request))
            except errors.SyncError as error:
                self._heard(error)
                if error.retry is not errors.Retry.LATER:
                    raise
                self.retry_in = self._backoff.failed(error.retry_after)
                patient = self.retry_in <= self._backoff.patience
                if not _passing(error) or attempt >= self._backoff.attempts or not patient:
                    raise
                self._sleep(self.retry_in)
            else:
                self._backoff.succeeded()
                self.retry_in = None
                self._heard(None)
                return answer

    def _renewed(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask, and once more with other credentials where these are not taken."""
        try:
            return ask()
        except errors.NotAuthenticated:
            refresh = getattr(self._auth, "refresh", None)
            if refresh is None or refresh() is False:
                raise
        return ask()

    def _once(self, method: str, path: str, request: Mapping[str, Any]) -> dict[str, Any]:
        response = self._sent(method, path, request, self._auth, stream=False)
        body = json_of(response)
        if response.is_success and body is not None:
            return body
        raise error_of(response, body, self._now())

    def _opened(
        self,
        method: str,
        url: str | httpx2.URL,
        request: Mapping[str, Any],
        *,
        auth: Auth | None,
        status: int = 200,
    ) -> httpx2.Response:
        """The open response, where it has the status that begins what was asked for."""
        response = self._sent(method, url, request, auth)
        if response.status_code == status:
            self._heard(None)
            return response
        try:
            with self._translated():
                response.read()
            raise error_of(response, json_of(response), self._now())
        finally:
            response.close()

    def _sent(
        self,
        method: str,
        url: str | httpx2.URL,
        request: Mapping[str, Any],
        auth: Auth | None,
        *,
        stream: bool = True,
    ) -> httpx2.Response:
        if self.cutter.is_cut:
            raise Interrupted
        headers = dict(request.get("headers", {}))
        if isinstance(url, str):  # not where a ticket points
            headers |= self.said
        if auth is not None:
            headers |= auth.headers()
        if "content" in request:
            headers["Content-Type"] = "application/json"
        told = {**request, "headers": headers}
        told["extensions"] = {"trace": told.pop("trace", None) or Timed(self.cutter, self._timed)}
        with self._translated():
            return self._http.send(self._http.build_request(method, url, **told), stream=stream)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """httpx2's exceptions become ours here, and nowhere else but in what reads on."""
        try:
            yield
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            if self.cutter.is_cut:
                raise Interrupted from error
            raise errors.Offline(f"{type(error).__name__}: {error}") from error


def _passing(error: errors.SyncError) -> bool:
    """Whether trying again in a moment makes sense: busy, or an answer that came too late."""
    if not isinstance(error, errors.Offline):
        return True
    late = error.__cause__
    return isinstance(late, httpx2.TimeoutException) and not isinstance(late, httpx2.ConnectTimeout)

"""The calls to the server: one request, one decoded response or one of ``errors``.

The network is not trusted: each call has time-outs, redirects are not followed (credentials
are sent to no other server), and a response that is not the server's, such as a captive
portal's page, is ``Captive``. This file knows nothing of the store.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import httpx2

from ... import errors
from ..auth import Auth
from ..backoff import Backoff
from .cancel import Cutter, Interrupted
from .responses import error_of, json_of

_Answer = TypeVar("_Answer")

TIMEOUT = httpx2.Timeout(30.0, connect=10.0)


class ResponseTimer:
    """Measures how long the server takes, from a request's last byte to the response's first.

    The time to open a connection, several round trips over TLS, and to upload a large body is
    not in it; the server's own work is. It is one request's ``trace`` extension and calls the
    cutter's.
    """

    def __init__(
        self,
        cutter: Cutter,
        on_time: Callable[[float], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cutter = cutter
        self._on_time = on_time
        self._now = now
        self._sent_at: float | None = None

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_body.complete"):
            self._sent_at = self._now()
        elif event.endswith("receive_response_headers.complete") and self._sent_at is not None:
            self._on_time(self._now() - self._sent_at)
            self._sent_at = None
        self._cutter.trace(event, info)


class Network:
    """One server, called as one user.

    ``identifying`` holds headers that say which client asks; they are no secret. After each call
    ``on_call`` gets its error, or ``None``; ``on_round_trip`` gets the seconds of a round trip.
    Another thread may cut the calls of one thread through ``cutter``; they raise
    ``Interrupted`` then.
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
        on_call: Callable[[errors.SyncError | None], None] = lambda error: None,
        on_round_trip: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._auth = auth
        self._backoff = backoff
        self._sleep = sleep
        self._now = now
        self._on_call = on_call
        self._on_round_trip = on_round_trip
        self._timeout = httpx2.Timeout(timeout)
        self.cutter = Cutter(transport)
        self.retry_in: float | None = None
        self._latest: float | None = None
        self.identifying: dict[str, str] = {}
        self._http = httpx2.Client(
            base_url=url,
            transport=transport,
            timeout=self._timeout,
            follow_redirects=False,
            headers={"Accept": "application/json", "User-Agent": "django_sync"},
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        return self._call("GET", path, params=params)

    def get_held(self, path: str, params: Mapping[str, str], seconds: float) -> dict[str, Any]:
        """Get a response that the server may delay for so many seconds."""
        patience = self._patience(seconds + (self._timeout.read or 0.0))
        return self._call("GET", path, params=params, timeout=patience, trace=self.cutter.trace)

    def post(self, path: str, body: bytes) -> dict[str, Any]:
        return self._call("POST", path, content=body)

    def patch(self, path: str, body: bytes) -> dict[str, Any]:
        return self._call("PATCH", path, content=body)

    def stream(self, path: str, params: Mapping[str, str], silence: float) -> httpx2.Response:
        """Get a response without an end; a silence of so many seconds ends it.

        The response is open: the caller closes it.
        """
        headers = {"Accept": "text/event-stream"}
        request = {"params": params, "timeout": self._patience(silence), "headers": headers}
        request["trace"] = self.cutter.trace
        return self._renewed(lambda: self._opened("GET", path, request, auth=self._auth))

    def upgrade(self, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        """Ask for a socket. Its ticket is the credential; no other is sent to ``url``.

        If the server is called over TLS, the socket uses TLS too, whatever ``url`` says.
        """
        target = self._http.base_url.join(url)
        if self._http.base_url.scheme == "https":
            target = target.copy_with(scheme="wss")
        request = {"headers": dict(headers), "timeout": self._timeout, "trace": self.cutter.trace}
        return self._opened("GET", target, request, auth=None, status=101)

    def count_round_trip(self) -> None:
        """Measure the last call as a round trip: the server had little to do for it."""
        if self._latest is not None:
            self._on_round_trip(self._latest)
            self._latest = None

    def _timed(self, seconds: float) -> None:
        self._latest = seconds

    def _patience(self, read: float) -> httpx2.Timeout:
        usual = self._timeout
        return httpx2.Timeout(connect=usual.connect, read=read, write=usual.write, pool=usual.pool)

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Call, and call again after a temporary failure, as often as the policy allows."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._renewed(partial(self._once, method, path, request))
            except errors.SyncError as error:
                self._on_call(error)
                if error.retry is not errors.Retry.LATER:
                    raise
                self.retry_in = self._backoff.failed(error.retry_after)
                patient = self.retry_in <= self._backoff.patience
                if not _is_temporary(error) or attempt >= self._backoff.attempts or not patient:
                    raise
                self._sleep(self.retry_in)
            else:
                self._backoff.succeeded()
                self.retry_in = None
                self._on_call(None)
                return answer

    def _renewed(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask, and once more with new credentials if these are refused."""
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
        """The open response, if it has the status that a stream or socket begins with."""
        response = self._sent(method, url, request, auth)
        if response.status_code == status:
            self._on_call(None)
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
        if isinstance(url, str):  # not to the URL of a ticket
            headers |= self.identifying
        if auth is not None:
            headers |= auth.headers()
        if "content" in request:
            headers["Content-Type"] = "application/json"
        options = {**request, "headers": headers}
        trace = options.pop("trace", None) or ResponseTimer(self.cutter, self._timed)
        options["extensions"] = {"trace": trace}
        with self._translated():
            return self._http.send(self._http.build_request(method, url, **options), stream=stream)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn httpx2's exceptions into ours; only readers of open responses do so themselves."""
        try:
            yield
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            if self.cutter.is_cut:
                raise Interrupted from error
            raise errors.Offline(f"{type(error).__name__}: {error}") from error


def _is_temporary(error: errors.SyncError) -> bool:
    """Whether a second try makes sense: the server is busy, or its response came too late."""
    if not isinstance(error, errors.Offline):
        return True
    late = error.__cause__
    return isinstance(late, httpx2.TimeoutException) and not isinstance(late, httpx2.ConnectTimeout)

"""A bad network in memory: an httpx2 transport that wraps another one.

    transport = FaultyTransport(httpx2.WSGITransport(app=application), random.Random(7))
    client = SyncClient("http://testserver/sync/", transport=transport, …)

Each request meets one ``Fate``, drawn from one ``random.Random``: the same seed gives the same
faults. Nothing sleeps: a late request is held, and delivered by ``deliver_late()`` or before one
of the next requests. The server sees only requests that real networks produce.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping
from enum import StrEnum

import httpx2

from .. import errors
from .breaking import breaking
from .server import problem

Delivered = Callable[[httpx2.Request, Callable[[], httpx2.Response]], httpx2.Response]
"""Wraps a delivery: gets the request and the function that delivers it."""


class Fate(StrEnum):
    """What becomes of one request."""

    DELIVERED = "delivered"
    LOST = "lost"
    """It never arrives."""
    UNANSWERED = "unanswered"
    """It takes effect, and the answer is lost."""
    CUT = "cut"
    """It takes effect, and the connection breaks in the middle of the answer."""
    TRUNCATED = "truncated"
    """It takes effect, and a proxy passes on half of the answer as if it were all."""
    TWICE = "twice"
    """It arrives twice; the second answer is the one that is seen."""
    LATE = "late"
    """The client gives up; the request arrives behind later ones."""
    SLOW = "slow"
    """Others act before it arrives, and again before its answer does."""
    PORTAL = "portal"
    """A captive portal answers with a page of its own."""
    BUSY = "busy"
    """503 with ``Retry-After``, before anything is done."""
    THROTTLED = "throttled"
    """429 with ``Retry-After``, as the server words it."""
    BROKEN = "broken"
    """It takes effect, and a proxy answers 502 or 504 all the same."""
    GARBLED = "garbled"
    """It takes effect, and the answer is JSON that is none of ours."""
    EXPIRED = "expired"
    """401: the credentials are not taken."""
    FORBIDDEN = "forbidden"
    """403, from something before the server."""
    CLASHED = "clashed"
    """409, from something before the server."""
    GONE = "gone"
    """410 without our code: not from the server."""
    LARGE = "large"
    """413: a proxy's limit is lower than ours."""
    FAILED = "failed"
    """500 without a problem."""


_STATUS = {
    Fate.EXPIRED: 401,
    Fate.FORBIDDEN: 403,
    Fate.CLASHED: 409,
    Fate.GONE: 410,
    Fate.LARGE: 413,
    Fate.FAILED: 500,
}

_ODD = {*_STATUS, Fate.GARBLED}
FAIR: Mapping[Fate, float] = {
    **dict.fromkeys((fate for fate in Fate if fate not in _ODD), 1.0),
    Fate.DELIVERED: 14.0,
    Fate.SLOW: 4.0,
}
"""Two requests in three arrive in time, a few of them together with others."""


class FaultyTransport(httpx2.BaseTransport):
    """One client's way to its server.

    ``meanwhile`` is called while a slow request or its answer is under way; ``on_delivery`` wraps
    each delivery to the server, also of late and repeated requests. ``calm`` is true while the
    network causes no faults.
    """

    def __init__(
        self,
        wrapped: httpx2.BaseTransport,
        random: random.Random,
        *,
        weights: Mapping[Fate, float] = FAIR,
        meanwhile: Callable[[], None] = lambda: None,
        on_delivery: Delivered = lambda request, deliver: deliver(),
    ) -> None:
        self.wrapped = wrapped
        self.random = random
        self.weights = dict(weights)
        self.meanwhile = meanwhile
        self.on_delivery = on_delivery
        self.calm = False
        self.held: list[httpx2.Request] = []
        self.past: list[httpx2.Request] = []
        self.fates: list[Fate] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request, or raise an exception of httpx2, by its fate."""
        request.read()
        if self.calm:
            whole = not _opens(request)
            return self._deliver(request) if whole else self.wrapped.handle_request(request)
        if self.random.random() < 0.1:
            self.deliver_late()
        (fate,) = self.random.choices(list(self.weights), list(self.weights.values()))
        self.fates.append(fate)
        if _opens(request):
            return self._open(fate, request)
        return self._answer(fate, request)

    def _open(self, fate: Fate, request: httpx2.Request) -> httpx2.Response:
        """Open a socket or stream that breaks some time later, or none at all."""
        match fate:
            case Fate.LOST | Fate.LATE | Fate.UNANSWERED:
                raise httpx2.ReadTimeout("too late", request=request)
            case Fate.PORTAL | Fate.BUSY | Fate.THROTTLED:
                return self._refuse(fate, request)
            case Fate.DELIVERED | Fate.TWICE | Fate.SLOW | Fate.CUT:
                return breaking(self.wrapped.handle_request(request), self)
        return httpx2.Response(_STATUS.get(fate, 502), html="<h1>No</h1>")

    def deliver_late(self) -> bool:
        """Deliver a request that was held, or a past one once more; nobody reads the answer."""
        if self.held:
            request = self.held.pop(self.random.randrange(len(self.held)))
        elif self.past:
            request = self.random.choice(self.past)
        else:
            return False
        # The caller has gone: nobody cuts the request, and nobody reads its error.
        request.extensions.pop("trace", None)
        with contextlib.suppress(httpx2.TransportError):
            self._deliver(request)
        return True

    def heal(self) -> None:
        """From now on nothing goes wrong; what was held arrives first."""
        while self.held:
            self.deliver_late()
        self.calm = True

    def cut(self) -> None:
        """End what the wrapped transport holds, if it can."""
        end = getattr(self.wrapped, "cut", None)
        if end is not None:
            end()

    def close(self) -> None:
        """Leave the wrapped transport open: others may use it."""

    def _answer(self, fate: Fate, request: httpx2.Request) -> httpx2.Response:
        match fate:
            case Fate.DELIVERED:
                return self._deliver(request)
            case Fate.TWICE:
                self._deliver(request)
                return self._deliver(request)
            case Fate.SLOW:
                self.meanwhile()
                response = self._deliver(request)
                self.meanwhile()
                return response
            case Fate.LOST:
                if self.random.random() < 0.5:
                    raise httpx2.ConnectError("no route", request=request)
                raise httpx2.ReadTimeout("too late", request=request)
            case Fate.LATE:
                self.held.append(request)
                raise httpx2.ReadTimeout("too late", request=request)
            case Fate.PORTAL | Fate.BUSY | Fate.THROTTLED:
                return self._refuse(fate, request)
            case Fate.UNANSWERED | Fate.CUT | Fate.TRUNCATED | Fate.BROKEN | Fate.GARBLED:
                return self._spoil(fate, request, self._deliver(request))
        return httpx2.Response(_STATUS[fate], html="<h1>No</h1>")

    def _refuse(self, fate: Fate, request: httpx2.Request) -> httpx2.Response:
        """Answer instead of the server, which does not get the request."""
        seconds = str(self.random.choice([0, 1, 30]))
        if fate is Fate.THROTTLED:
            return problem(errors.Throttled(retry_after=int(seconds)))
        if fate is Fate.BUSY:
            return httpx2.Response(503, headers={"Retry-After": seconds}, html="<h1>Busy</h1>")
        if self.random.random() < 0.5:
            return httpx2.Response(302, headers={"Location": "http://portal.test/"})
        return httpx2.Response(self.random.choice([200, 511]), html="<h1>Welcome to our Wi-Fi</h1>")

    def _spoil(
        self, fate: Fate, request: httpx2.Request, response: httpx2.Response
    ) -> httpx2.Response:
        """Lose an answer, in whole or in part."""
        match fate:
            case Fate.UNANSWERED:
                raise httpx2.ReadTimeout("too late", request=request)
            case Fate.CUT:
                raise httpx2.RemoteProtocolError("peer closed the connection", request=request)
            case Fate.TRUNCATED:
                half = response.content[: self.random.randrange(max(1, len(response.content)))]
                kind = response.headers.get("Content-Type", "")
                headers = {"Content-Type": kind}
                return httpx2.Response(response.status_code, headers=headers, content=half)
            case Fate.GARBLED:
                return httpx2.Response(200, json=self.random.choice([{"hello": "you"}, [], None]))
        return httpx2.Response(self.random.choice([502, 504]), html="<h1>Bad gateway</h1>")

    def _deliver(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "GET":
            self.past.append(request)
        return self.on_delivery(request, lambda: self._ask(request))

    def _ask(self, request: httpx2.Request) -> httpx2.Response:
        """Hand a copy to the wrapped transport: a request may go there more than once."""
        copy = httpx2.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            extensions=request.extensions,
        )
        response = self.wrapped.handle_request(copy)
        response.read()
        response.close()
        return httpx2.Response(
            response.status_code, headers=response.headers, content=response.content
        )


def _opens(request: httpx2.Request) -> bool:
    """Whether a socket or a stream is asked for, whose answer has no end."""
    headers = request.headers
    return "upgrade" in headers or "event-stream" in headers.get("Accept", "")

"""Pulls that are answered from memory: nobody's middleware runs, and one thread serves all.

A pull whose caller was let in within a heartbeat (``identities``) waits here until the reader is
free. The reader then takes all who wait by then, checks who they are by rows of this moment, and
answers them in one database snapshot (``shared_pulls``). So a look at the database serves only
those who asked before it began.

What cannot be answered here gets ``None``, and runs as a request of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import logs
from ..conf import conf
from .identities import SESSION, TOKEN, Asked, Identities, Identity, Keys, identity_of
from .plain import Scope, Send

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..caller import Caller
    from ..recent import Recent
    from ..shared_pulls import Answer, Ask

log = logging.getLogger("django_sync.realtime")

GAP = 0.05
"""Seconds between the beginnings of two looks: who asks in between is served by the next."""
VIEWERS = 50
"""Callers who see differently that one look serves; more wait for the next."""


Maker = Callable[[], "Caller"]
Key = tuple[Identity, str]
"""Who asks, and the text of their cursor."""


@dataclass(slots=True, eq=False)
class Waiting:
    """One pull that waits for the reader; ``counts``: throttles have not counted it yet."""

    identity: Identity
    asked: Asked
    counts: bool
    answer: asyncio.Future[Answer | None]


class Reply:
    """An answer from memory, in those members that a response of the view has for ``longpoll``."""

    status_code = 200

    def __init__(self, identity: Identity, answer: Answer) -> None:
        self.sync_user = identity.user
        self.sync_scopes = answer.scopes
        self.sync_log = identity.facts
        self.data = {
            "changes": answer.has_changes,
            "has_more": answer.has_more,
            "cursor": answer.cursor,
        }
        self._headers = identity.headers
        self._answer = answer

    async def send(self, send: Send) -> None:
        body = self._answer.body
        length = str(len(body)).encode()
        headers = [
            (name, length if name.lower() == b"content-length" else value)
            for name, value in self._headers
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Pulls:
    """The pulls that wait in one process, and who is known in it; belongs to one event loop.

    ``thread`` runs a function in the reader's thread, ``turn`` tells how often somebody's access
    was announced to have changed.
    """

    def __init__(
        self, thread: Callable[..., Awaitable[Any]], keys: Keys, turn: Callable[[], int]
    ) -> None:
        self.identities = Identities()
        self._keys = keys
        self._thread = thread
        self._turn = turn
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._reader = Reader()
        self._checking: dict[bytes, asyncio.Event] = {}

    @contextlib.contextmanager
    def checking(self, asked: Asked | None) -> Iterator[None]:
        """While a pull runs as a request of its own: equal ones wait for what comes of it."""
        if asked is None or asked.key in self._checking:
            yield
            return
        event = self._checking[asked.key] = asyncio.Event()
        try:
            yield
        finally:
            self._checked(asked.key, event)

    def _checked(self, key: bytes, event: asyncio.Event | None) -> None:
        """Let those go on who waited for it."""
        if event is not None and self._checking.get(key) is event:
            del self._checking[key]
            event.set()

    def remember(self, asked: Asked | None, scope: Scope, response: Any, began: int) -> None:
        """Keep who was let in; ``began`` is the turn at which their request came.

        Not where something was announced since: it may have been about them.
        """
        if asked is None:
            return
        if began == self._turn() and not self.identities.is_fresh(asked.key):
            found = identity_of(response, self._keys.viewer(scope))
            if found is not None:
                self.identities.add(asked.key, found)
        self._checked(asked.key, self._checking.get(asked.key))

    async def reply(self, asked: Asked | None, *, counts: bool = True) -> Reply | None:
        """The answer to a pull; ``None`` where it has to run as a request of its own."""
        if asked is None or not asked.cursor:
            return None
        identity = await self._identity(asked)
        if identity is None:
            return None
        if len(self._waiting) >= conf.LIVE_QUEUE:
            return None
        loop = asyncio.get_running_loop()
        waiting = Waiting(identity, asked, counts, loop.create_future())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        answer = await waiting.answer
        return None if answer is None else Reply(identity, answer)

    async def _identity(self, asked: Asked) -> Identity | None:
        """Who asks, if that is known, or is known once an equal request has run that runs now."""
        found = self.identities.find(asked.key)
        running = self._checking.get(asked.key)
        if found is None and running is not None and self.identities.ever:
            await running.wait()
            found = self.identities.find(asked.key)
        return found

    async def _run(self) -> None:
        while self._waiting:
            began = time.monotonic()
            await self._serve(self._next())
            await asyncio.sleep(max(0, began + GAP - time.monotonic()))

    def _next(self) -> list[Waiting]:
        """Those who are served now: the first to come, of so many viewers."""
        served: list[Waiting] = []
        left: list[Waiting] = []
        viewers: set[bytes] = set()
        for waiting in self._waiting:
            viewer = waiting.identity.viewer
            if viewer in viewers or len(viewers) < VIEWERS:
                viewers.add(viewer)
                served.append(waiting)
            else:
                left.append(waiting)
        self._waiting = left
        return served

    async def _serve(self, served: Sequence[Waiting]) -> None:
        found: Sequence[Answer | None] = [None] * len(served)
        gone: Sequence[Identity] = ()
        try:
            found, gone = await self._thread(self._reader.answers, served)
        except Exception:  # the database, mostly: each of them runs by itself and is told
            log.exception("pulls could not be answered from memory")
        finally:
            for identity in gone:
                self.identities.forget(identity.user)
            for waiting, answer in zip(served, found, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)


class Reader:
    """What the reader's thread does."""

    def __init__(self) -> None:
        self._recent: Recent | None = None

    def answers(self, served: Sequence[Waiting]) -> tuple[list[Answer | None], list[Identity]]:
        """The answers, and whose identities are none any more."""
        callers = _callers({waiting.identity for waiting in served})
        asks = _asks(served, callers)
        gone = {waiting.identity for waiting in served if waiting.identity not in callers}
        keys = [(waiting.identity, waiting.asked.cursor) for waiting in served]
        found = self._answered(asks, gone)
        answers = [
            None if answer is None or _is_throttled(waiting, callers) else answer
            for waiting, answer in zip(served, map(found.get, keys), strict=True)
        ]
        return answers, list(gone)

    def _answered(self, asks: dict[Key, Ask], gone: set[Identity]) -> dict[Key, Answer | None]:
        """Answers to all for whom the project's code does not fail; the others are ``gone``."""
        from .. import shared_pulls
        from ..recent import Recent

        recent = self._recent = self._recent or Recent()
        while True:
            try:
                found = shared_pulls.answers(list(asks.values()), recent)
            except shared_pulls.Broken as broken:
                log.info("a pull cannot be answered from memory: %r", broken.__cause__)
                failed = {key for key, ask in asks.items() if ask.viewer is broken.viewer}
                gone |= {identity for identity, _ in failed}
                asks = {key: ask for key, ask in asks.items() if key not in failed}
            else:
                return dict(zip(asks, found, strict=True))


def _asks(served: Sequence[Waiting], callers: Mapping[Identity, Maker]) -> dict[Key, Ask]:
    """What is asked for: equal pulls from one cursor are one."""
    from ..shared_pulls import Ask, Viewer

    asks: dict[Key, Ask] = {}
    viewers: dict[bytes, Viewer] = {}
    made: dict[Identity, Caller] = {}
    for waiting in served:
        identity, cursor = waiting.identity, waiting.asked.cursor
        if identity not in callers or (identity, cursor) in asks:
            continue
        make, key = callers[identity], identity.viewer
        if identity not in made:
            made[identity] = make()
        if key not in viewers:
            viewers[key] = Viewer(key, make, identity.names, identity.as_there)
        most = conf.PAGE_SIZE if identity.limit is None else min(identity.limit, conf.PAGE_SIZE)
        asks[(identity, cursor)] = Ask(viewers[key], made[identity], cursor, most)
    return asks


def _is_throttled(waiting: Waiting, callers: Mapping[Identity, Maker]) -> bool:
    """Whether the project's throttles refuse a pull; then it runs whole, and its view says so."""
    identity = waiting.identity
    if not (waiting.counts and identity.is_counted):
        return False
    return identity.is_throttled(callers[identity]())


def _callers(identities: set[Identity]) -> dict[Identity, Maker]:
    """Makers of those callers who are let in still, by rows of this moment.

    A token that was deleted, a login that has ended and a user who was deactivated are none at
    once. What no row tells (a password, a JWT) counts as it was checked.
    """
    found: dict[Identity, Maker] = {}
    tokens = _tokens([one for one in identities if one.kind == TOKEN])
    users = _users([one for one in identities if one.kind not in (TOKEN, SESSION)])
    for one in identities:
        user: Any
        auth = one.request.auth
        if one.kind == TOKEN:
            auth = tokens.get(auth.pk)
            user = None if auth is None else auth.user
        elif one.kind == SESSION:
            user = _signed_in(one)
        else:
            user = users.get(one.user)
        if user is not None and str(user.pk) == one.user and getattr(user, "is_active", True):
            found[one] = functools.partial(one.caller, user, auth)
    return found


def _tokens(identities: Sequence[Identity]) -> dict[Any, Any]:
    if not identities:
        return {}
    kind = type(identities[0].request.auth)
    keys = {one.request.auth.pk for one in identities}
    found: dict[Any, Any] = kind._default_manager.select_related("user").in_bulk(keys)
    return found


def _users(identities: Sequence[Identity]) -> dict[str, Any]:
    from django.contrib.auth import get_user_model

    if not identities:
        return {}
    rows = get_user_model()._default_manager.in_bulk({one.request.user.pk for one in identities})
    return {str(key): row for key, row in rows.items()}


def _signed_in(identity: Identity) -> Any:
    """Whom the session of the request stands for now, as Django's middleware finds out."""
    from django.contrib import auth

    user = auth.get_user(identity.fresh_request())
    return user if user.is_authenticated else None


def note(reply: Reply, began: float) -> None:
    """The line of the log that the view would have written."""
    took = round((time.monotonic() - began) * 1000, 1)
    logs.tell(logs.level_of(reply.status_code), reply.sync_log | {"duration_ms": took})

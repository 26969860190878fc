"""Pulls that are answered from memory: nobody's middleware runs, and one thread serves all.

A pull whose caller was let in within a heartbeat (``identities``) waits here until the reader is
free. The reader then takes all who wait by then, checks who they are by rows of this moment, and
answers them in one database snapshot (``shared_pulls``). So a look at the database serves only
those who asked before it began.

What cannot be answered here gets ``None``, and runs as a request of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import logs
from ..conf import conf
from .identities import SESSION, TOKEN, Asked, Identities, Identity, Keys, identity_of
from .plain import Scope, Send

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..caller import Caller
    from ..recent import Recent
    from ..shared_pulls import Answer, Ask, Viewer

log = logging.getLogger("django_sync.realtime")

GAP = 0.05
"""Seconds between the beginnings of two looks: who asks in between is served by the next."""
VIEWERS = 50
"""Callers who see differently that one look serves; more wait for the next."""


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
        body = self._answer.body.encode()
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

    def remember(self, asked: Asked | None, scope: Scope, response: Any, began: int) -> None:
        """Keep who was let in; ``began`` is the turn at which their request came.

        Not where something was announced since: it may have been about them.
        """
        if asked is None or began != self._turn():
            return
        found = identity_of(response, self._keys.viewer(scope))
        if found is not None:
            self.identities.add(asked.key, found)

    async def reply(self, asked: Asked | None, *, counts: bool = True) -> Reply | None:
        """The answer to a pull; ``None`` where it has to run as a request of its own."""
        identity = None if asked is None else self.identities.find(asked.key)
        if asked is None or identity is None or not asked.cursor:
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
        from .. import shared_pulls
        from ..recent import Recent

        recent = self._recent = self._recent or Recent()
        callers = _callers({waiting.identity for waiting in served})
        viewers: dict[bytes, Viewer] = {}
        asks = {id(w): _ask(w, callers, viewers) for w in served if w.identity in callers}
        gone = [w.identity for w in served if w.identity not in callers]
        refused: set[bytes] = set()
        while True:
            taken = {i: a for i, a in asks.items() if a is not None and a.viewer.key not in refused}
            try:
                found = dict(
                    zip(taken, shared_pulls.answers(list(taken.values()), recent), strict=True)
                )
            except shared_pulls.Broken as broken:
                refused.add(broken.viewer.key)
                log.info("a pull could not be answered from memory: %r", broken.__cause__)
                continue
            gone += [w.identity for w in served if w.identity.viewer in refused]
            return [found.get(id(waiting)) for waiting in served], gone


def _ask(
    waiting: Waiting, callers: dict[Identity, Callable[[], Caller]], viewers: dict[bytes, Viewer]
) -> Ask | None:
    """What a pull asks for; ``None`` where it is throttled: then its view is to say so."""
    from ..shared_pulls import Ask, Viewer

    identity = waiting.identity
    make = callers[identity]
    caller = make()
    if waiting.counts and identity.is_throttled(caller):
        return None
    key = identity.viewer
    if key not in viewers:
        viewers[key] = Viewer(key, make, identity.names, identity.language, identity.speaking)
    most = conf.PAGE_SIZE if identity.limit is None else min(identity.limit, conf.PAGE_SIZE)
    return Ask(viewers[key], caller, waiting.asked.cursor, most)


def _callers(identities: set[Identity]) -> dict[Identity, Callable[[], Caller]]:
    """Makers of those callers who are let in still, by rows of this moment.

    A token that was deleted, a login that has ended and a user who was deactivated are none at
    once. What no row tells (a password, a JWT) counts as it was checked.
    """
    found: dict[Identity, Callable[[], Caller]] = {}
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
            found[one] = _maker(one, user, auth)
    return found


def _maker(identity: Identity, user: Any, auth: Any) -> Callable[[], Caller]:
    return lambda: identity.caller(user, auth)


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

"""Pulls that are answered from memory: no middleware runs, and one thread serves all.

A pull whose caller was authenticated within a heartbeat (``identity_cache``) waits here until the
reader is free. The reader then takes all pending pulls. It reads anew whether their users,
tokens and sessions are still valid, and answers all of them in one database snapshot
(``shared_pulls``). So a snapshot serves only pulls that came before it began.

A pull that cannot be answered here gets ``None``, and runs as a request of its own.
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
from ..http.side_channel import ResponseInfo
from .identity_cache import (
    SESSION,
    TOKEN,
    Identity,
    IdentityCache,
    PullRequest,
    RequestKeys,
    identity_of,
)
from .routes import Scope, Send

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..drf.caller import Caller
    from ..feed.recent import Recent
    from .shared_pulls import Answer, Pull

log = logging.getLogger("django_sync.realtime")

GAP = 0.05
"""Seconds from the start of one batch to the start of the next; pulls in between wait."""
VIEWERS = 50
"""Viewers that one batch serves at most; the pulls of more viewers wait for the next batch."""


CallerFactory = Callable[[], "Caller"]
Key = tuple[Identity, str]
"""A caller's identity, and the text of their cursor."""


@dataclass(slots=True, eq=False)
class PendingPull:
    """One pull that waits for the reader. ``counts``: throttles have not counted it yet."""

    identity: Identity
    request: PullRequest
    counts: bool
    answer: asyncio.Future[Answer | None]


class Reply:
    """An answer from memory, with the attributes that ``asgi`` reads of a view's response."""

    status_code = 200

    def __init__(self, identity: Identity, answer: Answer) -> None:
        self.sync = ResponseInfo(user=identity.user, scopes=answer.scopes, log=identity.facts)
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


class MemoryPulls:
    """The pending pulls of one process, and its identities; belongs to one event loop.

    ``in_pull_thread`` runs a function in the reader's thread. ``access_version`` returns how
    often a change of access was announced.
    """

    def __init__(
        self,
        in_pull_thread: Callable[..., Awaitable[Any]],
        keys: RequestKeys,
        access_version: Callable[[], int],
    ) -> None:
        self.identities = IdentityCache()
        self._keys = keys
        self._in_pull_thread = in_pull_thread
        self._access_version = access_version
        self._pending: list[PendingPull] = []
        self._task: asyncio.Task[None] | None = None
        self._reader = Reader()
        self._checking: dict[bytes, asyncio.Event] = {}

    @contextlib.contextmanager
    def checking(self, request: PullRequest | None) -> Iterator[None]:
        """While a pull runs as a request of its own: equal pulls wait for its identity."""
        if request is None or request.key in self._checking:
            yield
            return
        event = self._checking[request.key] = asyncio.Event()
        try:
            yield
        finally:
            self._checked(request.key, event)

    def _checked(self, key: bytes, event: asyncio.Event | None) -> None:
        """Continue the pulls that wait for this identity."""
        if event is not None and self._checking.get(key) is event:
            del self._checking[key]
            event.set()

    def remember(
        self, request: PullRequest | None, scope: Scope, response: Any, began: int
    ) -> None:
        """Store the identity of a pull that was answered; ``began`` is the access version then.

        If a change of access was announced meanwhile, nothing is stored: it may concern this user.
        """
        if request is None:
            return
        if began == self._access_version() and not self.identities.is_fresh(request.key):
            found = identity_of(response, self._keys.viewer(scope))
            if found is not None:
                self.identities.add(request.key, found)
        self._checked(request.key, self._checking.get(request.key))

    async def reply(self, request: PullRequest | None, *, counts: bool = True) -> Reply | None:
        """The answer to a pull; ``None`` where it has to run as a request of its own."""
        if request is None or not request.cursor:
            return None
        identity = await self._identity(request)
        if identity is None:
            return None
        if len(self._pending) >= conf.LIVE_QUEUE:
            return None
        loop = asyncio.get_running_loop()
        pending = PendingPull(identity, request, counts, loop.create_future())
        self._pending.append(pending)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        answer = await pending.answer
        return None if answer is None else Reply(identity, answer)

    async def _identity(self, request: PullRequest) -> Identity | None:
        """The identity of a pull. If an equal request is running, wait for it first."""
        found = self.identities.find(request.key)
        running = self._checking.get(request.key)
        if found is None and running is not None and self.identities.has_had_any:
            await running.wait()
            found = self.identities.find(request.key)
        return found

    async def _run(self) -> None:
        while self._pending:
            began = time.monotonic()
            await self._serve(self._next())
            await asyncio.sleep(max(0, began + GAP - time.monotonic()))

    def _next(self) -> list[PendingPull]:
        """Take the pulls of the next batch: the first that came, of ``VIEWERS`` viewers at most."""
        served: list[PendingPull] = []
        left: list[PendingPull] = []
        viewers: set[bytes] = set()
        for pull in self._pending:
            viewer = pull.identity.viewer
            if viewer in viewers or len(viewers) < VIEWERS:
                viewers.add(viewer)
                served.append(pull)
            else:
                left.append(pull)
        self._pending = left
        return served

    async def _serve(self, served: Sequence[PendingPull]) -> None:
        found: Sequence[Answer | None] = [None] * len(served)
        gone: Sequence[Identity] = ()
        try:
            found, gone = await self._in_pull_thread(self._reader.answers, served)
        except Exception:  # mostly the database: each pull runs as a request and reports it
            log.exception("pulls could not be answered from memory")
        finally:
            for identity in gone:
                self.identities.forget(identity.user)
            for pull, answer in zip(served, found, strict=True):
                if not pull.answer.done():
                    pull.answer.set_result(answer)


class Reader:
    """The work of the reader's thread."""

    def __init__(self) -> None:
        self._recent: Recent | None = None

    def answers(self, served: Sequence[PendingPull]) -> tuple[list[Answer | None], list[Identity]]:
        """The answers, and the identities that are not valid any more."""
        callers = _callers({pull.identity for pull in served})
        pulls = _pulls(served, callers)
        gone = {pull.identity for pull in served if pull.identity not in callers}
        keys = [(pull.identity, pull.request.cursor) for pull in served]
        found = self._answered(pulls, gone)
        answers = [
            None if answer is None or _is_throttled(pull, callers) else answer
            for pull, answer in zip(served, map(found.get, keys), strict=True)
        ]
        return answers, list(gone)

    def _answered(self, pulls: dict[Key, Pull], gone: set[Identity]) -> dict[Key, Answer | None]:
        """Answers to the callers for whom the project's code works; ``gone`` gets the others."""
        from ..feed.recent import Recent
        from . import shared_pulls

        recent = self._recent = self._recent or Recent()
        while True:
            try:
                found = shared_pulls.answers(list(pulls.values()), recent)
            except shared_pulls.ProjectCodeFailed as failure:
                log.info("a pull cannot be answered from memory: %r", failure.__cause__)
                failed = {key for key, one in pulls.items() if one.viewer is failure.viewer}
                gone |= {identity for identity, _ in failed}
                pulls = {key: one for key, one in pulls.items() if key not in failed}
            else:
                return dict(zip(pulls, found, strict=True))


def _pulls(
    served: Sequence[PendingPull], callers: Mapping[Identity, CallerFactory]
) -> dict[Key, Pull]:
    """The pulls to answer: equal pulls with one cursor are answered once."""
    from .shared_pulls import Pull, Viewer

    pulls: dict[Key, Pull] = {}
    viewers: dict[bytes, Viewer] = {}
    made: dict[Identity, Caller] = {}
    for pull in served:
        identity, cursor = pull.identity, pull.request.cursor
        if identity not in callers or (identity, cursor) in pulls:
            continue
        make, key = callers[identity], identity.viewer
        if identity not in made:
            made[identity] = make()
        if key not in viewers:
            viewers[key] = Viewer(key, make, identity.names, identity.activate)
        most = conf.PAGE_SIZE if identity.limit is None else min(identity.limit, conf.PAGE_SIZE)
        pulls[(identity, cursor)] = Pull(viewers[key], made[identity], cursor, most)
    return pulls


def _is_throttled(pull: PendingPull, callers: Mapping[Identity, CallerFactory]) -> bool:
    """Whether the project's throttles refuse a pull; it then runs as a request, and is refused."""
    identity = pull.identity
    if not (pull.counts and identity.is_counted):
        return False
    return identity.is_throttled(callers[identity]())


def _callers(identities: set[Identity]) -> dict[Identity, CallerFactory]:
    """Factories of the callers who are still valid, as the database says now.

    A deleted token, a session that has ended and a deactivated user are invalid at once. A password
    or a JWT has no row to read: it counts as valid until its identity ends.
    """
    found: dict[Identity, CallerFactory] = {}
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
    """The user of the request's session now, as Django's middleware finds it; or ``None``."""
    from django.contrib import auth

    user = auth.get_user(identity.fresh_request())
    return user if user.is_authenticated else None


def log_reply(reply: Reply, began: float) -> None:
    """Write the log line that the view would have written; ``began`` is in monotonic seconds."""
    took = round((time.monotonic() - began) * 1000, 1)
    logs.tell(logs.level_of(reply.status_code), (reply.sync.log or {}) | {"duration_ms": took})

"""One full exchange with the server: the outbox goes out, then pages come in.

It composes ``outbox``, ``results``, ``replica`` and ``network``. Each step is one
request and one transaction, and callbacks run between the steps; no lock is held
over a request, so two exchanges at once, in threads or processes, are safe: the
same mutation sent twice is harmless (G4), and of two pages one is discarded.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from .. import errors
from ..protocol import Page
from . import service
from .binding import Binding
from .network import Network
from .outbox import Blocked, Outbox, Outgoing
from .replica import Place, Replica
from .results import Results, Settled
from .service import Service
from .store import Store
from .views import Change, Counts

log = logging.getLogger("django_sync.client")

_VOID = (errors.CursorExpired, errors.InvalidCursor)
_POISON = (
    errors.TooLarge,
    errors.Invalid,
    errors.UnknownCollection,
    errors.ValidationFailed,
    errors.SyncError,
)
"""Refusals of a whole batch that may be one mutation's doing; compared by exact class."""

_ROUNDS = 3
"""How often one exchange goes round for what callbacks wrote while it ran."""


class Listener(Protocol):
    """Who is told what each step brought about."""

    def listened(self) -> set[str] | None: ...
    def pulled(self, changes: Sequence[Change]) -> None: ...
    def settled(self, settled: Settled) -> None: ...
    def behind(self) -> None: ...
    def told(self) -> None: ...


class Exchange:
    """How one client speaks with its server."""

    def __init__(
        self,
        store: Store,
        network: Network,
        binding: Binding,
        outbox: Outbox,
        replica: Replica,
        results: Results,
        collections: Sequence[str],
        listener: Listener,
    ) -> None:
        self._store = store
        self._network = network
        self._binding = binding
        self._outbox = outbox
        self._replica = replica
        self._results = results
        self._collections = tuple(collections)
        self._listener = listener
        self.service = Service()
        self._batch_size = self.service.batch_size
        self._described = False
        self._client_id = ""

    def run(self) -> Counts:
        """Send the outbox and pull until ``has_more`` is false."""
        counts, failure = self.go()
        if failure is not None:
            raise failure
        return counts

    def go(self, *, anew: bool = False) -> tuple[Counts, errors.SyncError | None]:
        """The same, but return what one mutation failed with where all the rest is done.

        ``anew`` asks for the service document again.
        """
        counts = Counts()
        self._described = self._described and not anew
        self._client_id = self._replica.place().client_id
        try:
            self._binding.check()
            self._describe()
            if not self._binding.is_proven():
                self._claim()
            failure = None
            for _ in range(_ROUNDS):
                failure = self._send(counts)
                self._pull(counts)
                if not isinstance(failure, _VOID) and not self._outbox.has_new():
                    break
        except errors.ClientMismatch as error:
            raise errors.StoreMismatch(error.detail) from error
        return counts, failure

    def listen(self) -> bool:
        """Have the server hold a pull until something is new; whether it brought anything."""
        counts = Counts()
        place, pull = self._replica.place(), self._replica.begin_pull()
        self._client_id = place.client_id
        seconds = self.service.wait_seconds
        params = {**self._asked(place), "wait": str(seconds)}
        try:
            page = self._page(self._network.held("live/changes/", params, seconds))
        except _VOID as error:
            self._void(place, error)
        else:
            if self._apply(page, place, pull, counts) and not page.has_more:
                return bool(page.changes)
        self._pull(counts)
        return True

    def _describe(self) -> None:
        """Ask once what the server speaks and what its limits are."""
        if self._described:
            return
        self.service = service.read(self._network.get(""))
        self._store.set("server_epoch", self.service.epoch)
        self._batch_size = self.service.batch_size
        self._described = True

    def _claim(self) -> None:
        """Have the server compare the ``client_id`` with the user before anything is mixed."""
        self._network.post("mutations/", self._batch(self._replica.place(), []))
        self._binding.prove()

    def _place(self) -> Place:
        """Where the store stands; an exchange does not go on in a store that was wiped."""
        place = self._replica.place()
        if place.client_id != self._client_id:
            raise errors.StoreMismatch("The store was wiped while the exchange ran.")
        return place

    def _batch(self, place: Place, batch: Sequence[Outgoing]) -> bytes:
        """The request's body; the mutations in it are the bytes that the outbox keeps."""
        cursor = json.dumps(place.cursor if batch else None)
        mutations = ",".join(outgoing.body for outgoing in batch)
        return (
            f'{{"client_id":"{place.client_id}","cursor":{cursor},"atomic":false,'
            f'"mutations":[{mutations}]}}'
        ).encode()

    def _send(self, counts: Counts) -> errors.SyncError | None:
        """Send what waits; return what a part of it failed with, having sent the rest."""
        blocked = Blocked()
        failure: errors.SyncError | None = None
        for _ in range(_ROUNDS):
            final, failed = self._send_once(counts, blocked)
            failure = failure or failed
            if not final or isinstance(failed, _VOID):
                break
        return failure

    def _send_once(self, counts: Counts, blocked: Blocked) -> tuple[int, errors.SyncError | None]:
        """Go through the outbox once, as far as it reached when this began."""
        final, down, failure = 0, 0, None
        span = range(self._store.number("seq") + 1)
        limit = self._batch_size
        while batch := self._outbox.take(span, limit, self.service.body_bytes - 1_000, blocked):
            place = self._place()
            try:
                answer = self._network.post("mutations/", self._batch(place, batch))
            except _VOID as error:
                self._void(place, error)
                return final, error
            except errors.SyncError as error:
                if type(error) not in _POISON or (len(batch) == 1 and down):
                    raise
                limit = max(1, len(batch) // 2)
                if isinstance(error, errors.TooLarge):
                    self._batch_size = limit
                if len(batch) > 1:
                    continue
                log.error("Mutation %s is set aside: %s", batch[0].mutation.id, error)
                blocked.add(batch[0].mutation)
                failure, limit = failure or error, self._batch_size
                down += type(error) is errors.SyncError
            else:
                final, down = final + self._enter(batch, answer, counts), 0
            span = range(batch[-1].mutation.seq + 1, span.stop)
        return final, failure

    def _enter(self, batch: Sequence[Outgoing], answer: dict[str, Any], counts: Counts) -> int:
        results = answer.get("results")
        if not isinstance(results, list):
            raise errors.Offline("The answer holds no results: it is not the server's.")
        with self._store.lock:
            settled = self._results.enter(batch, results, counts, self._listener.listened())
            self._listener.settled(settled)
        self._listener.told()
        return settled.final

    def _void(self, place: Place, error: errors.SyncError) -> None:
        """The cursor is void; make sure that it is not because the user is another one."""
        if isinstance(error, errors.InvalidCursor):
            self._claim()
        self._replica.start_over(place)

    def _pull(self, counts: Counts) -> None:
        pull = self._replica.begin_pull()
        restarts = 0
        while True:
            place = self._place()
            try:
                page = self._page(self._network.get("changes/", self._asked(place)))
            except _VOID as error:
                restarts += 1
                if place.cursor is None or restarts > _ROUNDS:
                    raise
                self._void(place, error)
                continue
            if page.has_more and page.cursor == place.cursor:
                raise errors.SyncError("The server's cursor stands still with more to come.")
            if self._apply(page, place, pull, counts) and not page.has_more:
                return

    def _asked(self, place: Place) -> dict[str, str]:
        """What a pull asks for."""
        asked = {"collections": ",".join(self._collections)}
        return asked if place.cursor is None else {**asked, "cursor": place.cursor}

    def _page(self, body: dict[str, Any]) -> Page:
        try:
            page = Page.from_json(body)
        except errors.Invalid as error:
            raise errors.Offline(f"No page of a django_sync server: {error.detail}") from error
        if skipped := len(body["changes"]) - len(page.changes):
            log.warning("Skipped %d changes of a kind that this version does not know.", skipped)
        return page

    def _apply(self, page: Page, place: Place, pull: int, counts: Counts) -> bool:
        with self._store.lock:
            changes = self._replica.apply(
                page, place, self._collections, pull, self._listener.listened()
            )
            if changes is None:
                log.info("A page was discarded: the store has moved on.")
                return False
            self._listener.pulled(changes)
        counts.pages += 1
        counts.changes += len(page.changes)
        if page.has_more:
            self._listener.behind()
        self._listener.told()
        return True

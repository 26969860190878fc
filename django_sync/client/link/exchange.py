"""One full exchange with the server: the outbox goes out, then pages come in.

It composes ``sending``, ``replica`` and ``network``. Each step is one request and
one transaction, and callbacks run between the steps; no lock is held over a
request, so two exchanges at once, in threads or processes, are safe: the same
mutation sent twice is harmless (G4), and of two pages one is discarded.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from ... import errors
from ...protocol import Page
from ..listener import Listener
from ..net import service
from ..net.http import Network
from ..net.service import Service
from ..store.database import Store
from ..store.outbox import Outbox
from ..store.owner import Binding
from ..store.replica import Place, Replica
from ..store.results import Results
from ..types import Counts
from .upload import ROUNDS, VOID, Post, Sending, envelope
from .wakes import Wakes

log = logging.getLogger("django_sync.client")


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
        self._listener = listener
        self._sending = Sending(store, outbox, results, listener, self._place, self.void)
        self._post: Post = partial(network.post, "mutations/")
        self._wakes = Wakes(store)
        self._described = False
        self._client_id = ""
        self.replica = replica
        self.collections = tuple(collections)
        self.service = Service()

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
        self._is(self.replica.place().client_id)
        try:
            self._binding.check()
            self._describe()
            if not self._binding.is_proven():
                self._claim()
            failure = None
            for _ in range(ROUNDS):
                failure = self._sending.run(self._post, counts)
                self._pull(counts)
                if not isinstance(failure, VOID) and not self._outbox.has_new():
                    break
        except errors.ClientMismatch as error:
            raise errors.StoreMismatch(error.detail) from error
        return counts, failure

    def send(self, post: Post | None = None) -> errors.SyncError | None:
        """Send the outbox and pull nothing; return what a part of it failed with."""
        self._is(self.replica.place().client_id)
        try:
            return self._sending.run(post or self._post, Counts())
        except errors.ClientMismatch as error:
            raise errors.StoreMismatch(error.detail) from error

    def listen(self) -> bool:
        """Have the server hold a pull until something is new; whether it brought anything."""
        counts = Counts()
        pull = self.replica.begin_pull()
        place = self.replica.place()
        self._is(place.client_id)
        seconds = self.service.wait_seconds
        params = {**self.asked(place), "wait": str(seconds)}
        wakes = self._wakes.asked()
        try:
            page = self._page(self._network.held("live/changes/", params, seconds))
        except VOID as error:
            self.void(place, error)
        else:
            if self._apply(page, place, pull, counts) and not page.has_more:
                self._wakes.served(wakes)
                return bool(page.changes)
        self._pull(counts)
        return True

    def _is(self, client_id: str) -> None:
        """Whose store this exchange is for; the server is told with each request."""
        self._client_id = self._network.said["Sync-Client"] = client_id

    def _describe(self) -> None:
        """Ask once what the server speaks and what its limits are."""
        if self._described:
            return
        self.service = service.read(self._network.get(""))
        self._network.quick()
        self._store.set("server_epoch", self.service.epoch)
        self._sending.described(self.service)
        self._described = True

    def _claim(self) -> None:
        """Have the server compare the ``client_id`` with the user before anything is mixed."""
        self._post(envelope(self.replica.place(), []))
        self._binding.prove()

    def _place(self) -> Place:
        """Where the store stands; an exchange does not go on in a store that was wiped."""
        place = self.replica.place()
        if place.client_id != self._client_id:
            raise errors.StoreMismatch("The store was wiped while the exchange ran.")
        return place

    def void(self, place: Place, error: errors.SyncError) -> None:
        """The cursor is void; make sure that it is not because the user is another one."""
        if isinstance(error, errors.InvalidCursor):
            self._claim()
        self.replica.start_over(place)

    def _pull(self, counts: Counts) -> None:
        pull = self.replica.begin_pull()
        restarts = 0
        while True:
            place = self._place()
            if place.stream:  # One began meanwhile; whoever asks for a pull now comes first.
                pull = self.replica.begin_pull()
                continue
            wakes = self._wakes.asked()
            try:
                page = self._page(self._network.get("changes/", self.asked(place)))
            except VOID as error:
                restarts += 1
                if place.cursor is None or restarts > ROUNDS:
                    raise
                self.void(place, error)
                continue
            if not page.changes:
                self._network.quick()
            if page.has_more and page.cursor == place.cursor:
                raise errors.SyncError("The server's cursor stands still with more to come.")
            if self._apply(page, place, pull, counts) and not page.has_more:
                self._wakes.served(wakes)
                return

    def asked(self, place: Place) -> dict[str, str]:
        """What a pull asks for, and a stream."""
        asked = {"collections": ",".join(self.collections)}
        return asked if place.cursor is None else {**asked, "cursor": place.cursor}

    def _page(self, body: dict[str, Any]) -> Page:
        try:
            page = Page.from_json(body)
        except errors.Invalid as error:
            raise errors.Captive(f"No page of a django_sync server: {error.detail}") from error
        if skipped := len(body["changes"]) - len(page.changes):
            log.warning("Skipped %d changes of a kind that this version does not know.", skipped)
        return page

    def _apply(self, page: Page, place: Place, pull: int, counts: Counts) -> bool:
        with self._store.lock:
            changes = self.replica.apply(
                page, place, self.collections, pull, self._listener.listened()
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

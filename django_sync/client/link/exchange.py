"""One full exchange with the server: the outbox goes out, then pages come in.

Each step is one request and one transaction, and callbacks run between the steps. No lock is
held during a request, so two exchanges at once, in threads or processes, are safe: the same
mutation sent twice does no harm (G4), and of two pages one is discarded.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from ... import errors
from ...protocol import Page
from ..net.http import Network
from ..net.responses import Service, read_service
from ..store.replica import Place
from ..types import Counts
from .parts import Parts
from .upload import ROUNDS, VOID, Post, Upload, envelope

log = logging.getLogger("django_sync.client")


class Exchange:
    """A client's exchanges with its server, over one network."""

    def __init__(self, parts: Parts, network: Network) -> None:
        self._network = network
        self._store = parts.store
        self._owner = parts.owner
        self._outbox = parts.outbox
        self._replica = parts.replica
        self._listener = parts.listener
        self._collections = parts.collections
        self._wakeup_store = parts.wakeups.store
        self._upload = Upload(parts, self._place, self.void)
        self._post: Post = partial(network.post, "mutations/")
        self._described = False
        self._client_id = ""
        self.service = Service()

    def run(self) -> Counts:
        """Send the outbox and pull until ``has_more`` is false."""
        counts, failure = self.go()
        if failure is not None:
            raise failure
        return counts

    def go(self, *, anew: bool = False) -> tuple[Counts, errors.SyncError | None]:
        """The same, but return the error of a mutation if all the rest succeeded.

        ``anew`` asks for the service document again.
        """
        counts = Counts()
        self._described = self._described and not anew
        self._identify(self._replica.place().client_id)
        try:
            self._owner.check()
            self._describe()
            if not self._owner.is_proven():
                self._claim()
            failure = None
            for _ in range(ROUNDS):
                failure = self._upload.run(self._post, counts)
                self._pull(counts)
                if not isinstance(failure, VOID) and not self._outbox.has_new():
                    break
        except errors.ClientMismatch as error:
            raise errors.StoreMismatch(error.detail) from error
        return counts, failure

    def send(self, post: Post | None = None) -> errors.SyncError | None:
        """Send the outbox and pull nothing; return the error of a part of it."""
        self._identify(self._replica.place().client_id)
        try:
            return self._upload.run(post or self._post, Counts())
        except errors.ClientMismatch as error:
            raise errors.StoreMismatch(error.detail) from error

    def listen(self) -> bool:
        """Have the server hold a pull until something is new; return whether it brought news."""
        counts = Counts()
        pull = self._replica.begin_pull()
        place = self._replica.place()
        self._identify(place.client_id)
        seconds = self.service.wait_seconds
        params = {**self.query(place), "wait": str(seconds)}
        wakeup = self._wakeup_store.asked()
        try:
            page = self._page(self._network.get_held("live/changes/", params, seconds))
        except VOID as error:
            self.void(place, error)
        else:
            if self._apply(page, place, pull, counts) and not page.has_more:
                self._wakeup_store.served(wakeup)
                return bool(page.changes)
        self._pull(counts)
        return True

    def _identify(self, client_id: str) -> None:
        """Set the client that this exchange is for; each request names it."""
        self._client_id = self._network.identifying["Sync-Client"] = client_id

    def _describe(self) -> None:
        """Ask once for the server's protocol and limits."""
        if self._described:
            return
        self.service = read_service(self._network.get(""))
        self._network.count_round_trip()
        self._store.set("server_epoch", self.service.epoch)
        self._upload.set_limits(self.service)
        self._described = True

    def _claim(self) -> None:
        """Have the server check that the ``client_id`` belongs to this user."""
        self._post(envelope(self._replica.place(), []))
        self._owner.prove()

    def _place(self) -> Place:
        """The store's place; an exchange does not go on in a store that was wiped."""
        place = self._replica.place()
        if place.client_id != self._client_id:
            raise errors.StoreMismatch("The store was wiped while the exchange ran.")
        return place

    def void(self, place: Place, error: errors.SyncError) -> None:
        """Start over after a void cursor, unless it is void because the user is another one."""
        if isinstance(error, errors.InvalidCursor):
            self._claim()
        self._replica.start_over(place)

    def _pull(self, counts: Counts) -> None:
        pull = self._replica.begin_pull()
        restarts = 0
        while True:
            place = self._place()
            if place.stream:  # A stream began meanwhile; this pull comes first.
                pull = self._replica.begin_pull()
                continue
            wakeup = self._wakeup_store.asked()
            try:
                page = self._page(self._network.get("changes/", self.query(place)))
            except VOID as error:
                restarts += 1
                if place.cursor is None or restarts > ROUNDS:
                    raise
                self.void(place, error)
                continue
            if not page.changes:
                self._network.count_round_trip()
            if page.has_more and page.cursor == place.cursor:
                raise errors.SyncError("The server has more, but its cursor does not move.")
            if self._apply(page, place, pull, counts) and not page.has_more:
                self._wakeup_store.served(wakeup)
                return

    def query(self, place: Place) -> dict[str, str]:
        """The query of a pull, or of a stream."""
        query = {"collections": ",".join(self._collections)}
        return query if place.cursor is None else {**query, "cursor": place.cursor}

    def _page(self, body: dict[str, Any]) -> Page:
        try:
            page = Page.from_json(body)
        except errors.Invalid as error:
            raise errors.Captive(f"Not the page of a django_sync server: {error.detail}") from error
        if skipped := len(body["changes"]) - len(page.changes):
            log.warning("Skipped %d changes of a kind that this version does not know.", skipped)
        return page

    def _apply(self, page: Page, place: Place, pull: int, counts: Counts) -> bool:
        with self._store.lock:
            changes = self._replica.apply(
                page, place, self._collections, pull, self._listener.listened()
            )
            if changes is None:
                log.info("A page was discarded: the store has another cursor by now.")
                return False
            self._listener.pulled(changes)
        counts.pages += 1
        counts.changes += len(page.changes)
        if page.has_more:
            self._listener.behind()
        self._listener.deliver()
        return True

"""How the outbox goes out: batch by batch, by HTTP or over a socket alike.

It asks through a ``post`` that is handed in, which returns the answer or raises
one of ``errors``. What is too large is halved, and a mutation that makes the
server fail is set aside, so that it holds up only what depends on it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from ... import errors
from ..listener import Listener
from ..net.service import Service
from ..store.database import Store
from ..store.outbox import Blocked, Outbox, Outgoing
from ..store.replica import Place
from ..store.results import Results
from ..types import Counts

log = logging.getLogger("django_sync.client")

Post = Callable[[bytes], dict[str, Any]]
"""Sends section 7's envelope; returns what holds ``results``, or raises."""

VOID = (errors.CursorExpired, errors.InvalidCursor)
_POISON = (
    errors.TooLarge,
    errors.Invalid,
    errors.UnknownCollection,
    errors.ValidationFailed,
    errors.SyncError,
)
"""Refusals of a whole batch that may be one mutation's doing; compared by exact class."""

ROUNDS = 3
"""How often one exchange goes round for what callbacks wrote while it ran."""


def envelope(place: Place, batch: Sequence[Outgoing]) -> bytes:
    """The request's body; the mutations in it are the bytes that the outbox keeps."""
    cursor = json.dumps(place.cursor if batch else None)
    mutations = ",".join(outgoing.body for outgoing in batch)
    return (
        f'{{"client_id":"{place.client_id}","cursor":{cursor},"atomic":false,'
        f'"mutations":[{mutations}]}}'
    ).encode()


class Sending:
    """Sends one store's outbox."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        results: Results,
        listener: Listener,
        place: Callable[[], Place],
        void: Callable[[Place, errors.SyncError], None],
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._results = results
        self._listener = listener
        self._place = place
        self._void = void
        self._limits = Service()
        self._batch_size = self._limits.batch_size

    def described(self, service: Service) -> None:
        """Learn the server's limits."""
        self._limits, self._batch_size = service, service.batch_size

    def run(self, post: Post, counts: Counts) -> errors.SyncError | None:
        """Send what waits; return what a part of it failed with, having sent the rest."""
        blocked = Blocked()
        failure: errors.SyncError | None = None
        for _ in range(ROUNDS):
            final, failed = self._once(post, counts, blocked)
            failure = failure or failed
            if not final or isinstance(failed, VOID):
                break
        return failure

    def _once(
        self, post: Post, counts: Counts, blocked: Blocked
    ) -> tuple[int, errors.SyncError | None]:
        """Go through the outbox once, as far as it reached when this began."""
        final, down, failure = 0, 0, None
        span = range(self._store.number("seq") + 1)
        limit, most = self._batch_size, self._limits.body_bytes - 1_000
        while batch := self._outbox.take(span, limit, most, blocked):
            place = self._place()
            try:
                answer = post(envelope(place, batch))
            except VOID as error:
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
            raise errors.Captive("The answer holds no results: it is not the server's.")
        with self._store.lock:
            settled = self._results.enter(batch, results, counts, self._listener.listened())
            self._listener.settled(settled)
        self._listener.told()
        return settled.final

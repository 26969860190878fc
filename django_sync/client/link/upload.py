"""Sends the outbox, batch by batch, over HTTP or a socket.

The caller's ``post`` sends one batch; it returns the answer or raises one of ``errors``. A batch
that is too large is halved. A mutation that makes the server fail is set aside, so that it
delays only mutations that depend on it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from ... import errors
from ..net.responses import Service
from ..store.outbox import Blocked, Outgoing
from ..store.replica import Place
from ..types import Counts
from .parts import Parts

log = logging.getLogger("django_sync.client")

Post = Callable[[bytes], dict[str, Any]]
"""Sends the request body of the protocol's section 7; returns the answer, or raises."""

VOID = (errors.CursorExpired, errors.InvalidCursor)
_POISON = (
    errors.TooLarge,
    errors.Invalid,
    errors.UnknownCollection,
    errors.ValidationFailed,
    errors.SyncError,
)
"""Errors of a whole batch that one mutation may have caused; compared by exact class."""

ROUNDS = 3
"""How often one exchange repeats for what callbacks wrote while it ran."""


def envelope(place: Place, batch: Sequence[Outgoing]) -> bytes:
    """The request's body; the mutations in it are the bytes that the outbox keeps."""
    cursor = json.dumps(place.cursor if batch else None)
    mutations = ",".join(outgoing.body for outgoing in batch)
    return (
        f'{{"client_id":"{place.client_id}","cursor":{cursor},"atomic":false,'
        f'"mutations":[{mutations}]}}'
    ).encode()


class Upload:
    """Sends one store's outbox."""

    def __init__(
        self,
        parts: Parts,
        place: Callable[[], Place],
        void: Callable[[Place, errors.SyncError], None],
    ) -> None:
        self._store = parts.store
        self._outbox = parts.outbox
        self._results = parts.results
        self._listener = parts.listener
        self._place = place
        self._void = void
        self._limits = Service()
        self._batch_size = self._limits.batch_size

    def set_limits(self, service: Service) -> None:
        """Keep to these limits of the server."""
        self._limits, self._batch_size = service, service.batch_size

    def run(self, post: Post, counts: Counts) -> errors.SyncError | None:
        """Send the outbox; if a part of it fails, send the rest and return the error."""
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
        """Go through the outbox once, up to the last mutation that is in it now."""
        final, crashes, failure = 0, 0, None
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
                if type(error) not in _POISON or (len(batch) == 1 and crashes):
                    raise
                limit = max(1, len(batch) // 2)
                if isinstance(error, errors.TooLarge):
                    self._batch_size = limit
                if len(batch) > 1:
                    continue
                log.error("Mutation %s is set aside: %s", batch[0].mutation.id, error)
                blocked.add(batch[0].mutation)
                failure, limit = failure or error, self._batch_size
                crashes += type(error) is errors.SyncError
            else:
                final, crashes = final + self._enter(batch, answer, counts), 0
            span = range(batch[-1].mutation.seq + 1, span.stop)
        return final, failure

    def _enter(self, batch: Sequence[Outgoing], answer: dict[str, Any], counts: Counts) -> int:
        results = answer.get("results")
        if not isinstance(results, list):
            raise errors.Captive("The answer holds no results, so it is not the server's.")
        with self._store.lock:
            settled = self._results.enter(batch, results, counts, self._listener.listened())
            self._listener.settled(settled)
        self._listener.deliver()
        return settled.final

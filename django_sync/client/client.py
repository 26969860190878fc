"""``SyncClient``: what a program holds; it wires the parts and tells their events."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from .. import errors
from .auth import Auth
from .backoff import Backoff
from .binding import Binding
from .collection import Collection
from .conflicts import Conflict, Conflicts, Resolution
from .events import ChangeHandler, ConflictHandler, Events, RejectionHandler, StatusHandler
from .exchange import Exchange
from .network import TIMEOUT, Network
from .outbox import Outbox
from .overlay import Watch
from .replica import Replica
from .results import Results, Settled
from .store import Store
from .views import Change, Counts, Mutation, Progress, Rejection, Status

_Change = TypeVar("_Change", bound=ChangeHandler)
_Conflict = TypeVar("_Conflict", bound=ConflictHandler)
_Rejection = TypeVar("_Rejection", bound=RejectionHandler)
_Status = TypeVar("_Status", bound=StatusHandler)


def _utcnow() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class SyncClient:
    """A replica of a user's records on this machine, and the way to its server.

    ``url`` is where the project mounts django_sync, ``store`` the path of the
    SQLite file, ``collections`` the names to keep in step. ``transport`` is an
    httpx2 transport for tests; ``backoff``, ``now`` and ``sleep`` replace the
    retry policy, the clock and the waiting.

    It may be used from any thread, and several processes may open one store, with
    the same ``collections``; each hears through its callbacks of its own writes
    and exchanges. Do not take it through a ``fork()``. It is a context manager
    that closes itself.

    Raises ``StoreMismatch`` where the store belongs to another server or user.
    """

    def __init__(
        self,
        url: str,
        *,
        store: str | os.PathLike[str],
        collections: Sequence[str],
        auth: Auth | None = None,
        transport: httpx2.BaseTransport | None = None,
        timeout: httpx2.Timeout | float = TIMEOUT,
        backoff: Backoff | None = None,
        now: Callable[[], datetime.datetime] = _utcnow,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if isinstance(collections, str):
            raise TypeError("collections is a list of names")
        self.url = url.rstrip("/") + "/"
        self._names = tuple(dict.fromkeys(collections))
        self._now = now
        self._store = Store(store)
        self._outbox = Outbox(self._store, now)
        self._conflicts = Conflicts(self._store, self._outbox)
        self._replica = Replica(self._store, self._outbox, self._conflicts)
        self._results = Results(self._store, self._outbox, self._conflicts)
        self._events = Events()
        self._problem: errors.SyncError | None = None
        self._retry_at: datetime.datetime | None = None
        self._told_status: Status | None = None
        self._posted: set[int] = set()
        binding = Binding(self._store, self.url, auth)
        try:
            binding.check()
        except errors.StoreMismatch:
            self._store.close()
            raise
        self._network = Network(
            self.url,
            auth,
            backoff=backoff or Backoff(),
            sleep=sleep,
            now=now,
            transport=transport,
            timeout=timeout,
        )
        self._exchange = Exchange(
            self._store,
            self._network,
            binding,
            self._outbox,
            self._replica,
            self._results,
            self._names,
            self,
        )
        self._closing = threading.Lock()

    @property
    def client_id(self) -> str:
        """This installation's UUID; the store makes and keeps it."""
        return self._store.text("client_id") or ""

    def collection(self, name: str) -> Collection:
        """A collection to read and write; ``UnknownCollection`` where it is not synced."""
        if name not in self._names:
            raise errors.UnknownCollection(f"{name} is not among the client's collections.")
        return Collection(
            name, self._store, self._outbox, self._events.listened, self._wrote, self.told
        )

    def sync(self) -> Counts:
        """Make one full exchange: send the outbox, pull until nothing is left; return counts.

        A busy server, or one that answers too late, is asked again a few times.
        Raises ``Offline`` where it cannot be reached and others of ``errors`` where
        it refuses; nothing is lost, and the next call goes on from there. Where one
        mutation makes the server fail, all that do not depend on it are sent first.
        """
        self._post_rejections(self._results.rejections())
        try:
            counts = self._exchange.run()
        except errors.SyncError as error:
            self._problem = error
            wait = self._network.retry_in
            self._retry_at = (
                None if wait is None else self._now() + datetime.timedelta(seconds=wait)
            )
            raise
        else:
            self._problem = self._retry_at = None
            return counts
        finally:
            self.told()

    @property
    def outbox(self) -> list[Mutation]:
        """Mutations without a final result, in order."""
        return self._outbox.open()

    @property
    def conflicts(self) -> list[Conflict]:
        """Conflicts that wait for a decision, over restarts too; ``settle()`` each."""
        return self._conflicts.open(self._settle)

    @property
    def rejections(self) -> list[Rejection]:
        """Refused mutations that no ``on_rejected`` callback has been told of yet."""
        return list(self._results.rejections().values())

    @property
    def status(self) -> Status:
        """What the client knows about its sync, now."""
        with self._store.read() as db:
            snapshot = self._store.get("snapshot")
            pending = db.execute(
                "SELECT count(*) FROM outbox WHERE state IN ('new', 'sent', 'aborted')"
            ).fetchone()[0]
            conflicts = self._conflicts.count()
        progress = None
        if isinstance(snapshot, dict):
            done, total = snapshot.get("done"), snapshot.get("total")
            if isinstance(done, int) and isinstance(total, int):
                progress = Progress(done, total)
        return Status(
            pending, conflicts, self._network.state, progress, self._retry_at, self._problem
        )

    def on_change(self, collection: str | None = None) -> Callable[[_Change], _Change]:
        """Decorate a callback for changes of what the user sees in a collection, or in all."""
        if collection is not None and collection not in self._names:
            raise errors.UnknownCollection(f"{collection} is not among the client's collections.")

        def register(handler: _Change) -> _Change:
            self._events.change.append((collection, handler))
            return handler

        return register

    def on_conflict(self, handler: _Conflict) -> _Conflict:
        """Decorate a callback that is asked about a new conflict.

        It returns ``conflict.keep_server()``, ``.keep_client()``, ``.merge({...})``, or
        ``None`` to leave it open. With several, the first that decides is heard.
        """
        self._events.conflict.append(handler)
        return handler

    def on_rejected(self, handler: _Rejection) -> _Rejection:
        """Decorate a callback for mutations that the server refused for good.

        Each is kept in the store until a callback has been called with it; after a
        crash in between it may be told twice.
        """
        self._events.rejection.append(handler)
        return handler

    def on_status(self, handler: _Status) -> _Status:
        """Decorate a callback for changes of ``status``."""
        self._events.status.append(handler)
        return handler

    def reset(self, *, wipe: bool = False) -> None:
        """Forget the replica; the next ``sync()`` pulls it anew. Outbox and conflicts stay.

        ``wipe`` forgets everything, the outbox, the client's id and whose store it is
        included, as for a log-out. No ``on_change`` callback is called.
        """
        if wipe:
            self._store.wipe()
        else:
            self._replica.forget()
        self.told()

    def close(self) -> None:
        """Close the connection and the store. A second call does nothing."""
        with self._closing:
            self._network.close()
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # What the parts report; each is called under the store's lock, but for ``told``.

    def listened(self) -> set[str] | None:
        return self._events.listened()

    def pulled(self, changes: Sequence[Change]) -> None:
        self._events.post_changes(changes)

    def settled(self, settled: Settled) -> None:
        self._events.post_changes(settled.changes)
        for conflict in self._conflicts.open(self._settle, settled.conflicts):
            self._events.post(partial(self._ask, conflict))
        if settled.rejections:
            kept = self._results.rejections()
            self._post_rejections({seq: kept[seq] for seq in settled.rejections})

    def _wrote(self, changes: Sequence[Change]) -> None:
        self._events.post_changes(changes)

    def told(self) -> None:
        """Call what callbacks are due, and those for the status if it has changed."""
        if self._events.status:
            status = self.status
            if status != self._told_status:
                self._told_status = status
                self._events.post(lambda: self._events.tell_status(status))
        self._events.drain()

    def _post_rejections(self, rejections: dict[int, Rejection]) -> None:
        for seq, rejection in rejections.items():
            if seq not in self._posted:
                self._posted.add(seq)
                self._events.post(partial(self._tell, seq, rejection))

    def _tell(self, seq: int, rejection: Rejection) -> None:
        if self._events.tell_rejection(rejection):
            self._results.told(seq)
        self._posted.discard(seq)

    def _ask(self, conflict: Conflict) -> None:
        resolution = self._events.ask(conflict)
        if resolution is not None:
            self._settle(conflict, resolution)

    def _settle(self, conflict: Conflict, resolution: Resolution) -> bool:
        with self._store.lock:
            with self._store.write() as db:
                watch = Watch(db, self._events.listened(), "local")
                watch.look([(conflict.collection, conflict.id)])
                done = self._conflicts.settle(conflict, resolution)
                changes = watch.changes()
            self._events.post_changes(changes)
        self.told()
        return done

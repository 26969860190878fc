"""The callbacks of a client: how they are registered, and how the parts' reports reach them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from .. import errors
from .conflicts import Conflict, Conflicts, Resolution
from .events import ChangeHandler, ConflictHandler, Events, RejectionHandler, StatusHandler
from .store.database import Store
from .store.overlay import Watch
from .store.results import Results, Settled
from .types import Change, Rejection, Status

_Change = TypeVar("_Change", bound=ChangeHandler)
_Conflict = TypeVar("_Conflict", bound=ConflictHandler)
_Rejection = TypeVar("_Rejection", bound=RejectionHandler)
_Status = TypeVar("_Status", bound=StatusHandler)


class _Callbacks(ABC):
    """What a ``SyncClient`` is to its listeners, and to its exchanges' reports."""

    def __init__(
        self,
        names: Sequence[str],
        store: Store,
        conflicts: Conflicts,
        results: Results,
    ) -> None:
        self._names = tuple(names)
        self._store = store
        self._conflicts = conflicts
        self._results = results
        self._events = Events()
        self._telling = threading.Lock()
        self._told_status: Status | None = None
        self._posted: set[int] = set()

    @property
    @abstractmethod
    def status(self) -> Status:
        """What the client knows about its sync, now."""

    @abstractmethod
    def _wrote(self, changes: Sequence[Change]) -> None: ...

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

    def told(self) -> None:
        """Call what callbacks are due, and those for the status if it has changed."""
        if self._events.status:
            with self._telling:  # Else two threads might tell in another order than they looked.
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
            self._wrote(changes)
        self.told()
        return done

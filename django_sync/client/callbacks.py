"""The callbacks of a client: registered as decorators, called after the commit, in order.

Calls are queued in the order of the commits. Any thread drains the queue, one at a time, and
holds no lock during a call. A callback that writes or syncs only adds to the queue. A callback
that raises is logged and stops no other.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from .. import errors
from .conflicts import Conflict, Resolution
from .link.parts import Parts
from .store.overlay import Watch
from .store.results import Settled
from .types import Change, Rejection, Status

log = logging.getLogger("django_sync.client")

ChangeHandler = Callable[[Change], object]
ConflictHandler = Callable[[Conflict], Resolution | None]
RejectionHandler = Callable[[Rejection], object]
StatusHandler = Callable[[Status], object]

_Change = TypeVar("_Change", bound=ChangeHandler)
_Conflict = TypeVar("_Conflict", bound=ConflictHandler)
_Rejection = TypeVar("_Rejection", bound=RejectionHandler)
_Status = TypeVar("_Status", bound=StatusHandler)


class Callbacks:
    """The registered callbacks of one client, and the queue of calls that are due."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: deque[Callable[[], object]] = deque()
        self._draining = False
        self.change: list[tuple[str | None, ChangeHandler]] = []
        self.conflict: list[ConflictHandler] = []
        self.rejection: list[RejectionHandler] = []
        self.status: list[StatusHandler] = []

    def listened(self) -> set[str] | None:
        """The collections that any callback listens to; ``None`` for all."""
        names = {name for name, _ in self.change}
        return None if None in names else {name for name in names if name is not None}

    def post(self, call: Callable[[], object]) -> None:
        """Add to the queue. The caller holds the lock that orders its commits."""
        with self._lock:
            self._due.append(call)

    def post_changes(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.post(partial(self._call_for_change, change))

    def drain(self) -> None:
        """Make all calls that are due, unless another thread does so already."""
        while True:
            with self._lock:
                if self._draining or not self._due:
                    return
                self._draining = True
                call = self._due.popleft()
            try:
                call()
            except Exception:
                log.exception("A call for callbacks failed.")
            finally:
                with self._lock:
                    self._draining = False

    def _call_for_change(self, change: Change) -> None:
        for name, handler in list(self.change):
            if name is None or name == change.collection:
                guarded(handler, change)

    def call_for_status(self, status: Status) -> None:
        for handler in list(self.status):
            guarded(handler, status)

    def call_for_rejection(self, rejection: Rejection) -> bool:
        """Call the callbacks for a rejection; ``False`` if there are none."""
        handlers = list(self.rejection)
        for handler in handlers:
            guarded(handler, rejection)
        return bool(handlers)

    def ask(self, conflict: Conflict) -> Resolution | None:
        """Ask one callback after the other; the first resolution counts."""
        for handler in list(self.conflict):
            answer = guarded(handler, conflict)
            if isinstance(answer, Resolution):
                return answer
            if answer is not None:
                log.error("on_conflict returned %r, which is not a resolution.", answer)
        return None


def guarded(handler: Callable[[Any], object], argument: object) -> object:
    """Call a user's callback; log what it raises and go on."""
    try:
        return handler(argument)
    except Exception:
        log.exception("The callback %r failed.", handler)
        return None


class ObservableClient(ABC):
    """The side of ``SyncClient`` that callbacks are registered on and its parts report to."""

    def __init__(self, parts: Parts) -> None:
        self._names = parts.collections
        self._store = parts.store
        self._conflicts = parts.conflicts
        self._results = parts.results
        self._callbacks = Callbacks()
        self._reporting = threading.Lock()
        self._reported_status: Status | None = None
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
            self._callbacks.change.append((collection, handler))
            return handler

        return register

    def on_conflict(self, handler: _Conflict) -> _Conflict:
        """Decorate a callback that is asked about a new conflict.

        It returns ``conflict.keep_server()``, ``.keep_client()``, ``.merge({...})``, or
        ``None`` to leave it open. With several callbacks, the first resolution counts.
        """
        self._callbacks.conflict.append(handler)
        return handler

    def on_rejected(self, handler: _Rejection) -> _Rejection:
        """Decorate a callback for mutations that the server refused for good.

        The store keeps each until a callback has been called with it; after a crash in
        between, the callback may be called twice.
        """
        self._callbacks.rejection.append(handler)
        return handler

    def on_status(self, handler: _Status) -> _Status:
        """Decorate a callback for changes of ``status``."""
        self._callbacks.status.append(handler)
        return handler

    # Reports of the parts; all but ``deliver`` come under the store's lock.

    def listened(self) -> set[str] | None:
        return self._callbacks.listened()

    def pulled(self, changes: Sequence[Change]) -> None:
        self._callbacks.post_changes(changes)

    def settled(self, settled: Settled) -> None:
        self._callbacks.post_changes(settled.changes)
        for conflict in self._conflicts.open(self._settle, settled.conflicts):
            self._callbacks.post(partial(self._ask, conflict))
        if settled.rejections:
            kept = self._results.rejections()
            self._post_rejections({seq: kept[seq] for seq in settled.rejections})

    def deliver(self) -> None:
        """Call the callbacks that are due, and those for the status if it has changed."""
        if self._callbacks.status:
            with self._reporting:  # So that two threads report in the order in which they look.
                status = self.status
                if status != self._reported_status:
                    self._reported_status = status
                    self._callbacks.post(partial(self._callbacks.call_for_status, status))
        self._callbacks.drain()

    def _post_rejections(self, rejections: dict[int, Rejection]) -> None:
        for seq, rejection in rejections.items():
            if seq not in self._posted:
                self._posted.add(seq)
                self._callbacks.post(partial(self._report_rejection, seq, rejection))

    def _report_rejection(self, seq: int, rejection: Rejection) -> None:
        if self._callbacks.call_for_rejection(rejection):
            self._results.forget_rejection(seq)
        self._posted.discard(seq)

    def _ask(self, conflict: Conflict) -> None:
        resolution = self._callbacks.ask(conflict)
        if resolution is not None:
            self._settle(conflict, resolution)

    def _settle(self, conflict: Conflict, resolution: Resolution) -> bool:
        with self._store.lock:
            with self._store.write() as db:
                watch = Watch(db, self._callbacks.listened(), "local")
                watch.look([(conflict.collection, conflict.id)])
                done = self._conflicts.settle(conflict, resolution)
                changes = watch.changes()
            self._wrote(changes)
        self.deliver()
        return done

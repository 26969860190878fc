"""``SyncClient``: what a program uses. It makes the parts, and passes on their reports."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2

from .. import errors
from .auth import Auth
from .backoff import Backoff, Pace
from .callbacks import ObservableClient
from .collection import Collection
from .conflicts import Conflict
from .link import wakeups
from .link.background import Background
from .link.exchange import Exchange
from .link.parts import Parts
from .link.states import Event, State
from .link.transports import able
from .net.http import TIMEOUT, Network
from .net.network_state import Kind, Reachability
from .store import indexes as field_indexes
from .store.database import Store
from .store.owner import Owner
from .types import Change, Counts, Mutation, Progress, Rejection, Status
from .waker import Waker

_NETWORK = {Reachability.UNKNOWN: "unknown", Reachability.REACHABLE: "online"}
"""``status.network`` by reachability; any other is ``offline``."""


def _utcnow() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class SyncClient(ObservableClient):
    """A replica of a user's records on this machine, in sync with its server.

    ``url`` is where the project mounts django_sync, ``store`` the path of the SQLite file,
    ``collections`` the names of what to sync. ``pace`` says how often the background polls,
    ``backoff`` how it waits after failures, and ``transports`` which transports it may use, of
    ``websocket``, ``sse``, ``long-poll`` and ``poll``; the default is all. ``push`` says how the
    server may wake this client while no connection is open, as
    ``{"kind": "webhook", "url": …, "secret": …}``; pass what comes there to ``wake()``.
    ``indexes`` names the fields that the store keeps an index on, as
    ``{"cards": ["board", "due"]}``: ``filter()`` on them does not read the whole collection.
    Without ``indexes`` the store keeps the indexes that it has.
    ``transport`` is an httpx2 transport for tests; ``now``, ``sleep`` and ``waker`` replace the
    clock and the waiting.

    Any thread may use it, and several processes may open one store, with the same
    ``collections`` and ``indexes``; the callbacks of each report its own writes and exchanges.
    Do not use it after a ``fork()``: a child opens a client of its own. It is a context manager
    that closes itself.

    Raises ``StoreMismatch`` if the store belongs to another server or user.
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
        pace: Pace | None = None,
        now: Callable[[], datetime.datetime] = _utcnow,
        sleep: Callable[[float], None] = time.sleep,
        waker: Waker | None = None,
        transports: Sequence[str] | None = None,
        push: Mapping[str, Any] | None = None,
        indexes: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if isinstance(collections, str):
            raise TypeError("collections is a list of names")
        may = able(transports)
        indexed = field_indexes.checked(indexes, collections)
        self.url = url.rstrip("/") + "/"
        self._now = now
        self._problem: errors.SyncError | None = None
        self._retry_at: datetime.datetime | None = None
        self._closing = threading.Lock()
        opened, owner = self._open(store, auth, indexed)
        self._parts = parts = Parts(
            opened,
            owner,
            tuple(dict.fromkeys(collections)),
            self,
            now,
            waker or Waker(),
            backoff or Backoff(),
            pace or Pace(),
            may,
            push,
        )
        super().__init__(parts)

        def connect(policy: Backoff) -> Network:
            return Network(
                self.url,
                auth,
                backoff=policy,
                sleep=sleep,
                now=now,
                transport=transport,
                timeout=timeout,
                on_call=self._note_call,
                on_round_trip=parts.network_monitor.note_round_trip,
            )

        self._network = connect(parts.backoff)
        self._exchange = Exchange(parts, self._network)
        # The background's calls are tried once: its table says when to try again.
        self._background_network = connect(Backoff(attempts=1))
        self._background = Background(parts, self._background_network, self._link_changed)

    def _open(
        self,
        path: str | os.PathLike[str],
        auth: Auth | None,
        indexed: Mapping[str, Sequence[str]] | None,
    ) -> tuple[Store, Owner]:
        """Open the store, check whose it is, and make its indexes."""
        store = Store(path)
        owner = Owner(store, self.url, auth)
        try:
            owner.check()
            if indexed is not None:
                field_indexes.prepare(store, indexed)
        except BaseException:
            store.close()
            raise
        return store, owner

    @property
    def client_id(self) -> str:
        """This installation's UUID; the store makes and keeps it."""
        return self._store.text("client_id") or ""

    def collection(self, name: str) -> Collection:
        """A collection to read and write; raises ``UnknownCollection`` if it is not synced."""
        if name not in self._names:
            raise errors.UnknownCollection(f"{name} is not among the client's collections.")
        return Collection(
            name,
            self._store,
            self._parts.outbox,
            self._callbacks.listened,
            self._wrote,
            self.deliver,
        )

    def sync(self) -> Counts:
        """Make one full exchange: send the outbox, pull until nothing is left; return counts.

        If the server is busy or answers too late, the client asks again a few times. Raises
        ``Offline`` if the server cannot be reached, and others of ``errors`` if it refuses;
        nothing is lost, and the next call goes on from there. If one mutation makes the server
        fail, all that do not depend on it are sent first.
        """
        self._post_rejections(self._results.rejections())
        try:
            counts = self._exchange.run()
        except errors.SyncError as error:
            self._problem, self._retry_at = error, self._later(self._network.retry_in)
            if isinstance(error, errors.Offline):
                self._parts.network_monitor.note_call(error)
            raise
        else:
            self._problem = self._retry_at = None
            if self._background.state is not State.LIVE:
                self._background.post(Event.REACHABLE)
            return counts
        finally:
            self.deliver()

    def start(self) -> None:
        """Stay in sync in the background, from now on until ``stop()`` or ``close()``.

        One daemon thread does it. It sends local writes at once and fetches changes over the
        best transport that the server offers; after failures it waits, longer each time. If it
        runs already, it tries at once what waits for its user, such as new credentials.
        """
        self._background.start()

    def stop(self) -> None:
        """End the background, even in the middle of a request. ``start()`` begins it again.

        A callback may call it, and it may be called when nothing runs.
        """
        self._background.stop()

    def wait_until_synced(self, timeout: float | None = None) -> None:
        """Wait until the background has made one full exchange that began after this call.

        Raises ``NotInStep``, a ``TimeoutError``, after ``timeout`` seconds, and the error with
        which the link waits for its user: ``NotAuthenticated``, ``UpgradeRequired`` or
        ``StoreMismatch``.
        """
        self._background.wait_until_synced(timeout)

    def network(
        self,
        *,
        online: bool | None = None,
        type: str | None = None,  # noqa: A002 - the protocol's word
        metered: bool | None = None,
        foreground: bool | None = None,
    ) -> None:
        """Report what the program knows of the network; omitted values stay as they were.

        With ``online=True`` the link tries at once. ``type`` is ``wifi``, ``cellular``,
        ``ethernet``, ``unknown`` or ``none``, which means ``online=False``; after a change of
        the type the round trip is measured anew. On a ``metered`` network, and not in the
        ``foreground``, the link polls as rarely as ``Pace.sparing`` says; local writes still go
        out at once. The client learns the rest from its own requests: ``status.network_state``
        has all of it. Raises ``ValueError`` for an unknown type.
        """
        now = self._parts.network_monitor.report(
            online=online, type=type, metered=metered, foreground=foreground
        )
        gone = now.type is Kind.NONE
        self._background.post(Event.UNREACHABLE if gone else Event.REACHABLE)

    def wake(self, payload: object) -> bool:
        """Take a wake-up that came by push: a webhook's body, or the payload of FCM or APNs.

        When this returns, it is remembered on the disk, over a restart too. The link serves it
        as ``docs/reference/wake-ups.md`` says: at once, after the current exchange, or when the
        network is back. If the link is stopped, the next ``sync()`` or ``start()`` serves it.
        Return whether the payload is a wake-up that concerns this client; others are ignored,
        such as those for collections that are not kept here. A wake-up that comes twice, late,
        or for a session that has ended does no harm.
        """
        wakeup = wakeups.read(payload)
        if wakeup is None or not wakeup.concerns(self._names):
            return False
        self._parts.wakeups.came()
        return True

    @property
    def outbox(self) -> list[Mutation]:
        """Mutations without a final result, in order."""
        return self._parts.outbox.open()

    @property
    def conflicts(self) -> list[Conflict]:
        """Conflicts that wait for a decision, over restarts too; ``settle()`` each."""
        return self._conflicts.open(self._settle)

    @property
    def rejections(self) -> list[Rejection]:
        """Refused mutations that no ``on_rejected`` callback has been called with yet."""
        return list(self._results.rejections().values())

    @property
    def status(self) -> Status:
        """What the client knows about its sync, now."""
        with self._store.read() as db:
            snapshot = self._store.get("snapshot")
            pending = int(db.execute("SELECT open FROM outbox_size").fetchone()[0])
            conflicts = self._conflicts.count()
        progress = None
        if isinstance(snapshot, dict):
            done, total = snapshot.get("done"), snapshot.get("total")
            if isinstance(done, int) and isinstance(total, int):
                progress = Progress(done, total)
        network = self._parts.network_monitor.state
        transport = self._background.transport
        return Status(
            pending,
            conflicts,
            _NETWORK.get(network.reachability, "offline"),
            progress,
            self._retry_at,
            self._problem,
            str(self._background.state),
            None if transport is None else str(transport),
            network,
        )

    def reset(self, *, wipe: bool = False) -> None:
        """Forget the replica; the next ``sync()`` pulls it anew. Outbox and conflicts stay.

        ``wipe`` forgets everything, including the outbox, the client's id and the owner of the
        store, as for a log-out; it stops the background. No ``on_change`` callback is called.
        """
        if wipe:
            self._background.stop()
            self._store.wipe()
        else:
            self._parts.replica.forget()
            self._background.post(Event.REACHABLE)
        self.deliver()

    def close(self) -> None:
        """Stop the background, close connections and store. A second call does nothing."""
        self._background.stop()
        with self._closing:
            self._network.close()
            self._background_network.close()
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

    # Reports of the parts

    def _wrote(self, changes: Sequence[Change]) -> None:
        """A local write was committed; called under the store's lock."""
        self._callbacks.post_changes(changes)
        self._background.post(Event.WROTE)

    def behind(self) -> None:
        """A page was applied, and more is to come."""
        self._background.behind()

    def _note_call(self, error: errors.SyncError | None) -> None:
        self._parts.network_monitor.note_call(error)
        self._background.note_call(not isinstance(error, errors.Offline))

    def _link_changed(self, problem: errors.SyncError | None, retry_in: float | None) -> None:
        self._problem, self._retry_at = problem, self._later(retry_in)
        self.deliver()

    def _later(self, seconds: float | None) -> datetime.datetime | None:
        return None if seconds is None else self._now() + datetime.timedelta(seconds=seconds)

"""``SyncClient``: what a program holds; it wires the parts and tells their events."""

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
from .backoff import Backoff
from .callbacks import _Callbacks
from .collection import Collection
from .conflicts import Conflict, Conflicts
from .link import wakeups
from .link.background import Background
from .link.exchange import Exchange
from .link.pace import Pace
from .link.states import Event, State
from .link.transports import able
from .link.wakes import Wakes
from .link.waking import Waking
from .net.http import TIMEOUT, Network
from .net.network_monitor import Around
from .net.network_state import Kind, Reachability
from .store import indexes as field_indexes
from .store.database import Store
from .store.lease import Lease
from .store.outbox import Outbox
from .store.owner import Binding
from .store.replica import Replica
from .store.results import Results
from .types import Change, Counts, Mutation, Progress, Rejection, Status
from .waker import Waker


def _utcnow() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class SyncClient(_Callbacks):
    """A replica of a user's records on this machine, and the way to its server.

    ``url`` is where the project mounts django_sync, ``store`` the path of the
    SQLite file, ``collections`` the names to keep in step. ``pace`` says how often
    the background polls, ``backoff`` how failures are waited for, ``transports``
    which ways it may use, of ``websocket``, ``sse``, ``long-poll`` and ``poll``; all
    without it. ``push`` is how the server may wake this client while nothing is open to it, as
    ``{"kind": "webhook", "url": …, "secret": …}``, told with its session; what comes there
    goes to ``wake()``. ``indexes`` names the fields that the store keeps an index on, as
    ``{"cards": ["board", "due"]}``: ``filter()`` on them does not read the whole collection.
    Without ``indexes`` the store keeps the indexes that it has.
    ``transport`` is an httpx2 transport for tests; ``now``, ``sleep`` and ``waker`` replace the
    clock and the waiting.

    It may be used from any thread, and several processes may open one store, with
    the same ``collections`` and ``indexes``; each hears through its callbacks of its own writes
    and exchanges. Do not take it through a ``fork()``: a child has neither its
    thread nor a connection of its own, and opens a client for itself. It is a
    context manager that closes itself.

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
        opened = Store(store)
        self._outbox = Outbox(opened, now)
        conflicts = Conflicts(opened, self._outbox)
        self._replica = Replica(opened, self._outbox, conflicts)
        results = Results(opened, self._outbox, conflicts)
        super().__init__(tuple(dict.fromkeys(collections)), opened, conflicts, results)
        self._problem: errors.SyncError | None = None
        self._retry_at: datetime.datetime | None = None
        self._around = Around()
        self._auth = auth
        self._binding = Binding(opened, self.url, auth)
        try:
            self._binding.check()
            if indexed is not None:
                field_indexes.prepare(opened, indexed)
        except BaseException:
            opened.close()
            raise
        backoff = backoff or Backoff()

        def network(policy: Backoff) -> Network:
            return Network(
                self.url,
                auth,
                backoff=policy,
                sleep=sleep,
                now=now,
                transport=transport,
                timeout=timeout,
                heard=self._heard,
                took=self._around.took,
            )

        self._network = network(backoff)
        self._exchange = self._exchange_over(self._network)
        # Within the thread's calls nothing is tried again: that is the table's affair.
        self._lines = network(Backoff(attempts=1))
        waker = waker or Waker()
        self._waking = Waking(Wakes(opened), waker)
        self._background = Background(
            self._lines,
            self._exchange_over(self._lines),
            opened,
            self._outbox,
            self,
            Lease(opened, now),
            backoff,
            pace or Pace(),
            waker,
            self._moved,
            self._around,
            self._waking,
            may,
            push,
        )
        self._closing = threading.Lock()

    def _exchange_over(self, network: Network) -> Exchange:
        return Exchange(
            self._store,
            network,
            self._binding,
            self._outbox,
            self._replica,
            self._results,
            self._names,
            self,
        )

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
            self._problem, self._retry_at = error, self._later(self._network.retry_in)
            if isinstance(error, errors.Offline):
                self._around.heard(error)
            raise
        else:
            self._problem = self._retry_at = None
            if self._background.state is not State.LIVE:
                self._background.post(Event.REACHABLE)
            return counts
        finally:
            self.told()

    def start(self) -> None:
        """Stay in step in the background, from now on until ``stop()`` or ``close()``.

        One daemon thread does it. It sends what is written at once and fetches
        changes by the best way that the server offers; failures are waited for, ever
        longer. Where it runs already, it tries at once what waits for its user, such as
        new credentials.
        """
        self._background.start()

    def stop(self) -> None:
        """End the background, in the middle of a request too. ``start()`` begins it again.

        It may be called from a callback, and when nothing runs.
        """
        self._background.stop()

    def wait_until_synced(self, timeout: float | None = None) -> None:
        """Wait until the background has made one full exchange that began after this call.

        Raises ``NotInStep``, a ``TimeoutError``, after ``timeout`` seconds, and what the link
        waits for its user with: ``NotAuthenticated``, ``UpgradeRequired``, ``StoreMismatch``.
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
        """Tell what the program knows; what is left out stays as it was.

        ``online=True`` has the link try at once. ``type`` is ``wifi``, ``cellular``,
        ``ethernet``, ``unknown`` or ``none``, which is ``online=False``; another than before has
        the round trip measured anew. On a ``metered`` network, and not in the ``foreground``,
        the link polls as rarely as ``Pace.sparing`` says; local writes go out at once all the
        same. The rest it learns itself, from its own requests: ``status.network_state`` has all.
        Raises ``ValueError`` for a type that is none.
        """
        now = self._around.told(online=online, type=type, metered=metered, foreground=foreground)
        gone = now.type is Kind.NONE
        self._background.post(Event.UNREACHABLE if gone else Event.REACHABLE)

    def wake(self, payload: object) -> bool:
        """Take a wake-up that came by push: a webhook's body, or what FCM or APNs handed over.

        It is remembered on the disk when this returns, and seen to as ``docs/reference/
        wake-ups.md`` has it: at once, after an exchange that is under way, when the network is
        back; over a restart too. Where the link is stopped, the next ``sync()`` or ``start()``
        sees to it. Return whether it was one that concerns this client; what is none, or is
        of collections that are not kept here, is passed by. Twice, late, or of a session that has
        ended does no harm.
        """
        told = wakeups.read(payload)
        if told is None or not told.concerns(self._names):
            return False
        self._waking.came()
        return True

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
            pending = int(db.execute("SELECT open FROM outbox_size").fetchone()[0])
            conflicts = self._conflicts.count()
        progress = None
        if isinstance(snapshot, dict):
            done, total = snapshot.get("done"), snapshot.get("total")
            if isinstance(done, int) and isinstance(total, int):
                progress = Progress(done, total)
        around = self._around.state
        words = {Reachability.UNKNOWN: "unknown", Reachability.REACHABLE: "online"}
        link, transport = self._background.state, self._background.transport
        return Status(
            pending,
            conflicts,
            words.get(around.reachability, "offline"),
            progress,
            self._retry_at,
            self._problem,
            str(link),
            None if transport is None else str(transport),
            around,
        )

    def reset(self, *, wipe: bool = False) -> None:
        """Forget the replica; the next ``sync()`` pulls it anew. Outbox and conflicts stay.

        ``wipe`` forgets everything, the outbox, the client's id and whose store it is
        included, as for a log-out; it stops the background. No ``on_change`` callback
        is called.
        """
        if wipe:
            self._background.stop()
            self._store.wipe()
        else:
            self._replica.forget()
            self._background.post(Event.REACHABLE)
        self.told()

    def close(self) -> None:
        """Stop the background, close connections and store. A second call does nothing."""
        self._background.stop()
        with self._closing:
            self._network.close()
            self._lines.close()
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

    # What the parts report.

    def _wrote(self, changes: Sequence[Change]) -> None:
        """Something local was committed; called under the store's lock."""
        self._events.post_changes(changes)
        self._background.post(Event.WROTE)

    def behind(self) -> None:
        """A page was applied, and more is to come."""
        self._background.behind()

    def _heard(self, error: errors.SyncError | None) -> None:
        self._around.heard(error)
        self._background.heard(not isinstance(error, errors.Offline))

    def _moved(self, problem: errors.SyncError | None, retry_in: float | None) -> None:
        """The link has changed."""
        self._problem, self._retry_at = problem, self._later(retry_in)
        self.told()

    def _later(self, seconds: float | None) -> datetime.datetime | None:
        return None if seconds is None else self._now() + datetime.timedelta(seconds=seconds)

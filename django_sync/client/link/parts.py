"""The parts of one client, made once, and the interface for their reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ...protocol.words import Transport
from ..backoff import Backoff, Pace
from ..conflicts import Conflicts
from ..net.network_monitor import NetworkMonitor
from ..store.database import Store
from ..store.lease import Lease
from ..store.outbox import Outbox
from ..store.owner import Owner
from ..store.replica import Replica
from ..store.results import Results, Settled
from ..types import Change
from ..waker import Waker
from .transports import LADDER
from .wakeup_handler import WakeupHandler


class Listener(Protocol):
    """Receives what each step of an exchange changed; the client is one.

    All but ``behind`` and ``deliver`` are called under the store's lock.
    """

    def listened(self) -> set[str] | None: ...
    def pulled(self, changes: Sequence[Change]) -> None: ...
    def settled(self, settled: Settled) -> None: ...
    def behind(self) -> None: ...
    def deliver(self) -> None: ...


@dataclass
class Parts:
    """The parts of one client that exchanges, the background and its loop share."""

    store: Store
    owner: Owner
    collections: tuple[str, ...]
    listener: Listener
    now: Callable[[], datetime]
    waker: Waker
    backoff: Backoff
    pace: Pace
    transports: Sequence[Transport] = LADDER
    """The transports that the link may use."""
    push: Mapping[str, Any] | None = None
    """How the server may wake this client, as the protocol has it."""
    outbox: Outbox = field(init=False)
    conflicts: Conflicts = field(init=False)
    replica: Replica = field(init=False)
    results: Results = field(init=False)
    lease: Lease = field(init=False)
    wakeups: WakeupHandler = field(init=False)
    network_monitor: NetworkMonitor = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store, self.now)
        self.conflicts = Conflicts(self.store, self.outbox)
        self.replica = Replica(self.store, self.outbox, self.conflicts)
        self.results = Results(self.store, self.outbox, self.conflicts)
        self.lease = Lease(self.store, self.now)
        self.wakeups = WakeupHandler(self.store, self.waker)
        self.network_monitor = NetworkMonitor()

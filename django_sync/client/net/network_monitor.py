"""Keeps one client's ``NetworkState`` up to date: from its program's reports and its requests."""

from __future__ import annotations

import threading
from dataclasses import replace

from ... import errors
from .network_state import Event, Kind, NetworkState, RoundTrip, next_reachability


class NetworkMonitor:
    """The network's state, kept up to date by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trip = RoundTrip()
        self.state = NetworkState()

    def report(
        self,
        *,
        online: bool | None = None,
        type: str | None = None,  # noqa: A002 - the protocol's word
        metered: bool | None = None,
        foreground: bool | None = None,
    ) -> NetworkState:
        """Take what the program reports; ``None`` leaves a value as it was.

        ``type="none"`` and ``online=False`` mean the same. Raises ``ValueError`` for an unknown
        type.
        """
        kind = None if type is None else Kind(type)
        if kind is None and online is False:
            kind = Kind.NONE
        with self._lock:
            now = self.state
            if kind is None and online and now.type is Kind.NONE:
                kind = Kind.UNKNOWN  # A network is back; it may be another one.
            if kind is not None and kind is not now.type:
                self._trip = RoundTrip()  # The path to the server is another one.
                event = Event.GONE if kind is Kind.NONE else Event.OTHER
                now = replace(
                    now,
                    type=kind,
                    rtt_ms=None,
                    reachability=next_reachability(now.reachability, event),
                )
            elif online:
                now = replace(now, reachability=next_reachability(now.reachability, Event.ONLINE))
            self.state = replace(
                now,
                metered=now.metered if metered is None else metered,
                foreground=now.foreground if foreground is None else foreground,
            )
            return self.state

    def note_call(self, error: errors.SyncError | None) -> None:
        """A request was answered, or failed with ``error``."""
        event = Event.ANSWERED
        if isinstance(error, errors.Offline):
            event = Event.STRANGE if isinstance(error, errors.Captive) else Event.SILENT
        with self._lock:
            now = self.state
            kind = now.type
            if event is Event.ANSWERED and kind is Kind.NONE:
                kind = Kind.UNKNOWN  # The program was wrong.
            self.state = replace(
                now, type=kind, reachability=next_reachability(now.reachability, event)
            )

    def note_round_trip(self, seconds: float) -> None:
        """A response began so many seconds after its request was sent."""
        with self._lock:
            self._trip = self._trip.sampled(seconds)
            self.state = replace(self.state, rtt_ms=self._trip.ms)

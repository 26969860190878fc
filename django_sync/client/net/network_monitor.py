"""What surrounds one client, as it is now: what its program tells and what its requests show."""

from __future__ import annotations

import threading
from dataclasses import replace

from ... import errors
from .network_state import Event, Kind, NetworkState, RoundTrip, reach


class Around:
    """The network's state, kept up to date by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trip = RoundTrip()
        self.state = NetworkState()

    def told(
        self,
        *,
        online: bool | None = None,
        type: str | None = None,  # noqa: A002 - the protocol's word
        metered: bool | None = None,
        foreground: bool | None = None,
    ) -> NetworkState:
        """Take the program's word; ``None`` leaves a thing as it was.

        ``type`` ``"none"`` and ``online=False`` say the same. Raises ``ValueError`` for a type
        that is none.
        """
        kind = None if type is None else Kind(type)
        if kind is None and online is False:
            kind = Kind.NONE
        with self._lock:
            now = self.state
            if kind is None and online and now.type is Kind.NONE:
                kind = Kind.UNKNOWN  # It is back, and may be another.
            if kind is not None and kind is not now.type:
                self._trip = RoundTrip()  # Another path, another time.
                event = Event.GONE if kind is Kind.NONE else Event.OTHER
                now = replace(
                    now, type=kind, rtt_ms=None, reachability=reach(now.reachability, event)
                )
            elif online:
                now = replace(now, reachability=reach(now.reachability, Event.ONLINE))
            self.state = replace(
                now,
                metered=now.metered if metered is None else metered,
                foreground=now.foreground if foreground is None else foreground,
            )
            return self.state

    def heard(self, error: errors.SyncError | None) -> None:
        """A request was answered, or ended in ``error``."""
        event = Event.ANSWERED
        if isinstance(error, errors.Offline):
            event = Event.STRANGE if isinstance(error, errors.Captive) else Event.SILENT
        with self._lock:
            now = self.state
            kind = now.type
            if event is Event.ANSWERED and kind is Kind.NONE:
                kind = Kind.UNKNOWN  # The program was told wrong.
            self.state = replace(now, type=kind, reachability=reach(now.reachability, event))

    def took(self, seconds: float) -> None:
        """A request's answer began so long after the request was sent."""
        with self._lock:
            self._trip = self._trip.sampled(seconds)
            self.state = replace(self.state, rtt_ms=self._trip.ms)

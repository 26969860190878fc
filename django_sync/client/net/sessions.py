"""The session: what this client reports to the server, and what the server decides.

The client asks before it opens a connection: it gets the ticket and the transport that the
server prefers. At a server without sessions no socket is opened.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ... import __version__, errors
from ...protocol.words import Transport
from .frames import seconds
from .http import Network
from .network_state import NetworkState, differs

log = logging.getLogger("django_sync.client")


_NONE = (errors.NotFound, errors.MethodNotAllowed, errors.PermissionDenied, errors.Invalid)
"""The errors of servers that have no sessions, or none for this user."""


@dataclass(frozen=True)
class Decision:
    """The server's answer."""

    id: str
    transport: str
    url: str
    heartbeat: float
    poll_interval: float | None
    upgrade_after: float | None


class Sessions:
    """One client's session: opened once, then updated with what changes.

    ``push`` is the protocol's description of how the server may wake this client, or ``None``.
    """

    def __init__(
        self, network: Network, collections: Sequence[str], push: Mapping[str, Any] | None = None
    ) -> None:
        self._network = network
        self._collections = list(collections)
        self._push = push
        self._id: str | None = None
        self._reported: NetworkState | None = None
        self.has_none = False
        """Whether the server has no sessions for us."""

    def forget(self) -> None:
        """Open a new session next time."""
        self._id = self._reported = None
        self.has_none = False
        self._network.identifying.pop("Sync-Session", None)

    def has_news(self, network_state: NetworkState) -> bool:
        """Whether the network has changed, or the server does not know ``push`` yet."""
        if self._reported is not None:
            return differs(self._reported, network_state)
        return self._push is not None and not self.has_none

    def ask(
        self,
        client_id: str,
        able: Sequence[Transport],
        failed: Sequence[Transport],
        network_state: NetworkState,
    ) -> Decision | None:
        """Report the client's state; return the decision, or ``None`` if there are no sessions."""
        report: dict[str, Any] = {
            "transports": [*able, *([Transport.PUSH] if self._push is not None else [])],
            "failed": list(failed),
            "network": network_state.to_json(),
            "foreground": network_state.foreground,
        }
        if self._id is not None:
            try:
                decision = self._read(self._network.patch(f"sessions/{self._id}/", _body(report)))
            except errors.NotFound:
                self.forget()  # The session has ended; open a new one.
            else:
                self._reported = network_state
                return decision
        report |= {"client_id": client_id, "collections": self._collections}
        report |= {"platform": f"python/{sys.platform}", "version": __version__}
        opened = self._open(report)
        self.has_none = opened is None
        self._reported = None if opened is None else network_state
        return opened

    def _open(self, report: dict[str, Any]) -> Decision | None:
        try:
            return self._open_with_push(report)
        except errors.ClientMismatch as error:
            raise errors.StoreMismatch(error.detail) from error
        except _NONE as error:
            log.info("The server opens no session: %s", error.detail)
            return None
        except errors.SyncError as error:
            if type(error) is not errors.SyncError:
                raise
            log.warning("The server fails to open a session: %s", error.detail)
            return None

    def _open_with_push(self, report: dict[str, Any]) -> Decision:
        """Open a session; if the server refuses ``push``, open one without it."""
        if self._push is not None:
            try:
                whole = {**report, "push": dict(self._push)}
                return self._read(self._network.post("sessions/", _body(whole)))
            except errors.Invalid as error:
                log.warning("The server will not wake this client: %s", error.detail)
                self._push = None
                report["transports"].remove(Transport.PUSH)
        return self._read(self._network.post("sessions/", _body(report)))

    def _read(self, body: Mapping[str, Any]) -> Decision:
        match body:
            case {"id": str(id), "transport": str(transport)}:
                self._id = self._network.identifying["Sync-Session"] = id
                self._network.count_round_trip()
                return Decision(
                    id,
                    transport,
                    str(body.get("url") or ""),
                    seconds(body.get("heartbeat")) or 25.0,
                    seconds(body.get("poll_interval")),
                    seconds(body.get("upgrade_after")),
                )
        raise errors.Captive("The answer is not the session of a django_sync server.")


def _body(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report).encode()

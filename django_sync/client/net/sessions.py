"""The session: what the server is told of this client, and what it decides in turn.

Asked before a line is opened, for the ticket and for the transport that the server
would have used. A server without sessions is none to open a socket at.
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
"""Answers of servers that are older, smaller, or have none for this user."""


@dataclass(frozen=True)
class Decision:
    """What the server answered."""

    id: str
    transport: str
    url: str
    heartbeat: float
    poll_interval: float | None
    upgrade_after: float | None


class Sessions:
    """One client's session, opened once and told of what changes.

    ``push`` is how the server may wake this client, as the protocol has it, or ``None``.
    """

    def __init__(
        self, network: Network, collections: Sequence[str], push: Mapping[str, Any] | None = None
    ) -> None:
        self._network = network
        self._collections = list(collections)
        self._push = push
        self._id: str | None = None
        self._told: NetworkState | None = None
        self.has_none = False
        """Whether the server has no sessions for us."""

    def forget(self) -> None:
        """Open another at the next time."""
        self._id = self._told = None
        self.has_none = False
        self._network.said.pop("Sync-Session", None)

    def wants(self, around: NetworkState) -> bool:
        """Whether there is something to tell: another network, or a ``push`` nobody knows of."""
        if self._told is not None:
            return differs(self._told, around)
        return self._push is not None and not self.has_none

    def ask(
        self,
        client_id: str,
        able: Sequence[Transport],
        failed: Sequence[Transport],
        around: NetworkState,
    ) -> Decision | None:
        """Tell how things stand; return what is decided, or ``None`` where none can be asked."""
        told: dict[str, Any] = {
            "transports": [*able, *([Transport.PUSH] if self._push is not None else [])],
            "failed": list(failed),
            "network": around.to_json(),
            "foreground": around.foreground,
        }
        if self._id is not None:
            try:
                decision = self._read(self._network.patch(f"sessions/{self._id}/", _body(told)))
            except errors.NotFound:
                self.forget()  # It has ended; another begins.
            else:
                self._told = around
                return decision
        told |= {"client_id": client_id, "collections": self._collections}
        told |= {"platform": f"python/{sys.platform}", "version": __version__}
        opened = self._open(told)
        self.has_none = opened is None
        self._told = None if opened is None else around
        return opened

    def _open(self, told: dict[str, Any]) -> Decision | None:
        try:
            return self._opened(told)
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

    def _opened(self, told: dict[str, Any]) -> Decision:
        """Open one; where the server cannot wake us so, one without."""
        if self._push is not None:
            try:
                whole = {**told, "push": dict(self._push)}
                return self._read(self._network.post("sessions/", _body(whole)))
            except errors.Invalid as error:
                log.warning("The server will not wake this client: %s", error.detail)
                self._push = None
                told["transports"].remove(Transport.PUSH)
        return self._read(self._network.post("sessions/", _body(told)))

    def _read(self, body: Mapping[str, Any]) -> Decision:
        match body:
            case {"id": str(id), "transport": str(transport)}:
                self._id = self._network.said["Sync-Session"] = id
                self._network.quick()
                return Decision(
                    id,
                    transport,
                    str(body.get("url") or ""),
                    seconds(body.get("heartbeat")) or 25.0,
                    seconds(body.get("poll_interval")),
                    seconds(body.get("upgrade_after")),
                )
        raise errors.Captive("The answer is no session of a django_sync server.")


def _body(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told).encode()

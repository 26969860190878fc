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

from .. import __version__, errors
from ..protocol.words import Transport
from .frames import seconds
from .network import Network
from .pace import Hints

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
    """One client's session, opened once and told of what changes."""

    def __init__(self, network: Network, collections: Sequence[str]) -> None:
        self._network = network
        self._collections = list(collections)
        self._id: str | None = None

    def forget(self) -> None:
        """Open another at the next time."""
        self._id = None
        self._network.said.pop("Sync-Session", None)

    def ask(
        self,
        client_id: str,
        able: Sequence[Transport],
        failed: Sequence[Transport],
        hints: Hints,
    ) -> Decision | None:
        """Tell how things stand; return what is decided, or ``None`` where none can be asked."""
        told: dict[str, Any] = {
            "transports": list(able),
            "failed": list(failed),
            "network": {"metered": hints.metered},
            "foreground": hints.foreground,
        }
        if self._id is not None:
            try:
                return self._read(self._network.patch(f"sessions/{self._id}/", _body(told)))
            except errors.NotFound:
                self.forget()  # It has ended; another begins.
        told |= {"client_id": client_id, "collections": self._collections}
        told |= {"platform": f"python/{sys.platform}", "version": __version__}
        try:
            return self._read(self._network.post("sessions/", _body(told)))
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

    def _read(self, body: Mapping[str, Any]) -> Decision:
        match body:
            case {"id": str(id), "transport": str(transport)}:
                self._id = self._network.said["Sync-Session"] = id
                return Decision(
                    id,
                    transport,
                    str(body.get("url") or ""),
                    seconds(body.get("heartbeat")) or 25.0,
                    seconds(body.get("poll_interval")),
                    seconds(body.get("upgrade_after")),
                )
        raise errors.Offline("The answer is no session of a django_sync server.")


def _body(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told).encode()

"""What the service document tells: limits and transports. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ... import errors
from ...protocol import PROTOCOL_VERSION
from ...protocol.words import Transport


@dataclass(frozen=True)
class Service:
    """A server's limits; these are the protocol's own until it was asked."""

    epoch: str | None = None
    batch_size: int = 500
    body_bytes: int = 5_242_880
    wait_seconds: int = 25
    transports: frozenset[str] = frozenset({Transport.POLL})


def read(told: Mapping[str, Any]) -> Service:
    """Read a service document; raise where it is none, or of another protocol."""
    if told.get("protocol") != PROTOCOL_VERSION:
        if "protocol" not in told:
            raise errors.Captive("This is no service document of a django_sync server.")
        raise errors.UnsupportedProtocol(
            f"The server speaks protocol {told['protocol']}, this client {PROTOCOL_VERSION}."
        )
    limits = told.get("limits")
    limits = limits if isinstance(limits, dict) else {}
    epoch, transports = told.get("epoch"), told.get("transports")
    listed = transports if isinstance(transports, list) else []
    return Service(
        epoch=epoch if isinstance(epoch, str) else None,
        batch_size=_positive(limits.get("batch_size"), Service.batch_size),
        body_bytes=_positive(limits.get("body_bytes"), Service.body_bytes),
        wait_seconds=min(
            _positive(limits.get("wait_seconds"), Service.wait_seconds), Service.wait_seconds
        ),
        transports=frozenset(name for name in listed if isinstance(name, str)),
    )


def _positive(value: object, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default

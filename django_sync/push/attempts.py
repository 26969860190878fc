"""One attempt: the wake-up that an endpoint is to get, sent and logged. Nothing is noted here."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from ..models import Endpoint
from .sender import Outcome, Receipt, Sender, Wake

__all__ = ["Attempt", "Done", "attempt", "log_done", "sent", "told"]

log = logging.getLogger("django_sync.push")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One wake-up on its way; ``seconds`` is what the attempt took."""

    endpoint: Endpoint
    sender: Sender
    wake: Wake


@dataclass(frozen=True, slots=True)
class Done:
    """An attempt and what came of it."""

    endpoint: Endpoint
    receipt: Receipt
    seconds: float


def attempt(endpoint: Endpoint, sender: Sender) -> Attempt:
    """The wake-up that an endpoint is to get."""
    names = [name for name in endpoint.pending.split(",") if name]
    asked = endpoint.session.collections
    if asked is not None:
        names = [name for name in names if name in asked]
    return Attempt(endpoint, sender, Wake(endpoint.session.id, tuple(names)))


def sent(one: Attempt) -> Done:
    """Make an attempt. A fault of the sender's own is as if nobody had answered."""
    began = time.monotonic()
    try:
        receipt = one.sender.send(one.endpoint.target, one.wake)
    except Exception as error:
        log.exception("a sender failed", extra=told(one.endpoint))
        receipt = Receipt(Outcome.RETRY, problem=f"{type(error).__name__} in the sender")
    return Done(one.endpoint, receipt, time.monotonic() - began)


def told(endpoint: Endpoint, **more: object) -> dict[str, object]:
    """What each line of the log says of an endpoint: no target, for that is a secret."""
    return {
        "endpoint": endpoint.id,
        "session": str(endpoint.session.id),
        "kind": endpoint.kind,
        "host": endpoint.host,
        **more,
    }


def log_done(done: Done) -> None:
    """A line of the log, with what came of it as fields."""
    receipt = done.receipt
    level = logging.INFO if receipt.outcome is Outcome.SENT else logging.WARNING
    log.log(
        level,
        receipt.outcome.value,
        extra=told(
            done.endpoint,
            outcome=receipt.outcome.value,
            status=receipt.status,
            problem=receipt.problem,
            attempt=done.endpoint.failures + 1,
            seconds=round(done.seconds, 3),
        ),
    )

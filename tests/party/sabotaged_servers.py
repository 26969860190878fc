"""Faults that are put into the server of a lively party, in its own process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django_sync.realtime.connection import Line
from django_sync.realtime.hub import Hub


def hub_skips_a_delivery() -> None:
    """Each third frame goes to nobody, and all move on as if they had it."""
    hand_out: Any = Hub._hand_out
    count = 0

    def some(self: Any, delivery: Any, taken: Iterable[Any]) -> None:
        nonlocal count
        count += delivery.frame is not None
        lost = delivery.frame is not None and count % 3 == 0
        hand_out(self, replace(delivery, frame=None) if lost else delivery, taken)

    Hub._hand_out = some  # type: ignore[method-assign]


def cursor_goes_before_what_it_stands_for() -> None:
    """Frames take their time, and the cursor for them is told as if they had gone."""
    deliver: Any = Line.deliver

    def late(self: Any, frame: Any) -> None:
        if self in self.hub._lines:
            asyncio.get_running_loop().call_later(1.5, deliver, self, frame)
        else:
            deliver(self, frame)

    Line.deliver = late  # type: ignore[method-assign]


def access_that_ends_is_not_told() -> None:
    """No line pulls when what its user sees has changed: no ``drop``, and nothing granted (R6)."""

    def look(self: Any, audience: Any) -> None:
        if self._follower is None or self._follower.done():
            self.subscription = replace(self.subscription, audience=self.hub.known(audience))

    Line.look = look  # type: ignore[method-assign]

"""Hints from process to process by the project's channel layer: *it grew*, *look at this user*.

One group, of which each process that serves sockets is one member (R7): which scopes a hint is
for is a matter of the hubs. A layer may lose messages, be slow or be gone. Whoever writes only
sets a flag; a thread of this process's own tells the layer, and says it in the log where
that fails, once until it works again. Whoever listens looks by itself now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import uuid
from collections.abc import Callable
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

log = logging.getLogger("django_sync.realtime")

GROUP = "django_sync.hubs"
SECONDS = 5
"""The longest time that the layer gets to take a hint, or to be joined."""
JOIN_AGAIN = 30
"""Seconds after which a member joins once more: a layer that was restarted knows nobody."""

_BORN = uuid.uuid4().hex


def me() -> str:
    """This process, whose bells have told its own hub; another one after a fork."""
    return f"{_BORN}.{os.getpid()}"


def layer() -> Any:
    """The project's channel layer, unless it ends with the process, where nobody needs it."""
    found = get_channel_layer()
    return None if isinstance(found, InMemoryChannelLayer) else found


class ChannelNotifier:
    """Tells the layer what the bells of this process told; for ``announce.listen``."""

    def __init__(self) -> None:
        self._process = 0
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._grown = False
        self._users: set[str] = set()
        self._failing = False
        self.idle = threading.Event()
        self.idle.set()
        """Set while all that was noted has been told, or has failed to be."""

    def __call__(self, user: str | None) -> None:
        """Note what is to be told, and wake who tells it; never waits."""
        if layer() is None:
            return
        with self._lock:
            if self._process != os.getpid():  # also after a fork, which takes no threads along
                self._process = os.getpid()
                self._changed = threading.Event()
                threading.Thread(
                    target=self._run, args=(self._changed,), name="django_sync.bell", daemon=True
                ).start()
            if user is None:
                self._grown = True
            else:
                self._users.add(user)
            self.idle.clear()
        self._changed.set()

    def _run(self, changed: threading.Event) -> None:
        with asyncio.Runner() as runner:
            while True:
                changed.wait()
                changed.clear()
                with self._lock:
                    grown, users = self._grown, self._users
                    self._grown, self._users = False, set()
                runner.run(self._tell(grown, users))
                with self._lock:
                    if not (self._grown or self._users):
                        self.idle.set()

    async def _tell(self, grown: bool, users: set[str]) -> None:
        hints: list[str | None] = [*sorted(users), *([None] if grown else [])]
        found = layer()
        if found is None:
            return
        try:
            async with asyncio.timeout(SECONDS):
                for user in hints:
                    await found.group_send(GROUP, {"type": "sync.hint", "user": user, "by": me()})
        except Exception as problem:  # noqa: BLE001  # each layer has errors of its own
            if not self._failing:
                log.warning(
                    "the channel layer takes no hints: %r; hubs look by themselves", problem
                )
            self._failing = True
        else:
            if self._failing:
                log.info("the channel layer takes hints again")
            self._failing = False


async def answer(hear: Callable[[str | None], None]) -> None:
    """Hear the hints of other processes, for as long as this task lives."""
    failing = False
    while True:
        found = layer()
        if found is None:
            return
        try:
            await _listen(found, hear)
        except Exception as problem:  # noqa: BLE001  # each layer has errors of its own
            if not failing:
                log.warning("the channel layer brings no hints: %r; looking by ourselves", problem)
            failing = True
            await asyncio.sleep(1)
        else:
            failing = False


async def _listen(found: Any, hear: Callable[[str | None], None]) -> None:
    """One membership: joins, hears for a while, and leaves nothing behind."""
    async with asyncio.timeout(SECONDS):
        channel = await found.new_channel()
        await found.group_add(GROUP, channel)
    hear(None)  # what was told before we joined
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(JOIN_AGAIN):
                while True:
                    message = await found.receive(channel)
                    if message.get("by") != me():
                        hear(message.get("user"))
    finally:
        async with asyncio.timeout(SECONDS):
            await found.group_discard(GROUP, channel)

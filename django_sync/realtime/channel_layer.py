"""Hints between processes by the project's channel layer: *the feed grew*, *this user changed*.

There is one group, and each process that serves connections is one member of it (R7). A hint names
no scopes: the hubs find out whom it concerns. A layer may lose messages, be slow or be down. So a
write only sets a flag, and a thread of this process sends the hint. If that fails, the log says so
once, until it works again. The hubs also look at the feed by themselves from time to time.
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
"""The longest time for sending hints, and for joining the group."""
JOIN_AGAIN = 30
"""Seconds after which a process joins again: a layer that was restarted has no members."""

_BORN = uuid.uuid4().hex


def me() -> str:
    """The name of this process, whose own hub needs no hints of it; a fork has another name."""
    return f"{_BORN}.{os.getpid()}"


def layer() -> Any:
    """The project's channel layer; ``None`` where it connects no processes."""
    found = get_channel_layer()
    return None if isinstance(found, InMemoryChannelLayer) else found


class ChannelNotifier:
    """Passes the hints of this process on to the channel layer; for ``notify.listen``."""

    def __init__(self) -> None:
        self._process = 0
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._has_grown = False
        self._users: set[str] = set()
        self._is_failing = False
        self.idle = threading.Event()
        self.idle.set()
        """Set while no hint waits: each was sent, or could not be sent."""

    def __call__(self, user: str | None) -> None:
        """Have a hint sent by the thread. Never waits."""
        if layer() is None:
            return
        with self._lock:
            if self._process != os.getpid():  # also after a fork, which takes no threads along
                self._process = os.getpid()
                self._wake = threading.Event()
                threading.Thread(
                    target=self._run, args=(self._wake,), name="django_sync.notifier", daemon=True
                ).start()
            if user is None:
                self._has_grown = True
            else:
                self._users.add(user)
            self.idle.clear()
        self._wake.set()

    def _run(self, wake: threading.Event) -> None:
        with asyncio.Runner() as runner:
            while True:
                wake.wait()
                wake.clear()
                with self._lock:
                    has_grown, users = self._has_grown, self._users
                    self._has_grown, self._users = False, set()
                runner.run(self._send(has_grown, users))
                with self._lock:
                    if not (self._has_grown or self._users):
                        self.idle.set()

    async def _send(self, has_grown: bool, users: set[str]) -> None:
        hints: list[str | None] = [*sorted(users), *([None] if has_grown else [])]
        found = layer()
        if found is None:
            return
        try:
            async with asyncio.timeout(SECONDS):
                for user in hints:
                    await found.group_send(GROUP, {"type": "sync.hint", "user": user, "by": me()})
        except Exception as problem:  # noqa: BLE001  # each layer has errors of its own
            if not self._is_failing:
                log.warning(
                    "the channel layer takes no hints: %r; other processes find changes later",
                    problem,
                )
            self._is_failing = True
        else:
            if self._is_failing:
                log.info("the channel layer takes hints again")
            self._is_failing = False


async def receive_hints(notify: Callable[[str | None], None]) -> None:
    """Call ``notify`` with the hints of other processes, as long as this task lives."""
    is_failing = False
    while True:
        found = layer()
        if found is None:
            return
        try:
            await _receive(found, notify)
        except Exception as problem:  # noqa: BLE001  # each layer has errors of its own
            if not is_failing:
                log.warning(
                    "the channel layer brings no hints: %r; changes of others are found later",
                    problem,
                )
            is_failing = True
            await asyncio.sleep(1)
        else:
            is_failing = False


async def _receive(found: Any, notify: Callable[[str | None], None]) -> None:
    """Join the group, receive hints for ``JOIN_AGAIN`` seconds, and leave it."""
    async with asyncio.timeout(SECONDS):
        channel = await found.new_channel()
        await found.group_add(GROUP, channel)
    notify(None)  # the feed may have grown before this process joined
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(JOIN_AGAIN):
                while True:
                    message = await found.receive(channel)
                    if message.get("by") != me():
                        notify(message.get("user"))
    finally:
        async with asyncio.timeout(SECONDS):
            await found.group_discard(GROUP, channel)
